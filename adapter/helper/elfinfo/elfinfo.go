package elfinfo

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
)

// ErrNotELF is wrapped by every error that says the file itself is at fault:
// no ELF, a truncated one, or one whose headers contradict each other. Errors
// of opening or reading the file are not wrapped in it.
var ErrNotELF = errors.New("not a usable ELF file")

// Info describes an ELF file.
type Info struct {
	Size    int64  // bytes
	BuildID string // lower-case hex; empty when the file has none
	Machine string // GOARCH name; for others the ELF name, e.g. "EM_SPARC"
	Symbols bool   // has .symtab
	DWARF   bool   // has .debug_info or .debug_line, also compressed
}

const (
	// maxHeaders bounds the work on a file that claims to have more program
	// or section headers than any linker writes.
	maxHeaders = 1 << 20
	// maxNotes bounds the bytes of one note segment that are looked at. A
	// build-id note is 36 bytes and stands early among few others.
	maxNotes = 64 << 10
	// maxBuildID is far beyond the 20 bytes of SHA-1 and what --build-id=0x… sees
	// in practice.
	maxBuildID = 256
)

// Read describes the ELF at path, following symbolic links.
func Read(path string) (Info, error) {
	f, err := os.Open(path)
	if err != nil {
		return Info{}, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return Info{}, err
	}
	if !st.Mode().IsRegular() {
		return Info{}, fmt.Errorf("%w: %s is not a regular file", ErrNotELF, path)
	}
	info, err := read(f, st.Size())
	if err != nil {
		return Info{}, fmt.Errorf("%s: %w", path, err)
	}
	return info, nil
}

// file is an ELF whose header has been decoded.
type file struct {
	r    io.ReaderAt
	size uint64
	bo   binary.ByteOrder
	is64 bool

	phoff, shoff         uint64
	phnum, phsize        uint64
	shnum, shsize, shstr uint64
}

// span is a range of the file; align is that of a note segment.
type span struct{ off, size, align uint64 }

func bad(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrNotELF, fmt.Sprintf(format, args...))
}

func read(r io.ReaderAt, size int64) (Info, error) {
	info := Info{Size: size}
	f := &file{r: r, size: uint64(size)}
	machine, err := f.header()
	if err != nil {
		return Info{}, err
	}
	info.Machine = machineName(machine)
	if err := f.segments(&info); err != nil {
		return Info{}, err
	}
	if err := f.sections(&info); err != nil {
		return Info{}, err
	}
	return info, nil
}

// at reads n bytes at off; a range outside the file is the file's fault.
func (f *file) at(off, n uint64, what string) ([]byte, error) {
	if off > f.size || n > f.size-off {
		return nil, bad("%s lies beyond the end of the file (offset %d, %d bytes, file %d bytes)", what, off, n, f.size)
	}
	b := make([]byte, n)
	if _, err := f.r.ReadAt(b, int64(off)); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, bad("%s: the file ended early", what)
		}
		return nil, err
	}
	return b, nil
}

func (f *file) header() (elf.Machine, error) {
	id, err := f.at(0, elf.EI_NIDENT, "the ELF identification")
	if err != nil {
		return 0, err
	}
	if string(id[:4]) != elf.ELFMAG {
		return 0, bad("it does not begin with \\x7fELF")
	}
	switch elf.Data(id[elf.EI_DATA]) {
	case elf.ELFDATA2LSB:
		f.bo = binary.LittleEndian
	case elf.ELFDATA2MSB:
		f.bo = binary.BigEndian
	default:
		return 0, bad("unknown byte order %d", id[elf.EI_DATA])
	}
	var machine uint16
	switch elf.Class(id[elf.EI_CLASS]) {
	case elf.ELFCLASS64:
		f.is64 = true
		b, err := f.at(0, 64, "the ELF header")
		if err != nil {
			return 0, err
		}
		machine = f.bo.Uint16(b[18:])
		f.phoff, f.shoff = f.bo.Uint64(b[32:]), f.bo.Uint64(b[40:])
		f.tables(b[54:])
	case elf.ELFCLASS32:
		b, err := f.at(0, 52, "the ELF header")
		if err != nil {
			return 0, err
		}
		machine = f.bo.Uint16(b[18:])
		f.phoff, f.shoff = uint64(f.bo.Uint32(b[28:])), uint64(f.bo.Uint32(b[32:]))
		f.tables(b[42:])
	default:
		return 0, bad("unknown class %d", id[elf.EI_CLASS])
	}
	return elf.Machine(machine), f.extended()
}

