package adapter

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/gdbremote"
	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/helper/elfinfo"
)

// startup is the startup of one session: the sequence, and after it the watch
// over the parts.
type startup struct {
	s   *Session
	b   *backend
	cfg *config.Config
	req *dapio.Message // the client's launch or attach

	// What the sequence waits for. Each is sent to at most once, or dropped
	// when full.
	arming     chan gdbremote.Arming
	attachedCh chan gdbremote.Attached
	configDone chan struct{} // closed
	startAgent chan *dapio.Message
	askMu      sync.Mutex
	asking     bool // the agent may be asked for
	// trouble is the first thing that went wrong.
	trouble chan error
	done    chan struct{} // closed when run has returned

	attached    atomic.Bool
	gatePID     atomic.Int64 // who waits at the gate
	envoyPID    atomic.Int64 // who was attached to
	envoyEnded  atomic.Bool  // the debug server says so
	lost        atomic.Bool  // a connection to the debug server has broken
	pastMain    bool         // main had begun before the breakpoint in it was set
	breakpoints bound
	firstStop   sync.Once
	// partial holds, by stream, the first bytes of a character whose rest is
	// still to come.
	partial map[string][]byte
	stops   atomic.Int64

	// Set by the sequence, read by the cleanup after done.
	beside Beside
	relay  *gdbremote.Relay

	local  elfinfo.Info
	remote helper.InspectResult

	rewrite *rewriter
	sources chan sourcesLoaded // has room for the one answer
}

func newStartup(s *Session, b *backend, cfg *config.Config, req *dapio.Message) *startup {
	r := &startup{s: s, b: b, cfg: cfg, req: req,
		arming: make(chan gdbremote.Arming, 1), attachedCh: make(chan gdbremote.Attached, 1),
		configDone: make(chan struct{}), startAgent: make(chan *dapio.Message, 1),
		trouble: make(chan error, 1), done: make(chan struct{}), partial: map[string][]byte{}, sources: make(chan sourcesLoaded, 1)}
	r.rewrite = newRewriter(func(local string) {
		s.output(important, fault.SourceChanged(local).Error()+"\n")
	})
	return r
}

func (r *startup) isAttached() bool { return r.attached.Load() }

// fail reports trouble; only the first counts.
func (r *startup) fail(err error) {
	select {
	case r.trouble <- err:
	default:
	}
}

// run is the startup goroutine.
func (r *startup) run() {
	defer close(r.done)
	err := r.sequence()
	r.stopAsking()
	if err == nil {
		r.s.phases.finish(nil)
		_, err = await(r, make(chan struct{}))
	}
	if r.s.ctx.Err() == nil {
		r.s.end(fault.From(err))
	}
}

// await waits for what is to come, for trouble, or for the end of the session.
func await[T any](r *startup, ch <-chan T) (T, error) {
	var zero T
	select {
	case v := <-ch:
		return v, nil
	case err := <-r.trouble:
		return zero, err
	case <-r.s.ctx.Done():
		return zero, r.s.ctx.Err()
	}
}

// sequence brings Envoy to its entry with the breakpoints bound.
func (r *startup) sequence() error {
	steps := []func(context.Context) error{r.preflight, r.server, r.symbols, r.agent, r.reach, r.bind}
	for _, step := range steps {
		if err := step(r.s.ctx); err != nil {
			return err
		}
	}
	return nil
}

// awaited is the name the debug server waits for.
func (r *startup) awaited() string {
	if r.cfg.Gate {
		return helper.GateBase(r.s.id)
	}
	return filepath.Base(r.remote.Path)
}

// preflight checks all that can be checked before anything is started.
func (r *startup) preflight(ctx context.Context) error {
	r.s.phases.begin(PhasePreflight)
	var err error
	if r.local, err = elfinfo.Read(r.cfg.Program); err != nil {
		return fault.BadProgram(r.cfg.Program, err)
	}
	r.loadSources()
	beside, err := r.s.opts.Local.Connect(ctx, Notices{Output: r.onOutput, Gate: r.onGate, Exit: r.onExit})
	if err != nil {
		return err
	}
	r.beside = beside
	go func() {
		<-beside.Done()
		r.fail(fault.HelperDied(fmt.Sprint(beside.Err())))
	}()
	hello, err := beside.Hello(ctx, helper.HelloParams{Protocol: helper.Protocol, Session: r.s.id})
	if err != nil {
		return r.prefer(fault.HelperStart(err, ""))
	}
	if hello.Protocol != helper.Protocol {
		return fault.HelperStart(fmt.Errorf("it speaks protocol %d, envoydbg speaks %d", hello.Protocol, helper.Protocol), "")
	}
	if r.remote, err = beside.Inspect(ctx, helper.InspectParams{Path: r.cfg.EnvoyPath}); err != nil {
		return r.prefer(fault.BadEnvoyPath(r.cfg.EnvoyPath, err.Error()))
	}
	same, err := r.sameBuild()
	if err != nil {
		return err
	}
	r.s.phases.end("lldb-dap %s, %s", r.b.version.Text, same)
	return nil
}

