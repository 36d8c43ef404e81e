package terminal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/client"
	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/fault"
)

// limit bounds every wait.
const limit = 15 * time.Second

// story is a loop with an adapter that the test plays.
type story struct {
	t     *testing.T
	loop  *loop
	in    *dapio.Reader
	out   *io.PipeWriter
	shown *shown
	seq   int
	ended chan struct{} // closed when the loop asks for the end
}

// shown is what the loop has shown.
type shown struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *shown) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *shown) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

// begin starts a loop; the adapter has nothing received yet.
func begin(t *testing.T, opts Options) *story {
	t.Helper()
	fromClient, toAdapter := io.Pipe()
	fromAdapter, toClient := io.Pipe()
	s := &story{t: t, in: dapio.NewReader(fromClient), out: toClient, shown: &shown{}, ended: make(chan struct{})}
	if opts.Output == nil {
		opts.Output = s.shown
	}
	if opts.Attributes == nil {
		opts.Attributes = map[string]any{}
	}
	breaks, err := parseBreaks(opts.Breaks)
	if err != nil {
		t.Fatal(err)
	}
	conn := client.Dial(fromAdapter, toAdapter)
	s.loop = newLoop(opts, breaks, conn, sync.OnceFunc(func() { close(s.ended) }))
	go s.loop.run()
	t.Cleanup(func() {
		_ = toClient.Close()
		select {
		case <-s.loop.done:
		case <-time.After(limit):
			t.Error("the loop has not ended with the adapter's stream")
		}
		conn.Close()
		_ = fromClient.Close()
		if t.Failed() {
			t.Logf("shown:\n%s", s.shown)
		}
	})
	return s
}

// asked takes the client's next request, which must be that command.
func (s *story) asked(command string) *dapio.Message {
	s.t.Helper()
	type next struct {
		m   *dapio.Message
		err error
	}
	got := make(chan next, 1)
	go func() {
		m, err := s.in.Next()
		got <- next{m, err}
	}()
	select {
	case n := <-got:
		if n.err != nil || n.m.Name != command {
			s.t.Fatalf("the client asked for %v (%v), want %s", n.m, n.err, command)
		}
		return n.m
	case <-time.After(limit):
		s.t.Fatalf("the client has not asked for %s", command)
	}
	return nil
}

func (s *story) say(format string, args ...any) {
	s.t.Helper()
	s.seq++
	text := fmt.Sprintf(`{"seq":%d,`, s.seq) + fmt.Sprintf(format, args...) + "}"
	if _, err := fmt.Fprintf(s.out, "Content-Length: %d\r\n\r\n%s", len(text), text); err != nil {
		s.t.Fatal(err)
	}
}

func (s *story) event(name, body string) {
	s.t.Helper()
	s.say(`"type":"event","event":%q,"body":%s`, name, body)
}

func (s *story) prints(category, text string) {
	s.t.Helper()
	s.event("output", fmt.Sprintf(`{"category":%q,"output":%q}`, category, text))
}

func (s *story) answer(m *dapio.Message, body string) {
	s.t.Helper()
	s.say(`"type":"response","request_seq":%d,"success":true,"command":%q,"body":%s`, m.Seq, m.Name, body)
}

func (s *story) refuse(m *dapio.Message, text string) {
	s.t.Helper()
	s.say(`"type":"response","request_seq":%d,"success":false,"command":%q,"message":%q`, m.Seq, m.Name, text)
}

// toConfigured brings the session to where Envoy may run.
func (s *story) toConfigured() {
	s.t.Helper()
	s.answer(s.asked("initialize"), "{}")
	s.answer(s.asked("attach"), "{}")
	s.event("initialized", "{}")
	s.answer(s.asked("configurationDone"), "{}")
}

// stops lets Envoy stop in a function.
func (s *story) stops(function string) {
	s.t.Helper()
	s.event("stopped", `{"reason":"breakpoint","threadId":7}`)
	s.answer(s.asked("stackTrace"), fmt.Sprintf(`{"stackFrames":[{"id":1,"name":%q,"line":0,"column":0,"instructionPointerReference":"0x10"}]}`, function))
}