// tables decodes the five 16-bit fields that end both kinds of ELF header.
func (f *file) tables(b []byte) {
	u := func(i int) uint64 { return uint64(f.bo.Uint16(b[2*i:])) }
	f.phsize, f.phnum, f.shsize, f.shnum, f.shstr = u(0), u(1), u(2), u(3), u(4)
}

// extended replaces counts that do not fit 16 bits by those in section 0, and
// checks the tables against the file.
func (f *file) extended() error {
	wantPH, wantSH := uint64(32), uint64(40)
	if f.is64 {
		wantPH, wantSH = 56, 64
	}
	if f.shoff != 0 {
		if f.shsize != wantSH {
			return bad("section headers of %d bytes instead of %d", f.shsize, wantSH)
		}
		const xnum, xindex = 0xffff, 0xffff
		if f.shnum == 0 || f.phnum == xnum || f.shstr == xindex {
			b, err := f.at(f.shoff, f.shsize, "section header 0")
			if err != nil {
				return err
			}
			s := f.section(b)
			if f.shnum == 0 {
				f.shnum = s.size
			}
			if f.shstr == xindex {
				f.shstr = uint64(s.link)
			}
			if f.phnum == xnum {
				f.phnum = uint64(s.info)
			}
		}
	} else {
		f.shnum = 0
	}
	if f.phoff == 0 {
		f.phnum = 0
	}
	if f.phnum > 0 && f.phsize != wantPH {
		return bad("program headers of %d bytes instead of %d", f.phsize, wantPH)
	}
	if f.phnum > maxHeaders || f.shnum > maxHeaders {
		return bad("it claims %d program and %d section headers", f.phnum, f.shnum)
	}
	return nil
}

