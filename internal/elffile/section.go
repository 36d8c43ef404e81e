package elffile

import (
	"bytes"
	"debug/elf"
)

// Section is a section header, not yet checked against the file.
type Section struct {
	Type  elf.SectionType
	Flags elf.SectionFlag
	Off   uint64 // in the file
	Size  uint64 // bytes in the file, unless Type is SHT_NOBITS
	Align uint64

	name, link, info uint32
}

func (f *File) section(b []byte) Section {
	o := f.Order
	s := Section{name: o.Uint32(b), Type: elf.SectionType(o.Uint32(b[4:]))}
	if f.Is64() {
		s.Flags = elf.SectionFlag(o.Uint64(b[8:]))
		s.Off, s.Size, s.Align = o.Uint64(b[24:]), o.Uint64(b[32:]), o.Uint64(b[48:])
		s.link, s.info = o.Uint32(b[40:]), o.Uint32(b[44:])
		return s
	}
	s.Flags = elf.SectionFlag(o.Uint32(b[8:]))
	s.Off, s.Size, s.Align = uint64(o.Uint32(b[16:])), uint64(o.Uint32(b[20:])), uint64(o.Uint32(b[32:]))
	s.link, s.info = o.Uint32(b[24:]), o.Uint32(b[28:])
	return s
}

// Inside reports whether the section's contents lie within the file.
func (f *File) Inside(s Section) bool {
	return s.Type == elf.SHT_NOBITS || s.Off <= f.Size && s.Size <= f.Size-s.Off
}

// Sections calls fn with each section but number 0, in order, until it returns
// an error.
func (f *File) Sections(fn func(Section) error) error {
	if f.shnum == 0 {
		return nil
	}
	if f.shstr >= f.shnum {
		return bad("the section of names is number %d of %d", f.shstr, f.shnum)
	}
	b, err := f.At(f.shoff+f.shstr*f.shsize, f.shsize, "the header of the section of names")
	if err != nil {
		return err
	}
	f.names = f.section(b)
	return f.each(f.shoff, f.shnum, f.shsize, "section headers", func(b []byte) error {
		if s := f.section(b); s.Type != elf.SHT_NULL {
			return fn(s)
		}
		return nil
	})
}

// Name is the first 32 bytes of a section's name, which tell all sections of
// DWARF from each other. It may be called during Sections and after it.
func (f *File) Name(s Section) (string, error) {
	at := uint64(s.name)
	if at >= f.names.Size {
		return "", bad("a section's name lies at %d, beyond the %d bytes of names", at, f.names.Size)
	}
	if f.names.Type == elf.SHT_NOBITS || !f.Inside(f.names) {
		return "", bad("the names of sections lie beyond the end of the file")
	}
	b, err := f.At(f.names.Off+at, min(32, f.names.Size-at), "a section's name")
	if err != nil {
		return "", err
	}
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b), nil
}