// shows waits for a text on the screen.
func (s *story) shows(text string) {
	s.t.Helper()
	s.showsFrom(0, text)
}

// showsFrom waits for a text that is shown behind a place on the screen.
func (s *story) showsFrom(from int, text string) {
	s.t.Helper()
	for deadline := time.Now().Add(limit); !strings.Contains(s.shown.String()[from:], text); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("%q was not shown", text)
		}
	}
}

// ends waits until the loop has asked for the end, closes the adapter's stream,
// and returns what came of the session.
func (s *story) ends() error {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(limit):
		s.t.Fatal("the session was not ended")
	}
	return s.outcome()
}

func (s *story) outcome() error {
	s.t.Helper()
	_ = s.out.Close()
	select {
	case <-s.loop.done:
	case <-time.After(limit):
		s.t.Fatal("the loop has not ended")
	}
	return s.loop.outcome()
}

// running fails the story if the loop has asked for the end.
func (s *story) running(when string) {
	s.t.Helper()
	select {
	case <-s.ended:
		s.t.Fatalf("the session was ended %s", when)
	default:
	}
}

func TestAScriptIsCarriedOutOneCommandAfterAnother(t *testing.T) {
	s := begin(t, Options{Script: []string{"bt", "version", "c", "await ready"}, Breaks: []string{"main", "/src/a.cc:3", "f"}})
	s.answer(s.asked("initialize"), "{}")
	attach := s.asked("attach")
	if presets := attach.Get("arguments.breakpointPresets").Raw; presets != `["main"]` {
		t.Errorf("presets %s", presets)
	}
	s.event("initialized", "{}")
	if m := s.asked("setBreakpoints"); m.Get("arguments.source.path").Str != "/src/a.cc" || m.Get("arguments.breakpoints.0.line").Int() != 3 {
		t.Errorf("asked for %s", m.Raw)
	}
	if m := s.asked("setFunctionBreakpoints"); m.Get("arguments.breakpoints.0.name").Str != "f" {
		t.Errorf("asked for %s", m.Raw)
	}
	s.answer(s.asked("configurationDone"), "{}")
	s.answer(attach, "{}")
	s.stops("main")
	s.answer(s.asked("stackTrace"), `{"stackFrames":[{"id":1,"name":"main","line":0,"column":0},{"id":2,"name":"_start","line":0,"column":0}]}`)
	lldb := s.asked("evaluate")
	if e := lldb.Get("arguments.expression").Str; e != "`version" {
		t.Errorf("evaluates %q", e)
	}
	s.answer(lldb, `{"result":"LLDB as it is","variablesReference":0}`)
	resume := s.asked("continue")
	if resume.Get("arguments.threadId").Int() != 7 {
		t.Errorf("continues %s", resume.Raw)
	}
	s.answer(resume, "{}")
	s.prints("stdout", "not yet rea")
	s.running("before the text had come")
	s.prints("stdout", "dy\n")
	if err := s.ends(); err != nil {
		t.Errorf("the script ended with %v", err)
	}
	for _, text := range []string{"● stopped: breakpoint   main", "#1  _start", "LLDB as it is", "│ not yet ready", "nothing is left running"} {
		s.shows(text)
	}
}

// stuck brings a session to a command of the input that does not return.
func stuck(t *testing.T, opts Options) (*story, *io.PipeWriter) {
	t.Helper()
	in, keyboard := io.Pipe()
	opts.Input = in
	s := begin(t, opts)
	s.toConfigured()
	s.stops("main")
	_, _ = io.WriteString(keyboard, "script while True: pass\n")
	s.asked("evaluate")
	return s, keyboard
}