// each calls fn with every entry of a header table, reading it in pieces.
func (f *file) each(off, num, size uint64, what string, fn func(b []byte) error) error {
	if num == 0 {
		return nil
	}
	if off > f.size || num*size > f.size-off {
		return bad("the %s lie beyond the end of the file (offset %d, %d × %d bytes, file %d bytes)", what, off, num, size, f.size)
	}
	const batch = 256
	for i := uint64(0); i < num; i += batch {
		n := min(batch, num-i)
		b, err := f.at(off+i*size, n*size, what)
		if err != nil {
			return err
		}
		for ; len(b) > 0; b = b[size:] {
			if err := fn(b[:size]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *file) segments(info *Info) error {
	return f.each(f.phoff, f.phnum, f.phsize, "program headers", func(b []byte) error {
		if info.BuildID != "" || elf.ProgType(f.bo.Uint32(b)) != elf.PT_NOTE {
			return nil
		}
		s := span{uint64(f.bo.Uint32(b[4:])), uint64(f.bo.Uint32(b[16:])), uint64(f.bo.Uint32(b[28:]))}
		if f.is64 {
			s = span{f.bo.Uint64(b[8:]), f.bo.Uint64(b[32:]), f.bo.Uint64(b[48:])}
		}
		// objcopy --only-keep-debug leaves program headers whose contents are
		// elsewhere: not this file's build-id, so no error either.
		if s.off > f.size || s.size > f.size-s.off {
			return nil
		}
		return f.notes(s, info)
	})
}

type sectionHeader struct {
	name, kind, link, info uint32
	off, size, align       uint64
}

func (f *file) section(b []byte) sectionHeader {
	s := sectionHeader{name: f.bo.Uint32(b), kind: f.bo.Uint32(b[4:])}
	if f.is64 {
		s.off, s.size, s.align = f.bo.Uint64(b[24:]), f.bo.Uint64(b[32:]), f.bo.Uint64(b[48:])
		s.link, s.info = f.bo.Uint32(b[40:]), f.bo.Uint32(b[44:])
		return s
	}
	s.off, s.size, s.align = uint64(f.bo.Uint32(b[16:])), uint64(f.bo.Uint32(b[20:])), uint64(f.bo.Uint32(b[32:]))
	s.link, s.info = f.bo.Uint32(b[24:]), f.bo.Uint32(b[28:])
	return s
}

func (f *file) sections(info *Info) error {
	if f.shnum == 0 {
		return nil
	}
	if f.shstr >= f.shnum {
		return bad("the section of names is number %d of %d", f.shstr, f.shnum)
	}
	b, err := f.at(f.shoff+f.shstr*f.shsize, f.shsize, "the header of the section of names")
	if err != nil {
		return err
	}
	names := f.section(b)
	return f.each(f.shoff, f.shnum, f.shsize, "section headers", func(b []byte) error {
		s := f.section(b)
		switch elf.SectionType(s.kind) {
		case elf.SHT_NULL, elf.SHT_NOBITS:
			return nil // no contents in this file
		case elf.SHT_SYMTAB:
			info.Symbols = true
			return nil
		case elf.SHT_NOTE:
			if info.BuildID == "" && s.off <= f.size && s.size <= f.size-s.off {
				return f.notes(span{s.off, s.size, s.align}, info)
			}
			return nil
		}
		if info.DWARF {
			return nil
		}
		name, err := f.name(names, s.name)
		if err != nil {
			return err
		}
		switch name {
		case ".debug_info", ".debug_line", ".zdebug_info", ".zdebug_line":
			info.DWARF = true
		}
		return nil
	})
}

// name reads at most the 16 bytes that tell the wanted names from others.
func (f *file) name(names sectionHeader, at uint32) (string, error) {
	if uint64(at) >= names.size {
		return "", bad("a section's name lies at %d, beyond the %d bytes of names", at, names.size)
	}
	if names.off > f.size || names.size > f.size-names.off {
		return "", bad("the names of sections lie beyond the end of the file")
	}
	b, err := f.at(names.off+uint64(at), min(16, names.size-uint64(at)), "a section's name")
	if err != nil {
		return "", err
	}
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b), nil
}

// notes looks for NT_GNU_BUILD_ID. Notes it cannot follow end the search
// without an error: other tools write notes of their own.
func (f *file) notes(s span, info *Info) error {
	b, err := f.at(s.off, min(s.size, maxNotes), "a note")
	if err != nil {
		return err
	}
	align := uint64(4)
	if s.align == 8 {
		align = 8 // .note.gnu.property
	}
	pad := func(n uint64) uint64 { return (n + align - 1) &^ (align - 1) }
	const ntGNUBuildID = 3
	for len(b) >= 12 {
		namesz, descsz, kind := uint64(f.bo.Uint32(b)), uint64(f.bo.Uint32(b[4:])), f.bo.Uint32(b[8:])
		desc := pad(12 + namesz)
		end := desc + descsz
		if end > uint64(len(b)) {
			return nil
		}
		if kind == ntGNUBuildID && string(b[12:12+namesz]) == "GNU\x00" && descsz > 0 && descsz <= maxBuildID {
			info.BuildID = hex.EncodeToString(b[desc:end])
			return nil
		}
		b = b[min(pad(end), uint64(len(b))):]
	}
	return nil
}

func machineName(m elf.Machine) string {
	switch m {
	case elf.EM_X86_64:
		return "amd64"
	case elf.EM_AARCH64:
		return "arm64"
	case elf.EM_386:
		return "386"
	case elf.EM_ARM:
		return "arm"
	case elf.EM_RISCV:
		return "riscv64"
	case elf.EM_S390:
		return "s390x"
	case elf.EM_PPC64:
		return "ppc64"
	}
	return m.String()
}
