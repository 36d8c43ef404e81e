package linetable

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"path"
	"runtime"
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/internal/elffile"
)

// readMemory reads what is in b alone, without debug files beside it.
func readMemory(b []byte) ([]File, []error) {
	img, err := parseImage("program", bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, []error{err}
	}
	r := newReader(context.Background())
	if _, _, err := img.debugLink(); err != nil {
		r.fail(err)
	}
	r.read(img, "")
	r.read(img, ".dwo")
	return r.files.table(), r.errs
}

// check holds what was read against what holds for all input.
func check(t *testing.T, b []byte) []File {
	t.Helper()
	found, errs := readMemory(b)
	for _, err := range errs {
		var corrupt *CorruptError
		if !errors.As(err, &corrupt) && !errors.Is(err, elffile.ErrNotELF) && !errors.Is(err, errors.ErrUnsupported) {
			t.Fatalf("an error that names no place: %v", err)
		}
	}
	for i, f := range found {
		// The first of two leading slashes is no part of what path.Clean knows.
		if p := f.Path; path.Clean(p) != p && path.Clean(p[1:]) != p[1:] {
			t.Fatalf("not normalised: %q", f.Path)
		}
		if i > 0 && found[i-1].Path == f.Path && found[i-1].MD5 == f.MD5 && found[i-1].HasMD5 == f.HasMD5 {
			t.Fatalf("twice: %q", f.Path)
		}
	}
	// The line programs of all files, too.
	r := newReader(context.Background())
	r.code = &codeLines{lines: map[int]bool{}}
	for _, f := range found {
		r.code.sources = append(r.code.sources, f.Path)
	}
	if img, err := parseImage("program", bytes.NewReader(b), int64(len(b))); err == nil {
		r.read(img, "")
	}
	for _, err := range r.errs {
		var corrupt *CorruptError
		if !errors.As(err, &corrupt) && !errors.Is(err, elffile.ErrNotELF) && !errors.Is(err, errors.ErrUnsupported) {
			t.Fatalf("an error that names no place: %v", err)
		}
	}
	return found
}

// FuzzRead proves that no file makes the reader panic or go on for ever, and
// that it always says where a file is wrong.
func FuzzRead(f *testing.F) {
	for _, program := range [][]byte{oldProgram(), newProgram(), bytes.ReplaceAll(newProgram(), []byte(".debug_line"), []byte(".debug_lin2"))} {
		f.Add(program)
	}
	f.Add(makeELF(part{name: ".debug_line.dwo", data: lineOf(4, false, oldLists([]string{"a"}, oldFile("b", 1)))}))
	f.Add(makeELF(part{name: ".gnu_debuglink", data: raw("program.debug", u16(0), u32(1))}))
	f.Add(makeELF(part{name: ".zdebug_line", data: raw([]byte("ZLIB"), uint64(1<<56))}))
	f.Fuzz(func(t *testing.T, b []byte) { check(t, b) })
}

// The section headers are at the end, so a cut ELF has no files.
func TestCutAnywhere(t *testing.T) {
	for _, program := range [][]byte{oldProgram(), newProgram()} {
		for n := range program {
			if found := check(t, program[:n]); len(found) > 0 {
				t.Errorf("%d bytes: %v", n, found)
			}
		}
	}
}

// Any byte may be any other.
func TestFlippedBytes(t *testing.T) {
	for _, program := range [][]byte{oldProgram(), newProgram()} {
		for i, was := range program {
			for _, now := range []byte{0, 1, was ^ 1, was ^ 0x80, 0x7f, 0xff} {
				program[i] = now
				check(t, program)
			}
			program[i] = was
		}
	}
}

// A section cut at any place, in an ELF that is otherwise right: no file that
// is not in the whole, unless what tells its directory is cut.
func TestCutSections(t *testing.T) {
	for _, program := range [][]byte{oldProgram(), newProgram()} {
		for _, name := range []string{".debug_line", ".debug_line_str", ".debug_info", ".debug_abbrev", ".debug_str"} {
			for n := 0; n >= 0; n++ {
				whole := true
				cut := repack(t, program, func(p part) part {
					if p.name == name && n < len(p.data) {
						p.data, whole = p.data[:n], false
					}
					return p
				})
				if whole {
					break
				}
				for _, f := range check(t, cut) {
					if whole := wantOld + wantNew; strings.HasPrefix(name, ".debug_line") && !strings.Contains(whole, brief([]File{f})) {
						t.Errorf("%s of %d bytes: a new file: %s", name, n, f.Path)
					}
				}
			}
		}
	}
}

// Numbers that claim far more than the file has, at every place: memory stays
// in proportion to the file.
func TestHugeNumbersCostNoMemory(t *testing.T) {
	const most = 4 << 20 // bytes, in all
	for _, program := range [][]byte{oldProgram(), newProgram()} {
		for i := 0; i+8 <= len(program); i++ {
			was := binary.LittleEndian.Uint64(program[i:])
			for _, huge := range []uint64{1<<63 - 1, 1 << 40, 0xffffffff, 1 << 31, 1 << 24} {
				binary.LittleEndian.PutUint64(program[i:], huge)
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				readMemory(program)
				runtime.ReadMemStats(&after)
				if n := after.TotalAlloc - before.TotalAlloc; n > most {
					t.Errorf("%#x at %#x: %d bytes allocated", huge, i, n)
				}
			}
			binary.LittleEndian.PutUint64(program[i:], was)
		}
	}
}
