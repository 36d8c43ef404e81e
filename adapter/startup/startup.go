package startup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/envoydbg/envoydbg/adapter/breakpoints"
	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/gdbremote"
	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/helper/elfinfo"
	"github.com/envoydbg/envoydbg/adapter/lldb"
	"github.com/envoydbg/envoydbg/adapter/paths"
	"github.com/envoydbg/envoydbg/adapter/trace"
	"github.com/envoydbg/envoydbg/internal/tail"
)

// Host is the session, as its startup needs it.
type Host interface {
	// Attach sends lldb-dap the attach, and behind it what the client has asked
	// for meanwhile. answer is called once, unless there is an error.
	Attach(m *dapio.Message, answer lldb.Answer) error
	// AttachAnswered answers the client's request with lldb-dap's answer.
	AttachAnswered(answer *dapio.Message)
	// Attached: LLDB has Envoy.
	Attached()
	// Ask sends lldb-dap a request of the startup's own.
	Ask(ctx context.Context, m *dapio.Message) (*dapio.Message, error)
	// Said is what LLDB has written to its console last.
	Said() string
	// Preset: the breakpoint with this id, of LLDB's, is a preset's.
	Preset(id int64, name string)
	// Breakpoints calls settled, which must not block, with how the editor's
	// breakpoints stand, once none is being set.
	Breakpoints(settled func([]breakpoints.State))
	// Go lets Envoy run.
	Go()
	// Output shows text to the user. It may block while the client does not read.
	Output(category, text string)
	// Ended: the sequence failed, or what it watches is at its end; nil if that
	// was to be expected.
	Ended(err error)
}

// Config describes a startup.
type Config struct {
	Session    string // 8 hex digits
	Attributes *config.Config
	Arguments  string // of the client's launch or attach, as JSON
	Dir        string // 0700, for sockets
	LLDBDap    string // path of the lldb-dap in use
	LLDB       lldb.Version
	Target     Target
	Sources    paths.Load // nil for none
	Paths      *paths.Rewriter
}

// Startup is the startup of one session.
type Startup struct {
	cfg    *config.Config
	opts   Config
	host   Host
	phases *Phases
	trace  *trace.Trace
	box    *mailbox
	done   chan struct{} // closed when the sequence has returned

	// What follows belongs to the sequence's goroutine.

	local   elfinfo.Info
	remote  helper.InspectResult
	sources *sourcesLoaded
	armed   *gdbremote.Arming
	reached *gdbremote.Attached
	ready   bool // the client has set its breakpoints
	agent   agentState
	starter func(pid int, f *fault.Fault) // who has asked for the agent
	gatePID int                           // who waits at the gate
	exited  bool                          // the debug server has told the end of Envoy
	settled *breakpointsSettled           // the editor's breakpoints
	presets []breakpoints.State
	// pastMain: main had begun before the breakpoint in it was set.
	pastMain bool
	// agentLog takes the agent's output if it is not shown: a file, or nothing.
	agentLog *os.File
	// hidden keeps the ends of an output that is not shown.
	hidden tail.Tail
	// partial holds, by stream, the first bytes of a character whose rest is still
	// to come; it belongs to the goroutine that brings the output.
	partial map[string][]byte

	// parts are what the end has to close; the sequence adds, End takes.
	partsMu sync.Mutex
	beside  Beside
	relay   *gdbremote.Relay
	ended   bool
}

// agentState is what may happen to the agent.
type agentState int

const (
	agentNotYet  agentState = iota // not armed
	agentAwaited                   // armed, and waiting for the user's word
	agentStarted                   // started, or about to be
)

// New returns a startup that has not begun.
func New(c Config, h Host, p *Phases, t *trace.Trace) *Startup {
	return &Startup{cfg: c.Attributes, opts: c, host: h, phases: p, trace: t, box: newMailbox(), done: make(chan struct{}),
		partial: map[string][]byte{}}
}

// Start runs the sequence until ctx ends.
func (s *Startup) Start(ctx context.Context) {
	go func() {
		defer close(s.done)
		err := s.run(ctx)
		s.leaveMailbox()
		if errors.Is(err, errExpected) {
			err = nil
		}
		if ctx.Err() == nil {
			s.host.Ended(err)
		}
	}()
}

// run brings Envoy to its entry with the breakpoints bound, and then watches.
func (s *Startup) run(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.trace.Panic("the startup", p)
			err = fault.Panicked("the startup", p)
		}
	}()
	steps := []func(context.Context) error{s.preflight, s.server, s.symbols, s.startAgent, s.reach, s.bind}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			if ctx.Err() == nil { // else somebody has ended the session
				s.reveal()
			}
			return err
		}
	}
	s.phases.Finish(nil)
	return s.until(ctx, func() bool { return false })
}

