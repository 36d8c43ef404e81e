package terminal

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-dap"

	"github.com/envoydbg/envoydbg/adapter/fault"
)

func TestBreakSortsPresetsLinesAndFunctions(t *testing.T) {
	got, err := parseBreaks([]string{"main", "/src/server.cc:120", "Envoy::Server::run", "server.cc:7 if x > 1", "syscalls", "C:x"})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(got.presets, " ") != "main syscalls" {
		t.Errorf("presets %v", got.presets)
	}
	want := []breakpoint{
		{spec: "/src/server.cc:120", file: "/src/server.cc", line: 120},
		{spec: "Envoy::Server::run", function: "Envoy::Server::run"},
		{spec: "server.cc:7 if x > 1", file: "server.cc", line: 7, condition: "x > 1"},
		{spec: "C:x", function: "C:x"},
	}
	if len(got.list) != len(want) {
		t.Fatalf("got %d breakpoints", len(got.list))
	}
	for i, b := range got.list {
		if *b != want[i] {
			t.Errorf("got  %+v\nwant %+v", *b, want[i])
		}
	}
	if _, err := parseBreaks([]string{""}); err == nil {
		t.Error("an empty --break was taken")
	}
}

// A file that is here is meant; another one is found by its ending.
func TestAFileThatIsHereIsNamedByItsWholePath(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("a.cc", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	here, err := filepath.Abs("a.cc")
	if err != nil {
		t.Fatal(err)
	}
	if b := parseBreak("a.cc:1"); b.file != here {
		t.Errorf("got %q", b.file)
	}
	if b := parseBreak("server/b.cc:1"); b.file != "server/b.cc" {
		t.Errorf("got %q", b.file)
	}
}

// atPrompt is a session at its first stop, and its keyboard.
func atPrompt(t *testing.T, breaks ...string) (*story, func(command string)) {
	t.Helper()
	in, keyboard := io.Pipe()
	s := begin(t, Options{Input: in, Interactive: true, Prompt: true, Breaks: breaks})
	s.toConfigured()
	s.stops("main")
	s.shows(promptText)
	return s, func(command string) {
		t.Helper()
		if _, err := io.WriteString(keyboard, command+"\n"); err != nil {
			t.Fatal(err)
		}
	}
}

// DAP replaces all breakpoints of a file at once, so each request has them all.
func TestBreakpointsOfAFileAreSetTogether(t *testing.T) {
	s, types := atPrompt(t)
	types("b /src/a.cc:3")
	m := s.asked("setBreakpoints")
	if m.Get("arguments.source.path").Str != "/src/a.cc" || m.Get("arguments.breakpoints.#.line").Raw != "[3]" {
		t.Errorf("asked for %s", m.Raw)
	}
	s.answer(m, `{"breakpoints":[{"id":2,"verified":true,"line":4,"source":{"path":"/src/a.cc"},"instructionReference":"0x10"}]}`)
	m = s.asked("evaluate")
	if m.Get("arguments.expression").Str != "`image lookup --address 0x10" {
		t.Errorf("asked for %s", m.Raw)
	}
	s.answer(m, `{"result":"      Address: envoy[0x10] (envoy.PT_LOAD[1]..text + 285)\n      Summary: envoy`+"`"+`A::f(int) + 15 at a.cc:4:7\n"}`)
	s.shows("Breakpoint 2: A::f(int)   /src/a.cc:4")

	types("tbreak /src/a.cc:9")
	m = s.asked("setBreakpoints")
	if m.Get("arguments.breakpoints.#.line").Raw != "[3,9]" {
		t.Errorf("asked for %s", m.Raw)
	}
	s.answer(m, `{"breakpoints":[{"id":2,"verified":true,"line":4},{"id":3,"verified":true,"line":9}]}`)
	s.shows("Temporary breakpoint 3: /src/a.cc:9")

	types("b f if x > 1")
	m = s.asked("setFunctionBreakpoints")
	if m.Get("arguments.breakpoints.0.name").Str != "f" || m.Get("arguments.breakpoints.0.condition").Str != "x > 1" {
		t.Errorf("asked for %s", m.Raw)
	}
	s.answer(m, `{"breakpoints":[{"id":4,"verified":false}]}`)
	s.shows("Breakpoint 4 (f if x > 1): nothing is bound to it so far")
	s.event("breakpoint", `{"reason":"changed","breakpoint":{"id":4,"verified":true,"line":7,"source":{"path":"/lib/l.cc"}}}`)
	s.shows("Breakpoint 4: f   /lib/l.cc:7")

	// The temporary one goes when it is hit.
	types("c")
	s.answer(s.asked("continue"), "{}")
	s.event("stopped", `{"reason":"breakpoint","threadId":7,"hitBreakpointIds":[3]}`)
	m = s.asked("setBreakpoints")
	if m.Get("arguments.breakpoints.#.line").Raw != "[3]" {
		t.Errorf("asked for %s", m.Raw)
	}
	s.answer(s.asked("stackTrace"), `{"stackFrames":[]}`)
	s.answer(m, `{"breakpoints":[{"id":2,"verified":true,"line":4}]}`)

	types("delete 2")
	m = s.asked("setBreakpoints")
	if m.Get("arguments.breakpoints.#").Int() != 0 {
		t.Errorf("asked for %s", m.Raw)
	}
	s.answer(m, `{"breakpoints":[]}`)
	s.shows("breakpoint 2 (/src/a.cc:3) deleted")
	types("delete 1") // a preset, which is LLDB's
	m = s.asked("evaluate")
	if m.Get("arguments.expression").Str != "`breakpoint delete 1" {
		t.Errorf("asked for %s", m.Raw)
	}
	s.answer(m, `{"result":"1 breakpoints deleted\n"}`)
	s.shows("1 breakpoints deleted")
}

// What the adapter says of a breakpoint that cannot be bound is shown, and the
// breakpoint is not kept.
func TestABreakpointThatIsNowhereIsTold(t *testing.T) {
	s, types := atPrompt(t)
	types("b sever.cc:44")
	m := s.asked("setBreakpoints")
	s.answer(m, `{"breakpoints":[{"id":2,"verified":false,"message":"No file ends with sever.cc. Nearest: server.cc."}]}`)
	s.shows("No file ends with sever.cc. Nearest: server.cc.")
	if m = s.asked("setBreakpoints"); m.Get("arguments.breakpoints.#").Int() != 0 {
		t.Errorf("asked for %s", m.Raw)
	}
	s.answer(m, `{"breakpoints":[]}`)
	// For a client that does not show answers, the adapter says it as a warning, too.
	s.prints("important", "It is not bound.\n  No file ends with sever.cc. Nearest: server.cc.\nCorrect it. [ED1403]\n")
	s.prints("important", "Another thing. [ED1403]\n")
	s.shows("Another thing.")
	if strings.Count(s.shown.String(), "No file ends with sever.cc") != 1 {
		t.Error("it was said twice")
	}

	types("b libfn")
	s.answer(s.asked("setFunctionBreakpoints"), `{"breakpoints":[{"id":3,"verified":false,"reason":"pending","message":"It may be in a library."}]}`)
	s.shows("Breakpoint 3 (libfn): It may be in a library.")
	types("b 44")
	s.shows("this frame has no source file")
}

func TestAScriptEndsAtABreakpointThatIsNotBound(t *testing.T) {
	for name, x := range map[string]struct {
		answer string
		ends   bool
	}{
		"a file without a word":    {`{"id":2,"verified":false}`, true},
		"with a word":              {`{"id":2,"verified":false,"message":"no such line"}`, true},
		"failed, by DAP's reason":  {`{"id":2,"verified":false,"reason":"failed"}`, true},
		"pending, by DAP's reason": {`{"id":2,"verified":false,"reason":"pending","message":"wait"}`, false},
		"bound":                    {`{"id":2,"verified":true}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := begin(t, Options{Script: []string{"await the end"}, Breaks: []string{"/src/a.cc:3"}})
			s.answer(s.asked("initialize"), "{}")
			s.answer(s.asked("attach"), "{}")
			s.event("initialized", "{}")
			m := s.asked("setBreakpoints")
			s.answer(s.asked("configurationDone"), "{}")
			s.answer(m, `{"breakpoints":[`+x.answer+`]}`)
			if !x.ends {
				s.prints("stdout", "the end\n")
			}
			var f *fault.Fault
			if err := s.ends(); errors.As(err, &f) != x.ends || x.ends && f.Code != 1030 {
				t.Errorf("ended with %v", err)
			}
		})
	}
}

func TestWhatABreakpointIsCalled(t *testing.T) {
	for want, b := range map[string]breakpoint{
		"  Breakpoint 2: f   /a.cc:4\n":      {spec: "f", function: "f", known: dap.Breakpoint{Id: 2, Line: 4, Source: &dap.Source{Path: "/a.cc"}}},
		"  Breakpoint 2: f\n":                {spec: "f", function: "f", known: dap.Breakpoint{Id: 2}},
		"  Breakpoint: a.cc:4\n":             {spec: "a.cc:4", known: dap.Breakpoint{Id: firstAdapterID}},
		"  Temporary breakpoint 3: a.cc:4\n": {spec: "a.cc:4", temporary: true, known: dap.Breakpoint{Id: 3}},
	} {
		var out bytes.Buffer
		(&text{w: &out}).breakpoint(&b, "", bound)
		if out.String() != want {
			t.Errorf("got %q, want %q", out.String(), want)
		}
	}
}
