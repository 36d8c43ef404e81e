package harness

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/client"
	"github.com/envoydbg/envoydbg/adapter/dapio"
)

// Session is one `envoydbg dap` with a client on its stdio.
type Session struct {
	*client.Client
	// PID is the adapter's.
	PID int
	// Trace is the path of its log.
	Trace string

	t      *testing.T
	story  *Story
	stdin  io.Closer
	reader *holdable
	exited chan struct{} // closed when the adapter has ended
	err    error         // how; valid then
	agent  string        // path of the last attach's agent
	envoy  string        // and of its Envoy
	attach int64         // number of the last launch or attach
}

// Start runs an adapter with further arguments after `dap --log FILE`. Unless
// they name an lldb-dap it is the story's.
func (s *Story) Start(args ...string) *Session {
	s.T.Helper()
	trace := filepath.Join(s.Dir, fmt.Sprintf("trace%d", len(s.sessions)+1))
	if !slices.Contains(args, "--lldb-dap") {
		args = append(args, "--lldb-dap", s.LLDB.DAP)
	}
	return s.StartCommand(trace, The.Envoydbg, append([]string{"dap", "--log", trace}, args...)...)
}

// StartCommand runs any debug adapter, for example lldb-dap by itself.
func (s *Story) StartCommand(trace, program string, args ...string) *Session {
	s.T.Helper()
	s.direct = s.direct || program == s.LLDB.DAP
	cmd := exec.Command(program, args...)
	cmd.Env = s.Env()
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		s.T.Fatal(err)
	}
	// Not StdoutPipe: Wait would close it under the reader.
	out, w, err := os.Pipe()
	if err != nil {
		s.T.Fatal(err)
	}
	cmd.Stdout = w
	err = cmd.Start()
	_ = w.Close()
	if err != nil {
		s.T.Fatal(err)
	}
	reader := &holdable{r: out}
	reader.cond = sync.NewCond(&reader.mu)
	c := &Session{Client: client.New(reader, in), PID: cmd.Process.Pid, Trace: trace, t: s.T, story: s, stdin: in,
		reader: reader, exited: make(chan struct{})}
	go func() {
		c.err = cmd.Wait()
		close(c.exited)
	}()
	s.sessions = append(s.sessions, c)
	return c
}

// Listen starts `envoydbg dap --listen` and returns the address that it prints and
// a function that ends it.
func (s *Story) Listen(address string) (string, func()) {
	s.T.Helper()
	cmd := exec.Command(The.Envoydbg, "dap", "--listen", address, "--lldb-dap", s.LLDB.DAP)
	cmd.Env = s.Env()
	said, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		s.T.Fatal(err)
	}
	var at string
	if _, err := fmt.Fscanf(said, "listening on %s\n", &at); err != nil {
		s.T.Fatal(err)
	}
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		_, _ = io.Copy(os.Stderr, said)
	}()
	return at, func() {
		_ = cmd.Process.Signal(os.Interrupt)
		<-copied // before Wait, which closes the pipe
		if err := cmd.Wait(); err != nil {
			s.T.Errorf("envoydbg dap --listen ended with %v", err)
		}
	}
}

// Dial opens a session with an adapter that listens. Its Exited waits for the end
// of the connection.
func (s *Story) Dial(network, address string) *Session {
	s.T.Helper()
	conn, err := net.Dial(network, address)
	if err != nil {
		s.T.Fatal(err)
	}
	c := &Session{t: s.T, story: s, stdin: conn, exited: make(chan struct{})}
	c.reader = &holdable{r: conn, ended: sync.OnceFunc(func() { close(c.exited) })}
	c.reader.cond = sync.NewCond(&c.reader.mu)
	c.Client = client.New(c.reader, conn)
	s.sessions = append(s.sessions, c)
	return c
}

// holdable is a stream whose reading can be paused.
type holdable struct {
	r    io.Reader
	mu   sync.Mutex
	cond *sync.Cond
	held bool
	// ended, if set, is called at the end of the stream.
	ended func()
}

func (h *holdable) Read(p []byte) (int, error) {
	n, err := h.r.Read(p)
	h.mu.Lock()
	defer h.mu.Unlock()
	for h.held {
		h.cond.Wait()
	}
	if err != nil && h.ended != nil {
		h.ended()
	}
	return n, err
}

// Hold stops the client from reading until Resume.
func (c *Session) Hold() { c.hold(true) }

// Resume makes the client read again.
func (c *Session) Resume() { c.hold(false) }

func (c *Session) hold(yes bool) {
	c.reader.mu.Lock()
	c.reader.held = yes
	c.reader.mu.Unlock()
	c.reader.cond.Broadcast()
}

// Do makes a request that must succeed.
func (c *Session) Do(command string, arguments, result any) {
	c.t.Helper()
	if err := c.Call(c.story.Ctx, command, arguments, result); err != nil {
		c.t.Fatalf("%s: %v", command, err)
	}
}

