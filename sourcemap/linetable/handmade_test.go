package linetable

import (
	"bytes"
	"compress/zlib"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// readBytes writes the ELF to a file and reads it.
func readBytes(t *testing.T, b []byte) (*Table, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return Read(t.Context(), path)
}

// brief lists files as path, comp_dir and the MD5's first byte.
func brief(files []File) string {
	var b strings.Builder
	for _, f := range files {
		fmt.Fprintf(&b, "%s < %s", f.Path, f.CompDir)
		if f.HasMD5 {
			fmt.Fprintf(&b, " %d", f.MD5[0])
		}
		b.WriteString("\n")
	}
	return b.String()
}

const (
	wantOld = `/usr/include/stdio.h < /yard/one
/yard/b.h < /yard/one
/yard/one/src/a.cc < /yard/one
/yard/three/src/a.cc < /yard/three
/yard/two/src/a.cc < /yard/two
`
	wantNew = `/abs/c.cc < /proc/self/cwd/../other 4
/proc/self/cwd/src/a.cc < /proc/self/cwd 1
/proc/self/other/src/b.cc < /proc/self/cwd/../other 3
/usr/include/stdio.h < /proc/self/cwd 2
/usr/include/stdio.h < /proc/self/cwd/../other 9
`
)

// Type units, skeletons, a wild order, both formats: each table gets the
// directory of its own unit.
func TestOldTablesGetTheirUnitsDirectory(t *testing.T) {
	got, err := readBytes(t, oldProgram())
	if err != nil {
		t.Fatal(err)
	}
	if brief(got.Files) != wantOld {
		t.Errorf("got\n%swant\n%s", brief(got.Files), wantOld)
	}
	if s := got.Sources; s.Units != 3 || !reflect.DeepEqual(s.Versions, []int{2, 3, 4}) || s.Compressed {
		t.Errorf("sources %+v", s)
	}
}

func TestNewTablesNeedNothingElse(t *testing.T) {
	got, err := readBytes(t, newProgram())
	if err != nil {
		t.Fatal(err)
	}
	if brief(got.Files) != wantNew {
		t.Errorf("got\n%swant\n%s", brief(got.Files), wantNew)
	}
	if s := got.Sources; s.Units != 2 || !reflect.DeepEqual(s.Versions, []int{5}) || got.BuildID != "deadbeef" {
		t.Errorf("sources %+v, build-id %q", s, got.BuildID)
	}
}

// Each way of compression gives what the uncompressed file gives.
func TestCompressedSections(t *testing.T) {
	deflate := func(b []byte) []byte {
		var out bytes.Buffer
		w := zlib.NewWriter(&out)
		_, _ = w.Write(b)
		_ = w.Close()
		return out.Bytes()
	}
	ways := map[string]func(part) part{
		"zlib": func(p part) part {
			p.data = raw(u32(elf.COMPRESS_ZLIB), u32(0), u64(len(p.data)), u64(1), deflate(p.data))
			p.flags = elf.SHF_COMPRESSED
			return p
		},
		"zstd": func(p part) part {
			w, _ := zstd.NewWriter(nil)
			p.data = raw(u32(elf.COMPRESS_ZSTD), u32(0), u64(len(p.data)), u64(1), w.EncodeAll(p.data, nil))
			p.flags = elf.SHF_COMPRESSED
			return p
		},
		".zdebug": func(p part) part {
			p.data = raw([]byte("ZLIB"), binary.BigEndian.AppendUint64(nil, u64(len(p.data))), deflate(p.data))
			p.name = ".z" + p.name[1:]
			return p
		},
	}
	for name, way := range ways {
		for want, program := range map[string][]byte{wantOld: oldProgram(), wantNew: newProgram()} {
			got, err := readBytes(t, repack(t, program, way))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if brief(got.Files) != want || !got.Sources.Compressed {
				t.Errorf("%s: got\n%swant\n%s", name, brief(got.Files), want)
			}
		}
	}
}

// repack makes the ELF anew with its sections of DWARF changed.
func repack(t *testing.T, program []byte, change func(part) part) []byte {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(program))
	if err != nil {
		t.Fatal(err)
	}
	var parts []part
	for _, s := range f.Sections {
		if strings.HasPrefix(s.Name, ".debug_") {
			data, err := s.Data()
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, change(part{name: s.Name, data: data}))
		}
	}
	return makeELF(parts...)
}

