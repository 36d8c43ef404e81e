package terminal

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is none of our words is LLDB's, as it stands.
func TestCommandsForLLDB(t *testing.T) {
	s, types := atPrompt(t)
	for command, want := range map[string]string{
		"p argc":                "p argc",
		"print argc":            "p argc",
		"p/x argc":              "p/x argc",
		"locals":                "frame variable --no-args",
		"info locals":           "frame variable --no-args",
		"info args":             "frame variable --no-locals",
		"info b":                "breakpoint list --brief",
		"info registers rip":    "register read rip",
		"info threads":          "thread list",
		"b":                     "breakpoint list --brief",
		"b 0x1234":              "b 0x1234",
		"b -r foo":              "b -r foo",
		"watch a->b.c":          "watchpoint set variable a->b.c",
		"watch *p":              "watchpoint set expression -- &(*p)",
		"frame variable x":      "frame variable x",
		"thread list":           "thread list",
		"bt all":                "bt all",
		"l foo":                 "list foo",
		"lldb help":             "help",
		"help breakpoint":       "help breakpoint",
		"until 44":              "thread until 44",
		"memory read $sp":       "memory read $sp",
		"breakpoint set -n f":   "breakpoint set -n f",
		"lldb process status  ": "process status",
	} {
		types(command)
		m := s.asked("evaluate")
		if got := m.Get("arguments.expression").Str; got != "`"+want {
			t.Errorf("%q: asked LLDB for %q, want %q", command, got, want)
		}
		if m.Get("arguments.context").Str != "repl" || m.Get("arguments.frameId").Int() != 1 {
			t.Errorf("%q: %s", command, m.Raw)
		}
		// LLDB 19 repeats the command.
		s.answer(m, fmt.Sprintf(`{"result":"(lldb) %s\nanswer to %s\n"}`, want, want))
		s.shows("answer to " + want)
	}
	if strings.Contains(s.shown.String(), "(lldb)") {
		t.Error("LLDB's echo was shown")
	}
}

func TestWhatIsWrongWithACommandIsSaid(t *testing.T) {
	s, types := atPrompt(t)
	for command, says := range map[string]string{
		"n x":      `"x" is no count of steps`,
		"c 3":      `"3" is no count of steps`,
		"until ok": "await TEXT",
		"until":    "no source file",
		"await":    "await needs",
		"tbreak":   "tbreak needs",
		"delete":   "delete needs",
		"delete x": `"x" is no breakpoint's number`,
		"watch":    "watch needs",
		"up x":     `"x" is no count of frames`,
		"down":     "innermost",
		"info":     "info shows args, breakpoints",
		"info zzz": "info shows args, breakpoints",
		"list":     "no source file",
		"run":      "the agent starts Envoy",
		"start":    "there is no agent to start",
		"finish x": "finish takes nothing",
		"b a.cc:0": "lines are counted from 1",
	} {
		types(command)
		s.shows(says)
	}
	types("q")
	if err := s.ends(); err != nil {
		t.Errorf("a person's mistakes made %v", err)
	}
}

// An empty line repeats the last command, as in gdb and LLDB, but not one that
// would do harm.
func TestAnEmptyLineRepeats(t *testing.T) {
	s, types := atPrompt(t)
	types("n")
	for range 3 {
		s.answer(s.asked("next"), "{}")
		s.stops("main")
		types("")
	}
	s.answer(s.asked("next"), "{}")
	s.stops("main")
	types("delete 7")
	s.answer(s.asked("evaluate"), `{"result":""}`)
	types("")
	types("bt 3")
	if m := s.asked("stackTrace"); m.Get("arguments.levels").Int() != 3 {
		t.Errorf("asked for %s", m.Raw)
	}
}

func TestAStepOfManyIsShownOnce(t *testing.T) {
	s, types := atPrompt(t)
	types("s 3")
	for i := range 3 {
		s.answer(s.asked("stepIn"), "{}")
		if i < 2 {
			s.event("stopped", `{"reason":"step","threadId":7}`)
		}
	}
	s.event("stopped", `{"reason":"step","threadId":7}`)
	s.answer(s.asked("stackTrace"), `{"stackFrames":[{"id":1,"name":"there","line":0,"column":0}]}`)
	s.shows("stopped: step   there")
	if strings.Count(s.shown.String(), "● stopped") != 2 {
		t.Error("the steps between were shown")
	}
	// Another stop ends the counting.
	types("n 5")
	s.answer(s.asked("next"), "{}")
	s.stops("breakpoint on the way")
	s.shows("breakpoint on the way")
	types("q")
	if err := s.ends(); err != nil {
		t.Error(err)
	}
}

