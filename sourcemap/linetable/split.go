package linetable

import (
	"context"
	"errors"
	"io/fs"
	"os"
)

// Attributes that name a unit's .dwo file: of version 5, and GCC's of version 4.
const (
	atDwoName    = 0x76
	atGNUDwoName = 0x2130
)

// Split says whether the ELF at path was compiled with -gsplit-dwarf: most of its debug
// information is in .dwo files, or in the package path.dwp, which packed then names. It
// looks at the abbreviations alone, and stops at the first that names such a file.
func Split(ctx context.Context, path string) (split bool, packed string, err error) {
	in := &input{ctx: ctx}
	img, err := in.openWithLines(path)
	if errors.Is(err, ErrNoLineTables) {
		return false, "", nil
	}
	if err != nil {
		return false, "", err
	}
	defer img.close()
	if split, err = img.namesDwo(); !split {
		return false, "", err
	}
	switch _, err := os.Stat(path + ".dwp"); {
	case err == nil:
		return true, path + ".dwp", nil
	case errors.Is(err, fs.ErrNotExist):
		return true, "", nil
	default:
		return true, "", err
	}
}

// namesDwo looks for a unit that names its .dwo file, in all tables of .debug_abbrev one
// after another.
func (img *image) namesDwo() (bool, error) {
	if !img.has(".debug_abbrev") {
		return false, nil
	}
	s, err := img.open(".debug_abbrev", 64<<10)
	if err != nil {
		return false, err
	}
	defer func() { s.close() }()
	const piece = 64 << 10
	for off := uint64(0); off < s.size; {
		n := min(piece, s.size-off)
		b, err := s.at(off, n)
		if err != nil {
			return false, err
		}
		d := decoder{b: b[:n], s: s, base: off}
		done := 0 // up to the last abbreviation that is complete
		for d.err == nil && d.pos < len(d.b) {
			if d.uleb() == 0 { // the end of a table
				done = d.pos
				continue
			}
			d.uleb() // the tag
			d.u8()   // has children
			for d.err == nil {
				f := field{d.uleb(), d.uleb()}
				if f.form == formImplicitConst {
					d.uleb()
				}
				if f.content == 0 && f.form == 0 {
					break
				}
				if d.err == nil && (f.content == atDwoName || f.content == atGNUDwoName) {
					return true, nil
				}
			}
			if d.err == nil {
				done = d.pos
			}
		}
		if done == 0 { // an abbreviation of 64 KiB, or what is none
			return false, d.err
		}
		off += uint64(done)
	}
	return false, nil
}