// A bad unit between two good ones is left out and named.
func TestOneBadUnitDoesNotSpoilTheOthers(t *testing.T) {
	good := func(name string) []byte { return lineOf(3, false, oldLists(nil, oldFile(name, 0))) }
	first := good("/first.cc")
	for _, c := range []struct {
		name string
		bad  []byte
		want string // error
		at   int    // offset of the error in the bad unit
	}{
		{"unknown version", unitOf(false, u16(6), u64(0)), "a line table of version 6", 4},
		{"header beyond its unit", unitOf(false, u16(4), u32(100), u64(0)), "a header of 100 bytes in a unit with 8 left", 10},
		{"no room for a version", unitOf(false, u8(4)), "a value goes on beyond its end, 1 bytes further", 4},
		{"directory out of range", lineOf(4, false, oldLists(nil, oldFile("x", 1))), "a file in directory 1 of 1", -1},
		{"name without end", lineOf(3, false, []byte("x")), "a value goes on beyond its end", -1},
		{"many entries of nothing", lineOf(5, false, u8(0), []byte{0xff, 0xff, 0xff, 0x7f}), "268435455 entries in 0 bytes", -1},
		{"entries without a path", lineOf(5, false, u8(1), u8(3), u8(formFlagPresent), u8(1), u64(0)), "1 entries without a path", -1},
		{"unknown form", lineOf(5, false, u8(1), u8(3), u8(0x7e), u8(1), u64(0)), "1 entries without a path", -1},
		{"unknown form of a path", lineOf(5, false, u8(1), u8(1), u8(0x7e), u8(1), u64(0)), "form 0x7e for a string", -1},
		{"string beyond its section", lineOf(5, false, newLists(false, []int{9})), "a string at offset 0x9 of .debug_line_str, which has 0 bytes", -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			last := good("/last.cc")
			got, err := readBytes(t, makeELF(part{name: ".debug_line", data: raw(first, c.bad, last)}))
			var corrupt *CorruptError
			if !errors.As(err, &corrupt) || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want %q", err, c.want)
			}
			if corrupt.Section != ".debug_line" || int(corrupt.Offset) < len(first) || int(corrupt.Offset) > len(first)+len(c.bad) {
				t.Errorf("%s, %#x: not in the bad unit at %#x", corrupt.Section, corrupt.Offset, len(first))
			}
			if c.at >= 0 && int(corrupt.Offset) != len(first)+c.at {
				t.Errorf("offset %#x, want %#x", corrupt.Offset, len(first)+c.at)
			}
			if want := "/first.cc < \n/last.cc < \n"; brief(got.Files) != want {
				t.Errorf("got\n%swant\n%s", brief(got.Files), want)
			}
		})
	}
}

// What is wrong with .debug_info costs the directory, not the files.
func TestBadUnitsOfDebugInfo(t *testing.T) {
	line := lineOf(4, false, oldLists(nil, oldFile("a.cc", 0)))
	abbrevs := abbrevsOf(tagCompileUnit)
	for _, c := range []struct {
		name, section, want string
		info, abbrev        []byte
	}{
		{"longer than the section", ".debug_info", "a unit of 200 bytes where 2 are left", raw(u32(200), u16(4)), abbrevs},
		{"unknown version", ".debug_info", "a unit of version 7", unitOf(false, u16(7), u64(0)), abbrevs},
		{"abbreviations elsewhere", ".debug_abbrev", "a unit's abbreviations, beyond", unitOf(false, u16(4), u32(999), u8(8), u8(7)), abbrevs},
		{"no such abbreviation", ".debug_abbrev", "no abbreviation 9", unitOf(false, u16(4), u32(0), u8(8), u8(9)), abbrevs},
		{"abbreviations without end", ".debug_abbrev", "a value goes on beyond its end", unitOf(false, u16(4), u32(0), u8(8), u8(9)), abbrevs[:12]},
		{"cut DIE", ".debug_info", "a value goes on beyond its end", unitOf(false, u16(4), u32(0), u8(8), u8(7), "a producer"), abbrevs},
		{"comp_dir elsewhere", ".debug_info", "a string at offset 0x63 of .debug_str", unitOf(false, u16(4), u32(0), u8(8), unitDIE(false, 99, 0)), abbrevs},
		{"reserved length", ".debug_info", "reserved unit length 0xfffffff0", raw(u32(0xfffffff0), u64(0)), abbrevs},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := readBytes(t, makeELF(part{name: ".debug_line", data: line}, part{name: ".debug_info", data: c.info},
				part{name: ".debug_abbrev", data: c.abbrev}, part{name: ".debug_str", data: raw("/yard")}))
			var corrupt *CorruptError
			if !errors.As(err, &corrupt) || corrupt.Section != c.section || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %s: %q", err, c.section, c.want)
			}
			if brief(got.Files) != "a.cc < \n" {
				t.Errorf("got %s", brief(got.Files))
			}
		})
	}
}