// Refused makes a request that must be refused, and returns the error.
func (c *Session) Refused(command string, arguments any) *client.Error {
	c.t.Helper()
	var refused *client.Error
	if err := c.Call(c.story.Ctx, command, arguments, nil); !errors.As(err, &refused) {
		c.t.Fatalf("%s should be refused, got: %v", command, err)
	}
	return refused
}

// Initialize sends initialize like an editor that shows progress and phases.
func (c *Session) Initialize() client.Entry {
	c.t.Helper()
	seq, err := c.Send("initialize", map[string]any{"adapterID": "envoy", "linesStartAt1": true, "columnsStartAt1": true,
		"pathFormat": "path", "supportsProgressReporting": true, "supportsEnvoyPhases": true})
	if err != nil {
		c.t.Fatal(err)
	}
	return c.AnswerTo(seq)
}

// AnswerTo waits for the answer to a request.
func (c *Session) AnswerTo(seq int64) client.Entry {
	c.t.Helper()
	return c.Until(0, "an answer", func(e client.Entry) bool {
		return !e.Sent && e.Type == dapio.Response && e.RequestSeq == seq
	})
}

// Until waits for an entry in the log; what names it for the failure.
func (c *Session) Until(from int, what string, match func(client.Entry) bool) client.Entry {
	c.t.Helper()
	e, err := c.Wait(c.story.Ctx, from, match)
	if err != nil {
		c.t.Fatalf("waiting for %s: %v", what, err)
	}
	return e
}

// Seen waits for an event at or after an index of the log.
func (c *Session) Seen(from int, event string) client.Entry {
	c.t.Helper()
	return c.Until(from, "the event "+event, func(e client.Entry) bool {
		return !e.Sent && e.Type == dapio.Event && e.Name == event
	})
}

// Phase waits until a phase of the startup has reached a state.
func (c *Session) Phase(name, state string) client.Entry {
	c.t.Helper()
	return c.Until(0, "the "+state+" of phase "+name, func(e client.Entry) bool {
		return e.Name == "envoyPhase" && e.Get("body.phase").Str == name && e.Get("body.state").Str == state
	})
}

// Output waits until the agent, Envoy or the adapter has printed a text, and returns
// the first event that contains it.
func (c *Session) Output(text string) client.Entry {
	c.t.Helper()
	return c.Until(0, fmt.Sprintf("the output %q", text), func(e client.Entry) bool {
		return !e.Sent && e.Name == "output" && strings.Contains(e.Get("body.output").Str, text)
	})
}

// Events are the events of a name so far.
func (c *Session) Events(name string) []client.Entry {
	var out []client.Entry
	for _, e := range c.Log() {
		if !e.Sent && e.Type == dapio.Event && e.Name == name {
			out = append(out, e)
		}
	}
	return out
}

// Attach sends the attach request without waiting for the answer: depending on the
// version of LLDB, it comes early or late.
func (c *Session) Attach(a Attributes) int64 { return c.begin("attach", a) }

// Launch is Attach with a launch request.
func (c *Session) Launch(a Attributes) int64 { return c.begin("launch", a) }

func (c *Session) begin(command string, a Attributes) int64 {
	c.t.Helper()
	if agent, ok := a["agent"].(map[string]any); ok {
		switch command := agent["command"].(type) {
		case []string:
			c.agent = command[0]
		case []any: // from a JSON text
			c.agent, _ = command[0].(string)
		}
		c.envoy, _ = a["envoyPath"].(string)
	}
	seq, err := c.Send(command, a)
	if err != nil {
		c.t.Fatal(err)
	}
	c.attach = seq
	return seq
}

// AttachFails waits until the launch or attach has been refused.
func (c *Session) AttachFails() *client.Error {
	c.t.Helper()
	var refused *client.Error
	if err := c.Answer(c.story.Ctx, c.attach, nil); !errors.As(err, &refused) {
		c.t.Fatalf("the attach should fail, got: %v", err)
	}
	return refused
}

// Place is a source breakpoint.
type Place struct {
	File string
	Line int
}

// Configure waits for initialized, sets the breakpoints, which must all be verified
// in the answer, and lets Envoy run.
func (c *Session) Configure(places ...Place) {
	c.t.Helper()
	c.Seen(0, "initialized")
	files := map[string][]map[string]int{}
	for _, p := range places {
		files[p.File] = append(files[p.File], map[string]int{"line": p.Line})
	}
	for file, lines := range files {
		var set struct {
			Breakpoints []struct {
				Verified bool
				Line     int
			}
		}
		c.Do("setBreakpoints", map[string]any{"source": map[string]string{"path": file}, "breakpoints": lines}, &set)
		for i, b := range set.Breakpoints {
			if !b.Verified || b.Line != lines[i]["line"] {
				c.t.Errorf("breakpoint %s:%d: verified %v, line %d", file, lines[i]["line"], b.Verified, b.Line)
			}
		}
	}
	c.Do("configurationDone", nil, nil)
}

