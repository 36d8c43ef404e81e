package report

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestReplaceKeepsWhatIsAroundTheMarkers(t *testing.T) {
	page := "before\n<!-- begin a: by make bench -->\nold\n<!-- end a -->\nafter\n"
	got, err := replace(page, "a", "\nnew\n")
	if want := "before\n<!-- begin a: by make bench -->\nnew\n<!-- end a -->\nafter\n"; err != nil || got != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	if again, err := replace(got, "a", "new"); err != nil || again != got {
		t.Errorf("the second time: %q, %v", again, err)
	}
	for _, broken := range []string{"", "<!-- begin a -->\n", "<!-- end a -->"} {
		if _, err := replace(broken, "a", "new"); err == nil {
			t.Errorf("no error for the page %q", broken)
		}
	}
}

func TestTableIsAligned(t *testing.T) {
	got := Table(1, []string{"what", "n"}, [][]string{{"é", "1000"}})
	want := "| what |    n |\n|------|-----:|\n| é    | 1000 |\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestQuantile(t *testing.T) {
	values := []time.Duration{5, 1, 3, 2, 4}
	for q, want := range map[float64]time.Duration{0: 1, 0.5: 3, 0.99: 5, 1: 5} {
		if got := Quantile(values, q); got != want {
			t.Errorf("quantile %v is %d, want %d", q, got, want)
		}
	}
	if values[0] != 5 || Quantile(nil, 0.5) != 0 {
		t.Error("the values were reordered, or none is not 0")
	}
}

// The versions are those that the programs tell, and a wrong program is an error.
func TestTheVersionsOfLLDBAreRead(t *testing.T) {
	root := t.TempDir()
	install := func(major int, script string) {
		t.Helper()
		dir := filepath.Join(root, "bin/tools", fmt.Sprintf("lldb-%d", major), "bin")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "lldb-server"), []byte("#!/bin/sh\n"+script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	install(19, `[ "$*" = version ] && echo lldb version 19.1.7`)
	install(22, "echo lldb version 22.1.9")
	if got, err := LLDBs(root, 19, 22); err != nil || !slices.Equal(got, []string{"19.1.7", "22.1.9"}) {
		t.Errorf("got %q, %v", got, err)
	}
	install(23, "echo lldb version 22.1.9")
	install(24, "echo what?")
	install(25, "exit 1")
	for _, major := range []int{23, 24, 25, 26} {
		if got, err := LLDBs(root, major); err == nil {
			t.Errorf("LLDB %d is %q", major, got)
		}
	}
}