func TestAFrameIsSelectedForLLDB(t *testing.T) {
	s, types := atPrompt(t)
	types("up 2")
	m := s.asked("stackTrace")
	if m.Get("arguments.startFrame").Int() != 2 || m.Get("arguments.levels").Int() != 1 {
		t.Errorf("asked for %s", m.Raw)
	}
	s.answer(m, `{"stackFrames":[{"id":33,"name":"caller","line":0,"column":0}]}`)
	if m = s.asked("scopes"); m.Get("arguments.frameId").Int() != 33 {
		t.Errorf("asked for %s", m.Raw)
	}
	s.answer(m, `{"scopes":[]}`)
	s.shows("#2  caller")
	types("p x")
	m = s.asked("evaluate")
	if m.Get("arguments.frameId").Int() != 33 {
		t.Errorf("asked for %s", m.Raw)
	}
	s.answer(m, `{"result":"(int) 1\n"}`)
	types("finish") // DAP would step out of the innermost frame
	m = s.asked("evaluate")
	if m.Get("arguments.expression").Str != "`thread step-out" {
		t.Errorf("asked for %s", m.Raw)
	}
	s.answer(m, `{"result":"Process 7 resuming\n"}`)
	types("bt") // when it has stopped
	s.stops("caller")
	s.answer(s.asked("stackTrace"), `{"stackFrames":[{"id":1,"name":"caller","line":0,"column":0}]}`)
	s.shows("* #0  caller\n")
	types("thread 2")
	s.answer(s.asked("evaluate"), `{"result":"Process 7 stopped\n* thread #1: tid = 7, main\n  thread #2: tid = 0x1f, worker\n"}`)
	if m = s.asked("stackTrace"); m.Get("arguments.threadId").Int() != 31 {
		t.Errorf("asked for %s", m.Raw)
	}
	s.answer(m, `{"stackFrames":[{"id":44,"name":"worker","line":0,"column":0}]}`)
	s.answer(s.asked("scopes"), `{"scopes":[]}`)
	s.shows("#0  worker")
	types("thread 9")
	s.answer(s.asked("evaluate"), `{"result":"* thread #1: tid = 7, main\n"}`)
	s.shows("there is no thread 9")
}