// until takes notices until what the caller waits for is there.
func (s *Startup) until(ctx context.Context, there func() bool) error {
	for !there() {
		notice, err := s.box.take(ctx)
		if err != nil {
			return err
		}
		if err := s.note(ctx, notice); err != nil {
			return err
		}
	}
	return nil
}

// cause gives trouble that has already been told the word over its consequence.
func (s *Startup) cause(ctx context.Context, consequence error) error {
	for {
		notice, ok := s.box.poll()
		if !ok {
			return consequence
		}
		switch notice.(type) {
		case attachAnswered, debuggeeEnded:
			continue // a consequence, too
		}
		if err := s.note(ctx, notice); err != nil {
			return err
		}
	}
}

// awaited is the name the debug server waits for.
func (s *Startup) awaited() string {
	if s.cfg.Gate {
		return helper.GateBase(s.opts.Session)
	}
	return filepath.Base(s.remote.Path)
}

// preflight checks all that can be checked before anything is started.
func (s *Startup) preflight(ctx context.Context) error {
	s.phases.Begin(PhasePreflight)
	err := s.openOutput()
	if err != nil {
		return err
	}
	if s.local, err = abandonable(ctx, func() (elfinfo.Info, error) { return elfinfo.Read(s.cfg.Program) }); err != nil {
		return fault.BadProgram(s.cfg.Program, err)
	}
	s.loadSources(ctx)
	beside, err := s.opts.Target.Connect(ctx, Notices{Output: s.output, Gate: s.gate, Exit: s.exit, Cut: s.cut, Resumed: s.resumed, Progress: s.phases.Progress})
	if err != nil {
		return err
	}
	if !s.own(func() { s.beside = beside }) {
		_ = beside.Close()
		return context.Canceled
	}
	go func() {
		<-beside.Done()
		s.box.post(helperGone{beside.Err()})
	}()
	hello, err := beside.Hello(ctx, helper.HelloParams{Protocol: helper.Protocol, Session: s.opts.Session})
	if err != nil {
		return s.cause(ctx, fault.HelperStart(err, ""))
	}
	if hello.Protocol != helper.Protocol {
		return fault.HelperStart(fmt.Errorf("it speaks protocol %d, envoydbg speaks %d", hello.Protocol, helper.Protocol), "")
	}
	if s.remote, err = beside.Inspect(ctx, helper.InspectParams{Path: s.cfg.EnvoyPath}); err != nil {
		return s.cause(ctx, fault.BadEnvoyPath(s.cfg.EnvoyPath, err.Error()))
	}
	same, err := s.sameBuild()
	if err != nil {
		return err
	}
	if len(s.cfg.Agent.Command) == 0 {
		s.cfg.Agent.Command = s.opts.Target.Agent()
	}
	where := s.opts.Target.Name()
	if where != "" {
		where += ", "
	}
	s.phases.End("%slldb-dap %s, %s", where, s.opts.LLDB.Text, same)
	return nil
}

// abandonable waits for f, but no longer than ctx lasts: a file on a dead network
// mount may never answer.
func abandonable[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type outcome struct {
		v   T
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		v, err := f()
		done <- outcome{v, err}
	}()
	select {
	case o := <-done:
		return o.v, o.err
	case <-ctx.Done():
		var zero T
		return zero, ctx.Err()
	}
}

// own adds a part, unless the session has ended.
func (s *Startup) own(add func()) bool {
	s.partsMu.Lock()
	defer s.partsMu.Unlock()
	if !s.ended {
		add()
	}
	return !s.ended
}

// sameBuild compares the local program with the Envoy that will run, and says
// what it found.
func (s *Startup) sameBuild() (string, error) {
	l, m := s.local, s.remote
	switch {
	case l.Machine != m.Machine:
		return "", fault.WrongMachine(s.cfg.Program, l.Machine, m.Path, m.Machine)
	case l.BuildID != "" && l.BuildID == m.BuildID:
		return "build-id " + short(l.BuildID) + " matches", nil
	case l.BuildID != "" || m.BuildID != "":
		return "", fault.BuildIDMismatch(s.cfg.Program, l.BuildID, m.Path, m.BuildID)
	}
	// The same file needs no build-id.
	if a, err := filepath.EvalSymlinks(s.cfg.Program); err == nil && a == m.Path && s.cfg.Local() {
		return "program and envoyPath are one file", nil
	}
	return "", fault.NoBuildID(s.cfg.Program, m.Path)
}