// prefer gives trouble that has already been seen the word over its consequence.
func (r *startup) prefer(consequence error) error {
	select {
	case err := <-r.trouble:
		return err
	default:
		return consequence
	}
}

// sameBuild compares the local program with the Envoy that will run, and says
// what it found.
func (r *startup) sameBuild() (string, error) {
	l, m := r.local, r.remote
	switch {
	case l.Machine != m.Machine:
		return "", fault.WrongMachine(r.cfg.Program, l.Machine, m.Path, m.Machine)
	case l.BuildID != "" && l.BuildID == m.BuildID:
		return "build-id " + short(l.BuildID) + " matches", nil
	case l.BuildID != "" || m.BuildID != "":
		return "", fault.BuildIDMismatch(r.cfg.Program, l.BuildID, m.Path, m.BuildID)
	}
	// The same file needs no build-id, on this machine.
	if a, err := filepath.EvalSymlinks(r.cfg.Program); err == nil && a == m.Path {
		return "program and envoyPath are one file", nil
	}
	return "", fault.NoBuildID(r.cfg.Program, m.Path)
}

func short(id string) string {
	if len(id) <= 12 {
		return id
	}
	return id[:4] + "…" + id[len(id)-4:]
}

// server starts lldb-server there and the relay here.
func (r *startup) server(ctx context.Context) error {
	r.s.phases.begin(PhaseServer)
	path, err := r.s.opts.Local.LLDBServer(r.cfg.LLDBServer, r.b.child.Path, r.b.version)
	if err != nil {
		return err
	}
	platform, err := r.beside.PlatformStart(ctx, helper.PlatformStartParams{LLDBServer: path})
	if err != nil {
		return r.prefer(fault.ServerStart(err.Error()))
	}
	r.relay, err = gdbremote.Start(gdbremote.Config{Dir: r.s.opts.TempDir, Platform: platform.Socket, Dial: r.beside.Dial,
		Awaited: r.awaited(), SkipToExec: r.cfg.Gate, Admit: r.admit, Observer: observer{r}})
	if err != nil {
		return err
	}
	if !strings.HasPrefix(platform.Version, fmt.Sprintf("%d.", r.b.version.Major)) {
		r.s.output(important, fmt.Sprintf("lldb-dap is %s and lldb-server is %s; they are only known to work together in one version.\n",
			r.b.version.Text, platform.Version))
	}
	r.s.phases.end("lldb-server %s (pid %d)", platform.Version, platform.PID)
	return nil
}

// symbols hands the attach to lldb-dap, which loads the symbols and then tells
// the debug server to wait.
func (r *startup) symbols(ctx context.Context) error {
	r.s.phases.begin(PhaseSymbols)
	found, err := r.takeSources(ctx)
	if err != nil {
		return err
	}
	attach, err := r.attachRequest()
	if err != nil {
		return err
	}
	if err := r.b.toLLDB.Forward(attach, 0, func(seq int64) {
		r.b.put(seq, pending{command: attach.Name})
	}); err != nil {
		return r.prefer(err)
	}
	r.s.release()
	arming, err := await(r, r.arming)
	if err != nil {
		return err
	}
	what := "symbols and line tables"
	switch {
	case found != "":
		what = found
	case r.local.DWARF:
	case r.local.Symbols:
		what = "symbols, no line tables"
	default:
		what = "stripped: no symbols"
	}
	r.s.phases.end("%s  %s", filepath.Base(r.cfg.Program), what)

	r.s.phases.begin(PhaseArmed)
	r.s.phases.end("%s %s written; %s", arming.Packet, arming.Name, r.polling(ctx, arming.ServerPID))
	return nil
}

// pollingTime bounds the look at the debug server's own state. The packet makes
// the order safe by itself (the wait includes processes that exist already), so
// this is evidence, and its absence no failure.
const pollingTime = 500 * time.Millisecond

// polling looks at the debug server until it is seen between two scans, or has
// found Envoy, after which it polls no more.
func (r *startup) polling(ctx context.Context, pid int) string {
	deadline := time.Now().Add(pollingTime)
	for {
		state, err := r.beside.ServerState(ctx, helper.ServerStateParams{PID: pid})
		switch {
		case err != nil:
			return "its state cannot be read: " + err.Error()
		case state.Polling:
			return fmt.Sprintf("lldb-server (pid %d) polls: %s", pid, state.Detail)
		case len(r.attachedCh) > 0:
			return fmt.Sprintf("lldb-server (pid %d) has found it already", pid)
		case time.Now().After(deadline):
			return fmt.Sprintf("lldb-server (pid %d) was not seen polling: %s", pid, state.Detail)
		}
	}
}

