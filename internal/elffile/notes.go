package elffile

import (
	"debug/elf"
	"encoding/hex"
)

const (
	// maxNotes bounds the bytes of one note segment that are looked at. A
	// build-id note is 36 bytes and stands early among few others.
	maxNotes = 64 << 10
	// maxBuildID is far beyond the 20 bytes of SHA-1 and what --build-id=0x… sees
	// in practice.
	maxBuildID = 256
)

// BuildID is the GNU build-id in lower-case hex, or empty when the file has
// none.
func (f *File) BuildID() (string, error) {
	id := ""
	note := func(off, size, align uint64) (err error) {
		// objcopy --only-keep-debug leaves program headers whose contents are
		// elsewhere: not this file's build-id, so no error either.
		if id == "" && off <= f.Size && size <= f.Size-off {
			id, err = f.notes(off, size, align)
		}
		return err
	}
	err := f.each(f.phoff, f.phnum, f.phsize, "program headers", func(b []byte) error {
		o := f.Order
		switch {
		case elf.ProgType(o.Uint32(b)) != elf.PT_NOTE:
			return nil
		case f.Is64():
			return note(o.Uint64(b[8:]), o.Uint64(b[32:]), o.Uint64(b[48:]))
		}
		return note(uint64(o.Uint32(b[4:])), uint64(o.Uint32(b[16:])), uint64(o.Uint32(b[28:])))
	})
	if err != nil || id != "" {
		return id, err
	}
	err = f.Sections(func(s Section) error {
		if s.Type != elf.SHT_NOTE {
			return nil
		}
		return note(s.Off, s.Size, s.Align)
	})
	return id, err
}

// notes looks for NT_GNU_BUILD_ID. Notes it cannot follow end the search
// without an error: other tools write notes of their own.
func (f *File) notes(off, size, align uint64) (string, error) {
	b, err := f.At(off, min(size, maxNotes), "a note")
	if err != nil {
		return "", err
	}
	if align != 8 { // 8 is that of .note.gnu.property
		align = 4
	}
	pad := func(n uint64) uint64 { return (n + align - 1) &^ (align - 1) }
	const ntGNUBuildID = 3
	for len(b) >= 12 {
		namesz, descsz, kind := uint64(f.Order.Uint32(b)), uint64(f.Order.Uint32(b[4:])), f.Order.Uint32(b[8:])
		desc := pad(12 + namesz)
		end := desc + descsz
		if end > uint64(len(b)) {
			return "", nil
		}
		if kind == ntGNUBuildID && string(b[12:12+namesz]) == "GNU\x00" && descsz > 0 && descsz <= maxBuildID {
			return hex.EncodeToString(b[desc:end]), nil
		}
		b = b[min(pad(end), uint64(len(b))):]
	}
	return "", nil
}
