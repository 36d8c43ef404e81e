package elffile

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/envoydbg/envoydbg/internal/regular"
)

// ErrNotELF is wrapped by every error that says the file itself is at fault:
// no ELF, a truncated one, or one whose headers contradict each other. Errors
// of reading the file are not wrapped in it.
var ErrNotELF = errors.New("not a usable ELF file")

// maxHeaders bounds the work on a file that claims to have more program or
// section headers than any linker writes.
const maxHeaders = 1 << 20

// File is an ELF whose header has been decoded.
type File struct {
	Size    uint64 // bytes
	Class   elf.Class
	Type    elf.Type
	Machine elf.Machine
	Order   binary.ByteOrder

	file                 *os.File // of Open
	r                    io.ReaderAt
	phoff, shoff         uint64
	phnum, phsize        uint64
	shnum, shsize, shstr uint64
	names                Section // of sections
}

func bad(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrNotELF, fmt.Sprintf(format, args...))
}

// Open opens the ELF at path, following symbolic links, to be closed by the
// caller. What is no regular file is no ELF, and is not opened.
func Open(path string) (*File, error) {
	file, err := regular.Open(path)
	if errors.Is(err, regular.ErrNot) {
		return nil, bad("%s is not a regular file", path)
	}
	if err != nil {
		return nil, err
	}
	st, err := file.Stat()
	var f *File
	if err == nil {
		f, err = New(file, st.Size())
	}
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f.file = file
	return f, nil
}

// Close closes a file of Open.
func (f *File) Close() error { return f.file.Close() }

// New decodes the header of the ELF of size bytes in r.
func New(r io.ReaderAt, size int64) (*File, error) {
	f := &File{r: r, Size: uint64(size)}
	if err := f.header(); err != nil {
		return nil, err
	}
	return f, nil
}

// Is64 tells the class.
func (f *File) Is64() bool { return f.Class == elf.ELFCLASS64 }

// At reads n bytes at off; a range outside the file is the file's fault. what
// names the range in errors.
func (f *File) At(off, n uint64, what string) ([]byte, error) {
	if off > f.Size || n > f.Size-off {
		return nil, bad("%s lies beyond the end of the file (offset %d, %d bytes, file %d bytes)", what, off, n, f.Size)
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

func (f *File) header() error {
	id, err := f.At(0, elf.EI_NIDENT, "the ELF identification")
	if err != nil {
		return err
	}
	if string(id[:4]) != elf.ELFMAG {
		return bad("it does not begin with \\x7fELF")
	}
	switch elf.Data(id[elf.EI_DATA]) {
	case elf.ELFDATA2LSB:
		f.Order = binary.LittleEndian
	case elf.ELFDATA2MSB:
		f.Order = binary.BigEndian
	default:
		return bad("unknown byte order %d", id[elf.EI_DATA])
	}
	f.Class = elf.Class(id[elf.EI_CLASS])
	size := uint64(64)
	switch f.Class {
	case elf.ELFCLASS64:
	case elf.ELFCLASS32:
		size = 52
	default:
		return bad("unknown class %d", id[elf.EI_CLASS])
	}
	b, err := f.At(0, size, "the ELF header")
	if err != nil {
		return err
	}
	f.Type, f.Machine = elf.Type(f.Order.Uint16(b[16:])), elf.Machine(f.Order.Uint16(b[18:]))
	if f.Is64() {
		f.phoff, f.shoff = f.Order.Uint64(b[32:]), f.Order.Uint64(b[40:])
		f.tables(b[54:])
	} else {
		f.phoff, f.shoff = uint64(f.Order.Uint32(b[28:])), uint64(f.Order.Uint32(b[32:]))
		f.tables(b[42:])
	}
	return f.extended()
}

// tables decodes the five 16-bit fields that end both kinds of ELF header.
func (f *File) tables(b []byte) {
	u := func(i int) uint64 { return uint64(f.Order.Uint16(b[2*i:])) }
	f.phsize, f.phnum, f.shsize, f.shnum, f.shstr = u(0), u(1), u(2), u(3), u(4)
}

// extended replaces counts that do not fit 16 bits by those in section 0, and
// checks the tables against the file.
func (f *File) extended() error {
	wantPH, wantSH := uint64(32), uint64(40)
	if f.Is64() {
		wantPH, wantSH = 56, 64
	}
	if f.shoff != 0 {
		if f.shsize != wantSH {
			return bad("section headers of %d bytes instead of %d", f.shsize, wantSH)
		}
		const xnum, xindex = 0xffff, 0xffff
		if f.shnum == 0 || f.phnum == xnum || f.shstr == xindex {
			b, err := f.At(f.shoff, f.shsize, "section header 0")
			if err != nil {
				return err
			}
			s := f.section(b)
			if f.shnum == 0 {
				f.shnum = s.Size
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
func (f *File) each(off, num, size uint64, what string, fn func(b []byte) error) error {
	if num == 0 {
		return nil
	}
	if off > f.Size || num*size > f.Size-off {
		return bad("the %s lie beyond the end of the file (offset %d, %d × %d bytes, file %d bytes)", what, off, num, size, f.Size)
	}
	const batch = 256
	for i := uint64(0); i < num; i += batch {
		n := min(batch, num-i)
		b, err := f.At(off+i*size, n*size, what)
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