func TestACommandThatNeverReturnsDoesNotKeepTheSession(t *testing.T) {
	t.Run("quit from the keyboard", func(t *testing.T) {
		t.Parallel()
		s, keyboard := stuck(t, Options{Interactive: true, Live: true})
		_, _ = io.WriteString(keyboard, "bt\nq\n")
		if err := s.ends(); err != nil {
			t.Error(err)
		}
	})
	t.Run("end of the keyboard", func(t *testing.T) {
		t.Parallel()
		s, keyboard := stuck(t, Options{Interactive: true, Live: true})
		_ = keyboard.Close()
		if err := s.ends(); err != nil {
			t.Error(err)
		}
	})
	t.Run("end of the program that gives the commands", func(t *testing.T) {
		t.Parallel()
		s, program := stuck(t, Options{Live: true})
		_, _ = io.WriteString(program, "bt\n")
		_ = program.Close()
		var f *fault.Fault
		if err := s.ends(); !errors.As(err, &f) || f.Code != 1015 || !strings.Contains(f.Error(), "while True") {
			t.Errorf("ended with %v", err)
		}
	})
	t.Run("a signal", func(t *testing.T) {
		t.Parallel()
		s, _ := stuck(t, Options{Live: true})
		close(s.loop.interrupted)
		if err := s.ends(); err != nil {
			t.Error(err)
		}
		s.shows("ending the session")
	})
	t.Run("the end of Envoy", func(t *testing.T) {
		t.Parallel()
		s, _ := stuck(t, Options{Interactive: true})
		s.event("terminated", "{}")
		if err := s.ends(); err != nil {
			t.Error(err)
		}
	})
}

// In a phase that does not get on there is no command to carry out.
func TestTheEndOfTheInputEndsAStartup(t *testing.T) {
	for _, opts := range []Options{{Live: true}, {Live: true, Interactive: true}} {
		in, keyboard := io.Pipe()
		opts.Input = in
		s := begin(t, opts)
		s.asked("initialize") // and no answer
		s.running("without a reason")
		_ = keyboard.Close()
		if err := s.ends(); err != nil {
			t.Error(err)
		}
	}
}

// The program that has given the commands leaves while its last one, start, is under
// way. Envoy need not come for the session to end.
func TestTheEndOfTheInputIsNotForgottenWhileACommandIsUnderWay(t *testing.T) {
	in, program := io.Pipe()
	s := begin(t, Options{Input: in, Live: true})
	s.answer(s.asked("initialize"), "{}")
	s.asked("attach") // not answered before Envoy is there
	s.event("envoyPhase", `{"phase":"agent started","state":"waiting","detail":"armed"}`)
	_, _ = io.WriteString(program, "start\n")
	start := s.asked("startAgent")
	_ = program.Close()
	s.running("while start is under way")
	s.answer(start, `{"pid":1}`)
	if err := s.ends(); err != nil {
		t.Error(err)
	}
}

// A file, or /dev/null, has an end from the beginning, and that means nothing
// before Envoy may run.
func TestTheEndOfAFileIsTheLastCommand(t *testing.T) {
	s := begin(t, Options{Input: strings.NewReader("")})
	s.toConfigured()
	if err := s.ends(); err != nil {
		t.Error(err)
	}

	s = begin(t, Options{Input: strings.NewReader("bt\nawait ready")})
	s.toConfigured()
	s.stops("main")
	s.answer(s.asked("stackTrace"), `{"stackFrames":[]}`)
	s.prints("stdout", "waiting\n")
	s.running("before the text had come")
	s.prints("stderr", "ready\n")
	if err := s.ends(); err != nil {
		t.Error(err)
	}
}

// `printf 'bt\nq\n' | envoydbg run`: the pipe has ended long before Envoy is there.
func TestAllThatAnEndedPipeHasGivenIsCarriedOut(t *testing.T) {
	in, program := io.Pipe()
	s := begin(t, Options{Input: in, Live: true})
	_, _ = io.WriteString(program, "bt\nawait ready\n")
	_ = program.Close()
	s.toConfigured()
	s.stops("main")
	s.answer(s.asked("stackTrace"), `{"stackFrames":[]}`)
	s.running("before its commands were carried out")
	s.prints("stdout", "ready\n")
	if err := s.ends(); err != nil {
		t.Error(err)
	}
	if s.loop.graceOver != nil {
		t.Error("a command that began after the end of the pipe had a limit")
	}
}