func short(id string) string {
	if len(id) <= 12 {
		return id
	}
	return id[:4] + "…" + id[len(id)-4:]
}

// server starts lldb-server there and the relay here.
func (s *Startup) server(ctx context.Context) error {
	s.phases.Begin(PhaseServer)
	path, err := s.opts.Target.LLDBServer(ctx, s.cfg.LLDBServer, s.opts.LLDBDap, s.opts.LLDB)
	if err != nil {
		return err
	}
	platform, err := s.beside.PlatformStart(ctx, helper.PlatformStartParams{LLDBServer: path})
	if refusal := helper.RefusalOf(err); refusal != nil {
		return fault.PtraceRefused(refusal.Why, refusal.Do)
	}
	if err != nil {
		return s.cause(ctx, fault.ServerStart(err.Error()))
	}
	relay, err := gdbremote.Start(gdbremote.Config{Dir: s.opts.Dir, Platform: platform.Socket, Dial: s.beside.Dial,
		Awaited: s.awaited(), SkipToExec: s.cfg.Gate, Admit: s.admit, Observer: observer{s}})
	if err != nil {
		return err
	}
	if !s.own(func() { s.relay = relay }) {
		relay.Close()
		return context.Canceled
	}
	if !strings.HasPrefix(platform.Version, fmt.Sprintf("%d.", s.opts.LLDB.Major)) {
		s.host.Output(important, fmt.Sprintf("lldb-dap is %s and lldb-server is %s; they are only known to work together in one version.\n",
			s.opts.LLDB.Text, platform.Version))
	}
	s.phases.End("lldb-server %s (pid %d)", platform.Version, platform.PID)
	return nil
}

// symbols hands the attach to lldb-dap, which loads the symbols and then tells
// the debug server to wait.
func (s *Startup) symbols(ctx context.Context) error {
	s.phases.Begin(PhaseSymbols)
	if err := s.until(ctx, func() bool { return s.sources != nil }); err != nil {
		return err
	}
	found := s.useSources()
	attach, err := s.attachRequest()
	if err != nil {
		return err
	}
	err = s.host.Attach(attach, func(answer *dapio.Message, err error) { s.box.post(attachAnswered{answer, err}) })
	if err != nil {
		return s.cause(ctx, err)
	}
	if err := s.until(ctx, func() bool { return s.armed != nil }); err != nil {
		return err
	}
	what := "symbols and line tables"
	switch {
	case found != "":
		what = found
	case s.local.DWARF:
	case s.local.Symbols:
		what = "symbols, no line tables"
	default:
		what = "stripped: no symbols"
	}
	s.phases.End("%s  %s", filepath.Base(s.cfg.Program), what)

	s.phases.Begin(PhaseArmed)
	s.phases.End("%s %s written; %s", s.armed.Packet, s.armed.Name, s.polling(ctx, s.armed.ServerPID))
	return nil
}

// pollingTime bounds the look at the debug server's own state. The packet makes
// the order safe by itself (the wait includes processes that exist already), so
// this is evidence, and its absence no failure.
const pollingTime = 500 * time.Millisecond

// pollingPause is the time between two looks. lldb-server scans every millisecond.
const pollingPause = 2 * time.Millisecond

// polling looks at the debug server until it is seen between two scans.
func (s *Startup) polling(ctx context.Context, pid int) string {
	ctx, cancel := context.WithTimeout(ctx, pollingTime)
	defer cancel()
	detail := "no answer"
	for {
		state, err := s.beside.ServerState(ctx, helper.ServerStateParams{PID: pid})
		switch {
		case ctx.Err() != nil:
			return fmt.Sprintf("lldb-server (pid %d) was not seen polling: %s", pid, detail)
		case err != nil:
			return "its state cannot be read: " + fault.Plain(err)
		case state.Polling:
			return fmt.Sprintf("lldb-server (pid %d) polls: %s", pid, state.Detail)
		}
		detail = state.Detail
		select {
		case <-time.After(pollingPause):
		case <-ctx.Done():
		}
	}
}

