package linetable

import (
	"context"
	"debug/dwarf"
	"debug/elf"
	"errors"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"testing"
)

// linesOfGo are the lines with code by file, as Go's reader of DWARF has them.
func linesOfGo(t *testing.T, program string) map[string][]int {
	t.Helper()
	f, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data, err := f.DWARF()
	if err != nil {
		t.Fatal(err)
	}
	lines := map[string]map[int]bool{}
	for units := data.Reader(); ; units.SkipChildren() {
		unit, err := units.Next()
		if err != nil {
			t.Fatal(err)
		}
		if unit == nil {
			break
		}
		rows, err := data.LineReader(unit)
		if err != nil || rows == nil {
			t.Fatalf("a unit without a line table: %v", err)
		}
		for {
			var row dwarf.LineEntry
			if err := rows.Next(&row); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			if row.EndSequence || row.Line == 0 {
				continue
			}
			file := filepath.Clean(row.File.Name)
			if !filepath.IsAbs(file) { // below the folder of the compiler
				file = filepath.Join(filepath.Dir(program), file)
			}
			if lines[file] == nil {
				lines[file] = map[int]bool{}
			}
			lines[file][row.Line] = true
		}
	}
	all := map[string][]int{}
	for file, set := range lines {
		all[file] = slices.Sorted(maps.Keys(set))
	}
	return all
}

func TestTheLinesWithCodeAreThoseOfOtherReaders(t *testing.T) {
	for name, flags := range map[string][]string{
		"gcc, DWARF 3":             {gcc, "-g", "-gdwarf-3"},
		"gcc, DWARF 4":             {gcc, "-g", "-gdwarf-4", "-O2"},
		"gcc, DWARF 5":             {gcc, "-g", "-gdwarf-5"},
		"clang, DWARF 4":           {clang, "-g", "-gdwarf-4"},
		"clang, DWARF 5":           {clang, "-g", "-gdwarf-5", "-O1"},
		"gcc, compressed":          {gcc, "-g", "-gz=zlib"},
		"clang, sections per code": {clang, "-g", "-ffunction-sections"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := tree(t)
			program := compile(t, dir, flags[0], flags[1:]...)
			table := mustRead(t, program)
			want := linesOfGo(t, program)
			for _, f := range table.Files {
				got, err := Lines(t.Context(), table.Path, []string{f.Path})
				if err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(got, want[f.Path]) {
					t.Errorf("%s has code at the lines %v, want %v", f.Path, got, want[f.Path])
				}
			}
			if h := want[filepath.Join(dir, "inc/h.h")]; len(h) == 0 {
				t.Errorf("no line of the header has code; only of %v", slices.Collect(maps.Keys(want)))
			}
		})
	}
}

func TestLinesOfSeveralPathsAreThoseOfOneFile(t *testing.T) {
	dir := tree(t)
	program := compile(t, dir, gcc, "-g")
	all := linesOfGo(t, program)
	a, b := filepath.Join(dir, "src/a.cc"), filepath.Join(dir, "src/b.cc")
	got, err := Lines(t.Context(), program, []string{a, b})
	if want := slices.Compact(slices.Sorted(slices.Values(append(all[a], all[b]...)))); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	if got, err := Lines(t.Context(), program, []string{"/nowhere.cc"}); err != nil || len(got) != 0 {
		t.Errorf("a file that is not there has %v, %v", got, err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Lines(over, program, []string{a}); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
}

// The line table of a function that the linker has dropped stays.
func TestCodeThatTheLinkerDroppedIsNone(t *testing.T) {
	dir := tree(t)
	writeFile(t, filepath.Join(dir, "src/b.cc"), []byte("int b(int x) { return x; }\nint dropped(int x) {\n  return x;\n}\n"))
	program := compile(t, dir, gcc, "-g", "-ffunction-sections", "-Wl,--gc-sections")
	got, err := Lines(t.Context(), program, []string{filepath.Join(dir, "src/b.cc")})
	if err != nil || !slices.Equal(got, []int{1}) {
		t.Errorf("got %v, %v; want line 1 alone", got, err)
	}
	// Other linkers mark it with other addresses.
	for _, address := range []u64{0, 1<<64 - 1, 1<<64 - 2} {
		at := func(address u64) []byte { return raw(u8(0), u8(9), u8(lneSetAddress), address) }
		end := []byte{0, 1, lneEndSequence}
		got, err := Lines(t.Context(), handMade(t, at(address), u8(lnsCopy), end, at(0x1000), u8(lnsAdvanceLine), u8(4), u8(lnsCopy), end), []string{"/a.cc"})
		if err != nil || !slices.Equal(got, []int{5}) {
			t.Errorf("code at %#x: got %v, %v; want line 5 alone", address, got, err)
		}
	}
}

// handMade has one file, /a.cc, and a line program of these opcodes.
func handMade(t *testing.T, ops ...any) string {
	header := raw([]byte{1, 1, 0xfb, 10, 13}, opcodeLengths, oldLists(nil, oldFile("/a.cc", 0)))
	unit := unitOf(false, u16(3), u32(len(header)), header, raw(ops...))
	path := filepath.Join(t.TempDir(), "program")
	writeFile(t, path, makeELF(part{name: ".debug_line", data: unit}))
	return path
}

func TestALineProgramMayBeLongerThanAPiece(t *testing.T) {
	long := make([]byte, 3*programStep)
	for _, c := range []struct {
		name string
		want int
		ops  []any
	}{
		{"many opcodes", 7, []any{slices.Repeat([]byte{lnsAdvanceLine, 1, lnsAdvanceLine, 0x7f}, programStep), u8(lnsAdvanceLine), u8(6), u8(lnsCopy)}},
		{"one long opcode", 3, []any{u8(0), uleb(len(long)), long, u8(lnsAdvanceLine), u8(2), u8(lnsCopy)}},
	} {
		got, err := Lines(t.Context(), handMade(t, c.ops...), []string{"/a.cc"})
		if err != nil || !slices.Equal(got, []int{c.want}) {
			t.Errorf("%s: %v, %v; want %d", c.name, got, err, c.want)
		}
	}
}

// What comes before the fault is known all the same.
func TestABadLineProgramIsTold(t *testing.T) {
	for name, ops := range map[string][]any{
		"an opcode that is cut off":   {u8(lnsCopy), u8(lnsAdvanceLine), u8(0x80)},
		"one that is longer than all": {u8(lnsCopy), u8(0), uleb(1 << 40)},
	} {
		got, err := Lines(t.Context(), handMade(t, ops...), []string{"/a.cc"})
		var corrupt *CorruptError
		if !errors.As(err, &corrupt) || !slices.Equal(got, []int{1}) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}
