package report

import (
	"os"
	"path/filepath"
	"strings"
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

func TestConditionsNameTheVersionsOfLLDB(t *testing.T) {
	server := func(name, script string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	old := server("old", "echo lldb version 19.1.7")
	new := server("new", "echo lldb version 22.1.8 '(a fork, revision 1.2)'")
	got, err := Conditions(old, new)
	if err != nil || !strings.Contains(got, ", LLDB 19.1.7 and 22.1.8; load") {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := Conditions(); err != nil || strings.Contains(got, "LLDB") {
		t.Errorf("without LLDB: %q, %v", got, err)
	}
	for _, script := range []string{"echo no", "exit 1"} {
		if got, err := Conditions(server("bad", script)); err == nil {
			t.Errorf("%s: no error, but %q", script, got)
		}
	}
}
