package linetable

import (
	"bufio"
	"compress/zlib"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/envoydbg/envoydbg/internal/elffile"
)

const (
	// maxAt bounds one contiguous read: the header of a line table with some
	// 300,000 files.
	maxAt = 4 << 20
	// maxRestarts bounds how often an inflater begins anew because something
	// earlier is wanted: files of linkers need none.
	maxRestarts = 16
	// maxRatio bounds what a compressed section may grow to: deflate cannot do
	// more, and zstd does only for what is no DWARF.
	maxRatio = 1100
	// maxZstdWindow is that of zstd's highest regular level; assemblers and
	// linkers use the lower ones.
	maxZstdWindow = 128 << 20
)

// section gives the uncompressed contents of a section, of which it keeps one
// window. Reads go forwards for the most part.
type section struct {
	name string
	size uint64 // uncompressed
	// fill reads exactly len(b) bytes at off.
	fill  func(off uint64, b []byte) error
	close func()

	step  uint64 // bytes to read at least
	win   []byte // contents from offset start
	start uint64
}

func (s *section) corrupt(off uint64, format string, args ...any) error {
	return &CorruptError{s.name, off, fmt.Sprintf(format, args...)}
}

// at returns the n bytes at off, and what more the window has. They are valid
// until the next call.
func (s *section) at(off, n uint64) ([]byte, error) {
	if off > s.size || n > s.size-off {
		return nil, s.corrupt(off, "%d bytes are wanted, %d are left", n, s.size-min(off, s.size))
	}
	if n > maxAt {
		return nil, s.corrupt(off, "%d bytes in one piece, more than %d", n, maxAt)
	}
	if off >= s.start && off+n <= s.start+uint64(len(s.win)) {
		return s.win[off-s.start:], nil
	}
	keep := 0
	if off >= s.start && off < s.start+uint64(len(s.win)) {
		keep = copy(s.win, s.win[off-s.start:])
	}
	want := int(min(max(n, s.step), s.size-off))
	// Not at once what the section claims to have: it grows with what is there.
	const piece = 64 << 10
	s.win, s.start = s.win[:keep], off
	for len(s.win) < want {
		have := len(s.win)
		more := min(want-have, piece)
		s.win = slices.Grow(s.win, more)[:have+more]
		if err := s.fill(off+uint64(have), s.win[have:]); err != nil {
			s.win = s.win[:0]
			return nil, err
		}
	}
	return s.win, nil
}

// image is an open ELF.
type image struct {
	path     string
	buildID  string
	file     *elffile.File
	r        io.ReaderAt
	close    func()
	sections map[string]elffile.Section // those of DWARF, by today's name
	old      map[string]bool            // which of them are .zdebug_*
}

// has tells whether there is such a section with contents.
func (img *image) has(name string) bool {
	_, ok := img.sections[name]
	return ok
}

func (img *image) compressed(name string) bool {
	return img.old[name] || img.sections[name].Flags&elf.SHF_COMPRESSED != 0
}

// index notes the sections that are of use here.
func (img *image) index() error {
	img.sections, img.old = map[string]elffile.Section{}, map[string]bool{}
	return img.file.Sections(func(s elffile.Section) error {
		if s.Type == elf.SHT_NOBITS {
			return nil // objcopy --only-keep-debug and its opposite
		}
		name, err := img.file.Name(s)
		if err != nil {
			return err
		}
		if rest, ok := strings.CutPrefix(name, ".zdebug_"); ok {
			name = ".debug_" + rest
			img.old[name] = true
		}
		switch strings.TrimSuffix(name, ".dwo") {
		case ".debug_line", ".debug_line_str", ".debug_str", ".debug_info", ".debug_abbrev", ".gnu_debuglink":
			if !img.file.Inside(s) {
				return fmt.Errorf("%w: %s (offset %d, %d bytes) lies beyond the end of the file (%d bytes)",
					elffile.ErrNotELF, name, s.Off, s.Size, img.file.Size)
			}
			img.sections[name] = s
		case ".rela.debug_line":
			// A program linked with --emit-relocs keeps it, and is relocated.
			if img.file.Type == elf.ET_REL {
				return fmt.Errorf("%w: a relocatable object; link it first", errors.ErrUnsupported)
			}
		}
		return nil
	})
}