func TestALineThatIsTooLongIsAnError(t *testing.T) {
	s := begin(t, Options{Input: strings.NewReader(strings.Repeat("x", maxLine+1))})
	s.toConfigured()
	if err := s.ends(); !errors.Is(err, ErrFailed) {
		t.Errorf("ended with %v", err)
	}
	s.shows("the commands cannot be read")
}

func TestOnlyErrorsFailTheRun(t *testing.T) {
	for _, x := range []struct {
		name, category, text string
		want                 error
		shows                string
	}{
		{"a warning about a preset", "important", fault.PresetUnbound("syscalls", "no locations").Error(), nil, "nothing is left running"},
		{"a warning about a source file", "important", fault.SourceChanged("/src/a.cc").Error(), nil, "nothing is left running"},
		{"advice without a number", "important", "lldb-dap is 19 and lldb-server is 22.", nil, "lldb-dap is 19"},
		{"an error", "important", fault.EnvoyKilled(4711).Error(), ErrFailed, "[ED1316]"},
		{"output of Envoy that looks like an error", "stdout", fault.EnvoyKilled(4711).Error(), nil, "nothing is left running"},
	} {
		t.Run(x.name, func(t *testing.T) {
			s := begin(t, Options{Script: []string{"await the end"}})
			s.toConfigured()
			s.prints(x.category, x.text+"\n")
			s.prints("stdout", "the end\n")
			if err := s.ends(); !errors.Is(err, x.want) {
				t.Errorf("the run ended with %v, want %v", err, x.want)
			}
			s.shows(x.shows)
			if x.want != nil && strings.Contains(s.shown.String(), "nothing is left") {
				t.Error("says that nothing is left, after an error")
			}
		})
	}
}

func TestTheEndOfEnvoyIsTheEndOfTheRun(t *testing.T) {
	for code, want := range map[int]error{0: nil, 3: ErrFailed} {
		s := begin(t, Options{Script: []string{"await nothing"}})
		s.toConfigured()
		s.event("exited", fmt.Sprintf(`{"exitCode":%d}`, code))
		s.event("terminated", "{}")
		if err := s.ends(); !errors.Is(err, want) {
			t.Errorf("exit code %d: %v, want %v", code, err, want)
		}
		s.shows(fmt.Sprintf("Envoy ended: exit code %d", code))
	}
}

func TestARefusedAttachEndsTheRunWithItsText(t *testing.T) {
	for _, command := range []string{"initialize", "attach"} {
		s := begin(t, Options{Script: []string{"bt"}})
		if command == "attach" {
			s.answer(s.asked("initialize"), "{}")
		}
		s.refuse(s.asked(command), "There is no Envoy. [ED1205]")
		if err := s.ends(); !errors.Is(err, ErrFailed) {
			t.Errorf("%s: %v", command, err)
		}
		s.shows("There is no Envoy. [ED1205]")
	}
}

// A script has failed when one of its commands has; a person tries again.
func TestACommandThatIsWrong(t *testing.T) {
	for _, x := range []struct {
		name, command, shows string
	}{
		{"unknown", "nonsense", "is not a valid command"},
		{"without its text", "await", "await needs"},
		{"refused", "foo", "not now"},
	} {
		for _, interactive := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, interactive %v", x.name, interactive), func(t *testing.T) {
				in, keyboard := io.Pipe()
				s := begin(t, Options{Input: in, Interactive: interactive})
				s.toConfigured()
				s.stops("main")
				_, _ = io.WriteString(keyboard, x.command+"\n")
				switch x.name {
				case "unknown":
					s.answer(s.asked("evaluate"), `{"result":"error: 'nonsense' is not a valid command.\n"}`)
				case "refused":
					s.refuse(s.asked("evaluate"), "not now")
				}
				s.shows(x.shows)
				_ = keyboard.Close()
				want := ErrFailed
				if interactive {
					want = nil
				}
				if err := s.ends(); !errors.Is(err, want) {
					t.Errorf("ended with %v, want %v", err, want)
				}
			})
		}
	}
}

