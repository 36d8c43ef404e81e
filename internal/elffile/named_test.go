package elffile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// named are the names that Named finds.
func named(t *testing.T, path string, texts ...string) (names []string) {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := f.Named(t.Context(), texts...)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		names = append(names, s.Name)
		if want := symbol(t, path, s.Name); s.Address != want || s.Size == 0 {
			t.Errorf("%+v, want the address %#x", s, want)
		}
	}
	slices.Sort(names)
	return names
}

// The linker lets a name lie at the end of another one.
func TestNamedFunctionsAreFoundWhereverTheirNamesLie(t *testing.T) {
	dir := t.TempDir()
	source, program := filepath.Join(dir, "a.c"), filepath.Join(dir, "a")
	text := "int domain(void) { return 1; }\nint main_of(void) { return 2; }\nint amain(void) { return 3; }\nint xmainx(void) { return 4; }\nint is_main = 1;\nint main(void) { return 0; }\n"
	for i := range 3000 { // names in several pieces
		text += fmt.Sprintf("int filler_%d_%s(void) { return 0; }\n", i, strings.Repeat("x", 100))
	}
	if err := os.WriteFile(source, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cc", "-o", program, source).CombinedOutput(); err != nil {
		t.Fatalf("cc: %v\n%s", err, out)
	}
	for _, c := range []struct{ texts, want []string }{
		{[]string{"main"}, []string{"amain", "domain", "main", "main_of", "xmainx"}},
		{[]string{"main\x00"}, []string{"amain", "domain", "main"}},
		{[]string{"main_", "xmain"}, []string{"main_of", "xmainx"}},
		{[]string{"ainx\x00", "main\x00"}, []string{"amain", "domain", "main", "xmainx"}},
		{[]string{"is_main"}, nil}, // no function
		{[]string{"nowhere"}, nil},
	} {
		if got := named(t, program, c.texts...); !slices.Equal(got, c.want) {
			t.Errorf("%q: got %v, want %v", c.texts, got, c.want)
		}
	}
	if got := named(t, program, "filler_"); len(got) != 3000 {
		t.Errorf("%d of 3000 functions", len(got))
	}
}

func TestNamedEndsWithItsContextAndNeedsSymbols(t *testing.T) {
	program, stripped := programs(t)
	for path, want := range map[string]error{program: context.Canceled, stripped: ErrNoSymbols} {
		f, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if got, err := f.Named(ctx, "main"); !errors.Is(err, want) {
			t.Errorf("got %v, %v; want %v", got, err, want)
		}
		_ = f.Close()
	}
}