// open prepares a section for reading in steps of so many bytes. A section that
// is not there is an empty one.
func (img *image) open(name string, step uint64) (*section, error) {
	h := img.sections[name]
	s := &section{name: name, size: h.Size, step: step, close: func() {}}
	body := io.NewSectionReader(img.r, int64(h.Off), int64(h.Size))
	var err error
	switch {
	case img.old[name]:
		err = s.openOld(body)
	case img.compressed(name):
		err = s.openCompressed(body)
	default:
		s.fill = func(off uint64, b []byte) error {
			if _, err := body.ReadAt(b, int64(off)); err != nil {
				return s.reading(off, err)
			}
			return nil
		}
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// openOld opens a .zdebug section: "ZLIB", then the size in big-endian, whatever
// the file's byte order.
func (s *section) openOld(body *io.SectionReader) error {
	var head [12]byte
	if err := s.head(body, head[:]); err != nil {
		return err
	}
	if string(head[:4]) != "ZLIB" {
		return s.corrupt(0, "a .zdebug section that does not begin with ZLIB")
	}
	s.size = binary.BigEndian.Uint64(head[4:])
	return s.inflate(body, len(head), openZlib)
}

// openCompressed opens a section with SHF_COMPRESSED.
func (s *section) openCompressed(body *io.SectionReader) error {
	var head [24]byte // Elf64_Chdr: type, reserved, size, alignment
	if err := s.head(body, head[:]); err != nil {
		return err
	}
	s.size = binary.LittleEndian.Uint64(head[8:])
	switch kind := elf.CompressionType(binary.LittleEndian.Uint32(head[:])); kind {
	case elf.COMPRESS_ZLIB:
		return s.inflate(body, len(head), openZlib)
	case elf.COMPRESS_ZSTD:
		return s.inflate(body, len(head), openZstd)
	default:
		return s.corrupt(0, "unknown compression %d", kind)
	}
}

func (s *section) head(body *io.SectionReader, b []byte) error {
	if _, err := io.ReadFull(io.NewSectionReader(body, 0, body.Size()), b); err != nil {
		return s.reading(0, err)
	}
	return nil
}

// reading tells an end that comes too early from a failing disk.
func (s *section) reading(off uint64, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return s.corrupt(off, "it ends early")
	}
	return fmt.Errorf("reading %s at offset %#x: %w", s.name, off, err)
}

type inflater func(io.Reader) (io.Reader, func(), error)

func openZlib(r io.Reader) (io.Reader, func(), error) {
	z, err := zlib.NewReader(r)
	return z, func() {}, err
}

func openZstd(r io.Reader) (io.Reader, func(), error) {
	// Concurrency 1 is the caller's goroutine alone.
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(maxZstdWindow))
	if err != nil {
		return nil, nil, err
	}
	return z, z.Close, nil
}

// inflate makes fill stream what follows the first skip bytes of body.
func (s *section) inflate(body *io.SectionReader, skip int, open inflater) error {
	if stored := uint64(body.Size()); s.size > 1<<20 && s.size/maxRatio > stored {
		return s.corrupt(0, "it claims to be %d bytes, out of %d", s.size, stored)
	}
	var from io.Reader
	var next uint64 // offset of from's next byte
	starts := 0
	s.fill = func(off uint64, b []byte) error {
		if from == nil || off < next {
			if starts++; starts > maxRestarts {
				return s.corrupt(off, "compressed, and wanted in too wild an order")
			}
			s.close()
			s.close = func() {}
			r, end, err := open(bufio.NewReaderSize(io.NewSectionReader(body, int64(skip), body.Size()-int64(skip)), 64<<10))
			if err != nil {
				return s.unpacking(0, err)
			}
			from, next, s.close = r, 0, end
		}
		n, err := io.CopyN(io.Discard, from, int64(off-next))
		next += uint64(n)
		if err != nil {
			return s.unpacking(next, err)
		}
		m, err := io.ReadFull(from, b)
		next += uint64(m)
		if err != nil {
			return s.unpacking(next, err)
		}
		return nil
	}
	return nil
}

// unpacking puts the section's name and offset to an inflater's error. What it
// says is always about the data, or wraps the error of a failing disk.
func (s *section) unpacking(off uint64, err error) error {
	return s.corrupt(off, "cannot be decompressed: %v", err)
}