func TestARefusedStepLeavesEnvoyStopped(t *testing.T) {
	s := begin(t, Options{Script: []string{"n", "c"}})
	s.toConfigured()
	s.stops("main")
	s.refuse(s.asked("next"), "not now")
	s.answer(s.asked("continue"), "{}")
	if err := s.ends(); !errors.Is(err, ErrFailed) {
		t.Error(err)
	}
}

// What was asked for before the end has no news after it.
func TestALateAnswerIsQuiet(t *testing.T) {
	in, keyboard := io.Pipe()
	s := begin(t, Options{Input: in, Interactive: true})
	s.toConfigured()
	s.stops("main")
	_, _ = io.WriteString(keyboard, "foo\n")
	late := s.asked("evaluate")
	_, _ = io.WriteString(keyboard, "q\n")
	<-s.ended
	s.refuse(late, "lldb-dap has crashed; the debug session is over.")
	s.event("stopped", `{"reason":"signal","threadId":7}`)
	s.prints("important", fault.LeftRunning([]int{4711}).Error())
	if err := s.outcome(); !errors.Is(err, ErrFailed) {
		t.Errorf("a process was left, and the run ended with %v", err)
	}
	if shown := s.shown.String(); strings.Contains(shown, "crashed") || strings.Contains(shown, "stopped: signal") || !strings.Contains(shown, "[ED1404]") {
		t.Error("late answers were shown, or what is left was not")
	}
}

// broken is an output that takes so many writes.
type broken struct{ left atomic.Int32 }

func (b *broken) Write(p []byte) (int, error) {
	if b.left.Add(-1) < 0 {
		return 0, syscall.EPIPE
	}
	return len(p), nil
}

func TestOutputThatCannotBeWrittenEndsTheRun(t *testing.T) {
	out := &broken{}
	out.left.Store(1)
	s := begin(t, Options{Script: []string{"await nothing"}, Output: out})
	s.toConfigured()
	s.prints("console", "first\n")
	s.running("although the first line was written")
	s.prints("console", "second\n")
	var f *fault.Fault
	if err := s.ends(); !errors.As(err, &f) || f.Code != 1014 || !errors.Is(err, syscall.EPIPE) {
		t.Errorf("ended with %v", err)
	}
}

func TestTheAgentIsStartedWhenTheUserSaysSo(t *testing.T) {
	in, keyboard := io.Pipe()
	s := begin(t, Options{Input: in, Interactive: true, Prompt: true})
	s.answer(s.asked("initialize"), "{}")
	s.asked("attach")
	s.event("envoyPhase", `{"phase":"agent started","state":"waiting","detail":"armed"}`)
	s.shows("press Enter")
	_, _ = io.WriteString(keyboard, "\n")
	s.answer(s.asked("startAgent"), `{"pid":1}`)
	_, _ = io.WriteString(keyboard, "start\n") // too late: a command like any other
	s.shows("there is no agent to start")
	_ = keyboard.Close()
	if err := s.ends(); err != nil {
		t.Error(err)
	}
}

func TestASessionThatEndsByItselfSaysSo(t *testing.T) {
	s := begin(t, Options{Script: []string{"await nothing"}})
	s.toConfigured()
	if err := s.outcome(); !errors.Is(err, ErrFailed) {
		t.Errorf("ended with %v", err)
	}
	s.shows("the adapter ended without saying why")
}

// A source file may have the name of a pipe, which nobody writes to.
func TestAPipeIsNoSourceFile(t *testing.T) {
	pipe := t.TempDir() + "/a.cc"
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if lines := excerpt(pipe, 1, 2); lines != nil {
		t.Errorf("got %v", lines)
	}
	if err := os.Remove(pipe); err != nil {
		t.Fatal(err)
	}
	if lines := excerpt(pipe, 1, 2); lines != nil {
		t.Errorf("got %v", lines)
	}
}
