package terminal

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-dap"
)

func TestBreakSortsPresetsLinesAndFunctions(t *testing.T) {
	got, err := parseBreaks([]string{"main", "/src/server.cc:120", "Envoy::Server::run", "/src/server.cc:7", "syscalls", "C:x"})
	if err != nil {
		t.Fatal(err)
	}
	want := breakpoints{presets: []string{"main", "syscalls"}, functions: []string{"Envoy::Server::run", "C:x"},
		lines: map[string][]int{"/src/server.cc": {120, 7}}, files: []string{"/src/server.cc"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if _, err := parseBreaks([]string{""}); err == nil {
		t.Error("an empty --break was taken")
	}
}

func TestAStopShowsItsLineAmongItsNeighbours(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.cc")
	if err := os.WriteFile(file, []byte("one\ntwo\nthree\nfour\nfive\nsix\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	v := &text{w: &out}
	v.output("stdout", "no end")
	v.stopped(stop{Reason: "breakpoint 1.1", Frames: []dap.StackFrame{{Name: "f", Line: 4, Source: &dap.Source{Path: file}}}})
	want := "  │ no end\n  ● stopped: breakpoint 1.1   f   " + file + ":4\n" +
		"         2  two\n         3  three\n   →     4  four\n         5  five\n         6  six\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestAFileThatIsNotThereIsShownWithoutLines(t *testing.T) {
	var out bytes.Buffer
	(&text{w: &out}).stopped(stop{Reason: "step", Frames: []dap.StackFrame{{Name: "f", Line: 4, Source: &dap.Source{Path: "/none.cc"}}}})
	if strings.Count(out.String(), "\n") != 1 {
		t.Errorf("got %q", out.String())
	}
}