func TestCompressionThatIsWrong(t *testing.T) {
	line := lineOf(3, false, oldLists(nil, oldFile("/a.cc", 0)))
	for want, p := range map[string]part{
		"unknown compression 9":                          {".debug_line", raw(u32(9), u32(0), u64(len(line)), u64(1), line), elf.SHF_COMPRESSED},
		"cannot be decompressed":                         {".debug_line", raw(u32(1), u32(0), u64(len(line)), u64(1), line), elf.SHF_COMPRESSED},
		"cannot be decompressed: ":                       {".debug_line", raw(u32(2), u32(0), u64(len(line)), u64(1), line), elf.SHF_COMPRESSED},
		"it ends early":                                  {".debug_line", raw(u32(1)), elf.SHF_COMPRESSED},
		"it claims to be 1099511627776 bytes, out of 74": {".debug_line", raw(u32(1), u32(0), u64(1<<40), u64(1), make([]byte, 50)), elf.SHF_COMPRESSED},
		"a .zdebug section that does not begin with":     {".zdebug_line", raw("no magic number here"), 0},
	} {
		_, err := readBytes(t, makeELF(p))
		var corrupt *CorruptError
		if !errors.As(err, &corrupt) || corrupt.Section != ".debug_line" || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// Every unit that wants strings of a section that cannot be opened says so.
func TestStringsThatCannotBeOpened(t *testing.T) {
	program := repack(t, newProgram(), func(p part) part {
		if p.name == ".debug_line_str" {
			p.flags = elf.SHF_COMPRESSED
		}
		return p
	})
	_, errs := readMemory(program)
	var corrupt *CorruptError
	if len(errs) != 2 || !errors.As(errs[1], &corrupt) || corrupt.Section != ".debug_line_str" {
		t.Errorf("errors %v, want two that name .debug_line_str", errs)
	}
}

func TestFilesThatAreNotRead(t *testing.T) {
	big := oldProgram()
	big[elf.EI_DATA] = byte(elf.ELFDATA2MSB)
	if _, err := readBytes(t, big); err == nil {
		t.Error("no error for a big-endian file")
	}
	object := makeELF(part{name: ".debug_line"}, part{name: ".rela.debug_line"})
	binary.LittleEndian.PutUint16(object[16:], uint16(elf.ET_REL))
	_, err := readBytes(t, object)
	if !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a relocatable object: %v", err)
	}
	// --emit-relocs leaves the relocations in a program.
	kept := makeELF(part{name: ".debug_line", data: lineOf(3, false, oldLists(nil, oldFile("/a.cc", 0)))}, part{name: ".rela.debug_line"})
	if got, err := readBytes(t, kept); err != nil || brief(got.Files) != "/a.cc < \n" {
		t.Errorf("a program with its relocations: %+v, %v", got, err)
	}
	if _, err = readBytes(t, makeELF(part{name: ".text"})); !errors.Is(err, ErrNoLineTables) || !strings.Contains(err.Error(), "neither a build-id nor") {
		t.Errorf("no DWARF: %v", err)
	}
	if _, err = Read(t.Context(), filepath.Join(t.TempDir(), "absent")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an absent file: %v", err)
	}
	if _, err = Read(t.Context(), t.TempDir()); err == nil {
		t.Error("no error for a folder")
	}
}

func TestSpelling(t *testing.T) {
	for _, c := range []struct{ comp, dir, name, want string }{
		{"/proc/self/cwd", "", "src/a.cc", "/proc/self/cwd/src/a.cc"},
		{"/proc/self/cwd", "./src", "a.cc", "/proc/self/cwd/src/a.cc"},
		{"/proc/self/cwd", "src/../inc", "h.h", "/proc/self/cwd/inc/h.h"},
		{"/proc/self/cwd/../x", "", "a.cc", "/proc/self/x/a.cc"},
		{"/yard", "/usr/include", "stdio.h", "/usr/include/stdio.h"},
		{"/yard", "src", "/abs/../a.cc", "/a.cc"},
		{"/", "..", "a.cc", "/a.cc"},
		{".", "src", "a.cc", "src/a.cc"},
		{"../x", "src", "a.cc", "../x/src/a.cc"},
		{"", "", "a.cc", "a.cc"},
		{"//host/../..", "src", "a.cc", "//host/src/a.cc"},
		{"", "", "//host", "//host"},
		{"", "", "//", "/"},
		{"", "", "///x", "/x"},
		{"/yard//x", "src//y", "a.cc", "/yard/x/src/y/a.cc"},
		{"/yard", "", "a b\xffc.cc", "/yard/a b\xffc.cc"},
	} {
		if got := spell(c.comp, c.dir, c.name); got != c.want {
			t.Errorf("%q, %q, %q: %q, want %q", c.comp, c.dir, c.name, got, c.want)
		}
	}
}
