package elffile

import (
	"context"
	"debug/elf"
	"encoding/binary"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// functions are those that Functions reports.
func functions(t *testing.T, path string) (names []string, ok bool) {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if ok, err = f.Functions(t.Context(), func(name []byte) { names = append(names, string(name)) }); err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names, ok
}

// functionsOfGo are those of Go's reader.
func functionsOfGo(t *testing.T, symbols func() ([]elf.Symbol, error)) []string {
	t.Helper()
	all, err := symbols()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, s := range all {
		if elf.ST_TYPE(s.Info) == elf.STT_FUNC && s.Section != elf.SHN_UNDEF {
			names[s.Name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// programs are one with symbols, and the same stripped.
func programs(t *testing.T) (program, stripped string) {
	t.Helper()
	dir := t.TempDir()
	source := filepath.Join(dir, "a.cc")
	program, stripped = filepath.Join(dir, "a"), filepath.Join(dir, "a.stripped")
	if err := os.WriteFile(source, []byte("namespace n { struct s { void f(int) {} static int data; }; int s::data; }\nextern \"C\" void plain() {}\nint main() { n::s().f(1); plain(); }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{{"g++", "-rdynamic", "-o", program, source}, {"strip", "-o", stripped, program}} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", command, err, out)
		}
	}
	return program, stripped
}

func TestFunctionsAreThoseOfDebugELF(t *testing.T) {
	program, stripped := programs(t)
	for _, c := range []struct {
		path    string
		symbols func(*elf.File) ([]elf.Symbol, error)
		has     string
	}{
		{program, (*elf.File).Symbols, "_ZN1n1s1fEi"},
		{stripped, (*elf.File).DynamicSymbols, "plain"},
	} {
		in, err := elf.Open(c.path)
		if err != nil {
			t.Fatal(err)
		}
		want := functionsOfGo(t, func() ([]elf.Symbol, error) { return c.symbols(in) })
		_ = in.Close()
		got, ok := functions(t, c.path)
		if !ok || !slices.Equal(got, want) || !slices.Contains(got, c.has) {
			t.Errorf("%s: %d functions, want %d, with %s", c.path, len(got), len(want), c.has)
		}
	}
}

func TestAFileWithoutSymbolsHasNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none")
	program := image{is64: true, order: binary.LittleEndian, sections: []section{{name: ".text", kind: elf.SHT_PROGBITS, data: []byte("code")}}}.bytes(t)
	if err := os.WriteFile(path, program, 0o644); err != nil {
		t.Fatal(err)
	}
	if names, ok := functions(t, path); ok || len(names) != 0 {
		t.Errorf("got %v, %v", names, ok)
	}
}

func TestSymbolsWithoutNamesAreAnError(t *testing.T) {
	symbol := make([]byte, 24)
	symbol[0], symbol[4], symbol[6] = 99, byte(elf.STT_FUNC), 1
	program := image{is64: true, order: binary.LittleEndian, sections: []section{{name: ".symtab", kind: elf.SHT_SYMTAB, data: symbol}}}.bytes(t)
	f, err := open(program)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Functions(t.Context(), func([]byte) {}); !errors.Is(err, ErrNotELF) {
		t.Errorf("got %v", err)
	}
}

func TestFunctionsEndWithTheirContext(t *testing.T) {
	program, _ := programs(t)
	f, err := Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Functions(ctx, func([]byte) { t.Error("a name") }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
