package terminal

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-dap"
)

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
		"         3  three\n   →     4  four\n         5  five\n"
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

func TestAStopIsCalledByItsName(t *testing.T) {
	for body, want := range map[string]string{
		`{"reason":"breakpoint","description":"Paused at main","text":"main","threadId":7,"hitBreakpointIds":[1]}`: "● stopped at main   f\n",
		`{"reason":"breakpoint","threadId":7,"hitBreakpointIds":[2]}`:                                              "● stopped at breakpoint 2   f\n",
		`{"reason":"pause","description":"Paused","text":"","threadId":7}`:                                         "● stopped: pause   f\n",
		`{"reason":"step","description":"step over","threadId":7}`:                                                 "● stopped: step over   f\n",
		`{"reason":"exception","description":"signal SIGSEGV","text":"signal SIGSEGV","threadId":7}`:               "● stopped: signal SIGSEGV   f\n",
	} {
		s := begin(t, Options{Script: []string{"await nothing"}})
		s.toConfigured()
		s.event("stopped", body)
		s.answer(s.asked("stackTrace"), `{"stackFrames":[{"id":1,"name":"f","line":0,"column":0}]}`)
		s.shows(want)
	}
}