func TestListGoesOnWhereItStopped(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.cc")
	var source strings.Builder
	for i := 1; i <= 42; i++ {
		fmt.Fprintf(&source, "line number %d;\n", i)
	}
	if err := os.WriteFile(file, []byte(source.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	in, keyboard := io.Pipe()
	s := begin(t, Options{Input: in, Interactive: true})
	s.toConfigured()
	s.event("stopped", `{"reason":"breakpoint","threadId":7}`)
	s.answer(s.asked("stackTrace"), fmt.Sprintf(`{"stackFrames":[{"id":1,"name":"f","line":20,"column":1,"source":{"path":%q}}]}`, file))
	s.shows("number 21;")
	for _, x := range []struct{ command, first, last string }{
		{"l", "   15  line number 15;", "   24  line number 24;"},
		{"", "   25  line number 25;", "   34  line number 34;"},
		{"l -", "   15  line number 15;", "   24  line number 24;"},
		{"l -", "    5  line number 5;", "   14  line number 14;"},
		{"l -", "    1  line number 1;", "   10  line number 10;"},
	} {
		before := len(s.shown.String())
		_, _ = io.WriteString(keyboard, x.command+"\n")
		s.showsFrom(before, x.last)
		if got := s.shown.String()[before:]; !strings.HasPrefix(strings.TrimSpace(got), strings.TrimSpace(x.first)) || strings.Count(got, "\n") != listed {
			t.Errorf("%q shows\n%s", x.command, got)
		}
	}
	_, _ = io.WriteString(keyboard, "l -\n")
	s.shows("this is the beginning of the file")
}

func TestHelpListsEveryWord(t *testing.T) {
	s, types := atPrompt(t)
	types("help")
	for _, w := range words {
		s.shows(w.does)
	}
	types("help until")
	s.shows("until, u [LINE]")
}

// Ctrl-C pauses an Envoy that runs; the second one is for others to take.
func TestAPauseIsTakenOnce(t *testing.T) {
	in, keyboard := io.Pipe()
	pause := NewPause()
	s := begin(t, Options{Input: in, Interactive: true, Prompt: true, Pause: pause})
	if pause.Ask() {
		t.Error("a pause before there is an Envoy")
	}
	s.toConfigured()
	s.stops("main")
	s.shows(promptText)
	if pause.Ask() {
		t.Error("a pause at a stop")
	}
	_, _ = io.WriteString(keyboard, "c\n")
	s.answer(s.asked("continue"), "{}")
	s.prints("stdout", "running\n")
	s.shows("running")
	if !pause.Ask() || pause.Ask() {
		t.Error("a running Envoy is to be paused once")
	}
	s.answer(s.asked("pause"), "{}")
	s.stops("poll")
	s.shows("poll")
	// Where Envoy itself is tells more than where libc is.
	here := filepath.Join(t.TempDir(), "dispatcher.cc")
	if err := os.WriteFile(here, []byte("run();\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m := s.asked("stackTrace")
	if m.Get("arguments.startFrame").Int() != 1 {
		t.Errorf("asked for %s", m.Raw)
	}
	s.answer(m, fmt.Sprintf(`{"stackFrames":[{"id":2,"name":"event_loop","line":9,"column":0,"source":{"path":"/none/event.c"}},
		{"id":3,"name":"Dispatcher::run","line":1,"column":0,"source":{"path":%q}}]}`, here))
	s.shows("#2  Dispatcher::run   " + here + ":1\n   →     1  run();")
	_, _ = io.WriteString(keyboard, "pause\n")
	s.shows("stopped already")
	_, _ = io.WriteString(keyboard, "c\n")
	s.answer(s.asked("continue"), "{}")
	s.prints("stdout", "again\n")
	s.shows("again")
	if !pause.Ask() {
		t.Error("it runs again, and could not be paused")
	}
	s.answer(s.asked("pause"), "{}")
}

func TestTheEndOfTheKeyboardIsAskedForAtAStop(t *testing.T) {
	for _, x := range []struct {
		answer string // "" is the end again
		ends   bool
	}{{"y", true}, {"YES", true}, {"", true}, {"n", false}, {"bt", false}} {
		in := &keyboardWithEnds{lines: make(chan string)}
		s := begin(t, Options{Input: in, Interactive: true, Prompt: true})
		s.toConfigured()
		s.stops("main")
		s.shows(promptText)
		in.lines <- ""
		s.shows("Envoy is stopped at main; end the session? [y/N] ")
		s.running("before the answer")
		if x.answer == "" {
			in.lines <- ""
		} else {
			in.lines <- x.answer + "\n"
		}
		if !x.ends {
			in.lines <- "q\n"
		}
		if err := s.ends(); err != nil {
			t.Errorf("%q: %v", x.answer, err)
		}
		close(in.lines)
	}
}

// keyboardWithEnds is a terminal's input: an end is not for good.
type keyboardWithEnds struct{ lines chan string }

// Read implements io.Reader; an empty line is an end.
func (k *keyboardWithEnds) Read(p []byte) (int, error) {
	line := <-k.lines
	if line == "" {
		return 0, io.EOF
	}
	return copy(p, line), nil
}

// Threads that stop at the same time are one stop.
func TestThreadsThatStopTogetherAreOneStop(t *testing.T) {
	s, types := atPrompt(t)
	types("c")
	s.answer(s.asked("continue"), "{}")
	s.event("stopped", `{"reason":"breakpoint","threadId":7,"preserveFocusHint":false}`)
	s.event("stopped", `{"reason":"breakpoint","threadId":8,"preserveFocusHint":true}`)
	s.answer(s.asked("stackTrace"), `{"stackFrames":[{"id":1,"name":"there","line":0,"column":0}]}`)
	types("n")
	if m := s.asked("next"); m.Get("arguments.threadId").Int() != 7 {
		t.Errorf("asked for %s", m.Raw)
	}
}