// Stop is where the debuggee has stopped.
type Stop struct {
	Index          int // of the event in the log
	Reason, Text   string
	Thread         int
	Frames         []Frame
	HitBreakpoints []int
}

// Frame is a stack frame.
type Frame struct {
	ID     int
	Name   string
	Line   int
	Source struct{ Path string }
}

// Stopped waits for a stop at or after an index of the log, and reads the stack.
func (c *Session) Stopped(from int) Stop {
	c.t.Helper()
	e := c.Seen(from, "stopped")
	s := Stop{Index: e.Index, Reason: e.Get("body.reason").Str, Text: e.Get("body.text").Str, Thread: int(e.Get("body.threadId").Int())}
	for _, id := range e.Get("body.hitBreakpointIds").Array() {
		s.HitBreakpoints = append(s.HitBreakpoints, int(id.Int()))
	}
	var stack struct{ StackFrames []Frame }
	c.Do("stackTrace", map[string]int{"threadId": s.Thread}, &stack)
	s.Frames = stack.StackFrames
	if len(s.Frames) == 0 {
		c.t.Fatalf("stopped (%s) without a frame", s.Reason)
	}
	return s
}

// Step makes a request that resumes the thread of a stop.
func (c *Session) Step(command string, s Stop) {
	c.t.Helper()
	c.Do(command, map[string]int{"threadId": s.Thread}, nil)
}

// Command runs an LLDB command and returns what it prints.
func (c *Session) Command(command string) string {
	c.t.Helper()
	var answer struct{ Result string }
	c.Do("evaluate", map[string]string{"expression": "`" + command, "context": "repl"}, &answer)
	return answer.Result
}

// Part waits for a part of the session and returns its PID.
func (c *Session) Part(part Part) int {
	c.t.Helper()
	pid := 0
	if !eventually(5*time.Second, func() bool {
		pids := c.Parts(part)
		if len(pids) > 0 {
			pid = pids[0]
		}
		return len(pids) > 0
	}) {
		c.t.Fatalf("the session has no %s; it has %v", part, c.story.Processes())
	}
	return pid
}

// Parts are the PIDs of a part, those closest to the adapter first.
func (c *Session) Parts(part Part) []int {
	all := c.story.Processes()
	parents := map[int]int{}
	for _, p := range all {
		parents[p.PID] = p.Parent
	}
	// Of this session, if the story has several. A helper that is a daemon is no
	// descendant of the adapter.
	ours := func(pid int) bool {
		if len(c.story.sessions) == 1 {
			return true
		}
		for ; pid > 1; pid = parents[pid] {
			if pid == c.PID {
				return true
			}
		}
		return false
	}
	var pids []int
	for _, p := range all {
		if part.is(p, c.agent, c.envoy) && ours(p.PID) {
			pids = append(pids, p.PID)
		}
	}
	// A fork of the platform serves each connection; it has the same arguments.
	slices.SortFunc(pids, func(a, b int) int {
		switch {
		case parents[b] == a:
			return -1
		case parents[a] == b:
			return 1
		}
		return a - b
	})
	return pids
}

// Disconnect ends the session as an editor does, and returns how long the answer
// took. Everything of the session must have ended in time.
func (c *Session) Disconnect() time.Duration {
	c.t.Helper()
	began := time.Now()
	c.Do("disconnect", map[string]any{}, nil)
	took := time.Since(began)
	c.End()
	return took
}

// End closes the client's side and waits for the adapter's end.
func (c *Session) End() {
	c.t.Helper()
	c.Vanish()
	c.Exited()
}

// Vanish closes the client's side without sending anything.
func (c *Session) Vanish() {
	c.Close()
	_ = c.stdin.Close()
}

// Exited waits for the adapter's end and returns how it ended.
func (c *Session) Exited() error {
	c.t.Helper()
	select {
	case <-c.exited:
	case <-time.After(EndWithin):
		c.t.Errorf("the adapter (pid %d) has not ended within %v", c.PID, EndWithin)
		_ = Kill(c.PID)
		<-c.exited
	}
	return c.err
}

// close ends the session if the story has left it running.
func (c *Session) close() {
	c.Resume()
	select {
	case <-c.exited:
		return
	default:
	}
	if !c.t.Failed() {
		c.t.Errorf("the story has left its session running")
	}
	c.End()
}

// NoProcess waits until the session has no such part any more.
func (c *Session) NoProcess(part Part) {
	c.t.Helper()
	if !eventually(EndWithin, func() bool { return len(c.Parts(part)) == 0 }) {
		c.t.Errorf("the %s still runs: %v", part, c.story.Processes())
	}
}