// agent starts the agent, at once or when the user says so.
func (r *startup) agent(ctx context.Context) error {
	r.s.phases.begin(PhaseAgent)
	var ask *dapio.Message
	if r.cfg.Agent.Start == config.StartManual {
		r.askMu.Lock()
		r.asking = true
		r.askMu.Unlock()
		r.s.phases.waiting("armed, waiting for Envoy: Start Agent")
		r.s.output(console, "Armed. The agent starts on the command \"Envoy: Start Agent\".\n")
		var err error
		if ask, err = await(r, r.startAgent); err != nil {
			return err
		}
	}
	started, err := r.beside.AgentStart(ctx, helper.AgentStartParams{Command: r.cfg.Agent.Command, Env: r.cfg.Agent.Env,
		Cwd: r.cfg.Agent.Cwd, EnvoyPath: r.remote.Path, Gate: r.cfg.Gate, GateTimeout: r.cfg.Timeout().Milliseconds()})
	if err != nil {
		f := r.agentFault(err)
		if ask != nil {
			r.s.refuse(ask, fault.From(f))
		}
		return f
	}
	if ask != nil {
		r.s.respond(ask, map[string]int{"pid": started.PID})
	}
	r.s.phases.end("%s (pid %d)", strings.Join(r.cfg.Agent.Command, " "), started.PID)
	return nil
}

// ask takes the user's request for the agent, which will be answered, or says
// why it is the wrong time for it.
func (r *startup) ask(m *dapio.Message) string {
	r.askMu.Lock()
	defer r.askMu.Unlock()
	switch {
	case r.cfg.Agent.Start != config.StartManual:
		return "this session starts the agent by itself"
	case !r.asking:
		return "the session is not armed yet, or the agent was started already"
	}
	r.asking = false
	r.startAgent <- m // has room: it is asked for once
	return ""
}

// stopAsking refuses from here on, and what was asked for at the last moment.
func (r *startup) stopAsking() {
	r.askMu.Lock()
	defer r.askMu.Unlock()
	r.asking = false
	select {
	case m := <-r.startAgent:
		r.s.refuse(m, fault.NotManual("the session ends"))
	default:
	}
}

func (r *startup) agentFault(err error) error {
	if helper.Code(err) == helper.CodeEnvoyRunning {
		return fault.EnvoyRunning(err.Error())
	}
	return r.prefer(fault.AgentStart(r.cfg.Agent.Command, err.Error()))
}

// reach waits until Envoy is held by the debugger.
func (r *startup) reach(context.Context) error {
	r.s.phases.begin(PhaseAttached)
	late := time.AfterFunc(r.cfg.Timeout(), func() {
		if pid := int(r.gatePID.Load()); pid != 0 {
			r.fail(fault.GateTimeout(pid, fmt.Sprintf("was not traced within %v", r.cfg.Timeout())))
			return
		}
		r.fail(fault.TargetNeverAppeared(r.awaited(), r.cfg.Timeout()))
	})
	defer late.Stop()
	attached, err := await(r, r.attachedCh)
	if err != nil {
		return err
	}
	var f *fault.Fault
	switch {
	case errors.As(attached.Err, &f):
		return f
	case errors.Is(attached.Err, gdbremote.ErrEnded):
		return r.prefer(fault.EnvoyEnded(attached.Err.Error()))
	case attached.Err != nil:
		return r.prefer(fault.AttachFailed(attached.Err.Error()))
	}
	r.attached.Store(true)
	where := "before its first instruction"
	if !r.cfg.Gate {
		where = "caught while starting (no gate)"
	}
	r.s.phases.end("%s (pid %d) %s", filepath.Base(r.remote.Path), attached.PID, where)
	return nil
}

// bind waits for the client's breakpoints, adds the presets, and lets the
// client's configurationDone through, upon which Envoy runs.
func (r *startup) bind(ctx context.Context) error {
	r.s.phases.begin(PhaseBreakpoints)
	if _, err := await(r, r.configDone); err != nil {
		return err
	}
	if err := r.presets(ctx); err != nil {
		return r.prefer(err)
	}
	r.s.phases.end("%s", r.breakpoints.String())
	if r.pastMain && !r.cfg.StopOnEntry {
		r.relay.StopInPlace() // there will be no stop at main
	}
	r.s.routeMu.Lock()
	r.s.configured = true
	r.s.routeMu.Unlock()
	r.s.release()
	return nil
}