// startAgent starts the agent, at once or when the user says so.
func (s *Startup) startAgent(ctx context.Context) error {
	s.phases.Begin(PhaseAgent)
	if s.cfg.Agent.Start == config.StartManual {
		s.agent = agentAwaited
		s.phases.Waiting("armed, waiting for you to start the agent")
		s.host.Output(console, "Armed. The command \"Envoy: Start Agent\" (the request \"startAgent\") starts the agent.\n")
		if err := s.until(ctx, func() bool { return s.starter != nil }); err != nil {
			return err
		}
	}
	s.agent = agentStarted
	started, err := s.beside.AgentStart(ctx, helper.AgentStartParams{Command: s.cfg.Agent.Command, Expand: !s.cfg.Local(), Env: s.cfg.Agent.Env,
		Cwd: s.cfg.Agent.Cwd, EnvoyPath: s.remote.Path, Gate: s.cfg.Gate, GateTimeout: s.cfg.Timeout().Milliseconds()})
	if err != nil {
		f := s.agentFault(ctx, err)
		if s.starter != nil {
			s.starter(0, fault.From(f))
			s.starter = nil
		}
		return f
	}
	if s.starter != nil {
		s.starter(started.PID, nil)
		s.starter = nil
	}
	s.phases.End("%s (pid %d)", strings.Join(s.cfg.Agent.Command, " "), started.PID)
	return nil
}

// leaveMailbox refuses what asks for the agent from here on.
func (s *Startup) leaveMailbox() {
	if s.starter != nil {
		s.starter(0, fault.NotManual(sessionEnds))
	}
	for _, notice := range s.box.close() {
		if ask, ok := notice.(agentAsked); ok {
			ask.answer(0, fault.NotManual(sessionEnds))
		}
	}
}

func (s *Startup) agentFault(ctx context.Context, err error) error {
	if refusal := helper.RefusalOf(err); refusal != nil {
		return fault.PtraceRefused(refusal.Why, refusal.Do)
	}
	if helper.Code(err) == helper.CodeEnvoyRunning {
		return fault.EnvoyRunning(err.Error())
	}
	return s.cause(ctx, fault.AgentStart(s.cfg.Agent.Command, err.Error()))
}

// errLate is the cause of the end of the wait for Envoy.
var errLate = errors.New("no Envoy in time")

// reach waits until Envoy is held by the debugger.
func (s *Startup) reach(ctx context.Context) error {
	s.phases.Begin(PhaseAttached)
	wait, cancel := context.WithTimeoutCause(ctx, s.cfg.Timeout(), errLate)
	defer cancel()
	counted := s.countWait(wait)
	err := s.until(wait, func() bool { return s.reached != nil })
	cancel()
	<-counted
	switch {
	case errors.Is(err, errLate) && s.gatePID != 0:
		return fault.GateTimeout(s.gatePID, fmt.Sprintf("was not traced within %v", s.cfg.Timeout()))
	case errors.Is(err, errLate):
		return fault.TargetNeverAppeared(s.awaited(), s.cfg.Timeout())
	case err != nil:
		return err
	}
	var f *fault.Fault
	switch err := s.reached.Err; {
	case errors.As(err, &f):
		return f
	case errors.Is(err, gdbremote.ErrEnded):
		return s.cause(ctx, fault.EnvoyEnded(err.Error()))
	case err != nil:
		return s.cause(ctx, fault.AttachFailed(err.Error()))
	}
	s.host.Attached()
	where := "before its first instruction"
	if !s.cfg.Gate {
		where = "caught while starting (no gate)"
	}
	s.phases.End("%s (pid %d) %s", filepath.Base(s.remote.Path), s.reached.PID, where)
	return nil
}

// countWait tells each second how long Envoy has been waited for, until ctx ends; the
// channel is then closed.
func (s *Startup) countWait(ctx context.Context) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		second := time.NewTicker(time.Second)
		defer second.Stop()
		for n := 1; ; n++ {
			select {
			case <-second.C:
				s.phases.Progress("waiting for Envoy, %d s of %.0f s", n, s.cfg.Timeout().Seconds())
			case <-ctx.Done():
				return
			}
		}
	}()
	return done
}

// bind waits for the client's breakpoints, adds the presets, and lets Envoy run.
func (s *Startup) bind(ctx context.Context) error {
	s.phases.Begin(PhaseBreakpoints)
	go s.checkPython(ctx)
	if err := s.until(ctx, func() bool { return s.ready }); err != nil {
		return err
	}
	// Before the presets, so that LLDB counts the editor's first.
	s.host.Breakpoints(func(states []breakpoints.State) { s.box.post(breakpointsSettled{states}) })
	if err := s.until(ctx, func() bool { return s.settled != nil }); err != nil {
		return err
	}
	if err := s.setPresets(ctx); err != nil {
		return s.cause(ctx, err)
	}
	s.phases.End("%s", s.tellBound(append(s.settled.states, s.presets...)))
	if s.pastMain && !s.cfg.StopOnEntry {
		s.relay.StopInPlace() // there will be no stop at main
	}
	s.host.Go()
	return nil
}
