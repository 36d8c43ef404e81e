package startup

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"
	"unicode/utf8"

	"github.com/envoydbg/envoydbg/adapter/breakpoints"
	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/gdbremote"
	"github.com/envoydbg/envoydbg/adapter/helper"
)

// What the parts tell. Besides these, gdbremote.Arming, gdbremote.Attached, gdbremote.Exit,
// helper.GateParams, helper.ExitParams, sourcesLoaded and placesFound are notices themselves.
type (
	// helperGone: the connection to the helper has ended.
	helperGone struct{ err error }
	// connectionLost: a connection to a debug server has broken.
	connectionLost struct {
		conn string
		err  error
	}
	// debuggeeEnded: lldb-dap has told it.
	debuggeeEnded struct{}
	// attachAnswered: lldb-dap has answered the attach, or cannot any more.
	attachAnswered struct {
		answer *dapio.Message
		err    error
	}
	// initialized: lldb-dap takes breakpoints.
	initialized struct{}
	// configurationDone: the client has set its breakpoints.
	configurationDone struct{}
	// breakpointsSettled: LLDB has answered for all breakpoints of the client's.
	breakpointsSettled struct{ states []breakpoints.State }
	// agentAsked: the user wants the agent to start.
	agentAsked struct{ answer func(int, *fault.Fault) }
)

// note takes one notice into the state. An error ends the sequence.
func (s *Startup) note(ctx context.Context, notice any) error {
	switch n := notice.(type) {
	case sourcesLoaded:
		s.sources = &n
	case placesFound:
		s.found = &n
	case gdbremote.Arming:
		if n.Name == s.awaited() && s.armed == nil { // else it is a command of the user's
			s.armed = &n
		}
	case gdbremote.Attached:
		if s.reached == nil {
			s.reached = &n
			s.phases.Moment(MomentAttached, fmt.Sprintf("pid %d", n.PID))
		}
	case initialized:
		if s.armed == nil {
			// The attach has failed. LLDB 22 says why only after this request, and
			// the client's own waits until Envoy is there.
			go func() { _, _ = s.host.Ask(ctx, dapio.NewRequest("configurationDone", nil)) }()
		}
	case configurationDone:
		s.ready = true
	case breakpointsSettled:
		s.settled = &n
	case agentAsked:
		s.askedForAgent(n)
	case attachAnswered:
		return s.noteAttach(n)
	case helper.GateParams:
		return s.noteGate(n)
	case helper.ExitParams:
		return s.noteExit(n)
	case helperGone:
		return gone(n.err)
	case gdbremote.Exit:
		s.exited = true
	case connectionLost:
		return s.noteLost(ctx, n)
	case debuggeeEnded:
		s.phases.Moment(MomentEnvoy, "")
		if err := s.helperEnd(ctx); err != nil {
			return err
		}
		return errExpected
	}
	return nil
}

// errExpected ends the watch over an Envoy that has ended by itself.
var errExpected = errors.New("the debuggee has ended")

func (s *Startup) askedForAgent(n agentAsked) {
	switch {
	case s.cfg.Agent.Start != config.StartManual:
		n.answer(0, fault.NotManual("this session starts the agent by itself"))
	case s.agent != agentAwaited || s.starter != nil:
		n.answer(0, fault.NotManual("the session is not armed yet, or the agent was started already"))
	default:
		s.starter = n.answer
	}
}

// noteAttach takes lldb-dap's answer to the attach.
func (s *Startup) noteAttach(n attachAnswered) error {
	switch {
	case n.err != nil:
		return nil // the end of lldb-dap is told by itself
	case n.answer.Success:
		s.host.AttachAnswered(n.answer)
		return nil
	}
	why := n.answer.Get("body.error.format").String()
	if why == "" {
		why = n.answer.Get("message").String()
	}
	f := fault.PlatformConnect(why)
	if said := lastLine(s.host.Said()); said != "" && said != why {
		f = f.With("%s", said)
	}
	return f
}

func (s *Startup) noteGate(p helper.GateParams) error {
	switch p.State {
	case helper.GateWaiting:
		s.gatePID = p.PID
		s.phases.Moment(MomentGate, fmt.Sprintf("pid %d", p.PID))
	case helper.GateOpen:
		s.host.Output(console, p.Detail+"\n")
	case helper.GateEnded:
		s.gatePID = 0
		s.host.Output(console, p.Detail+"\n")
	case helper.GateTimeout:
		return fault.GateTimeout(p.PID, p.Detail)
	case helper.GateFailed:
		return fault.GateExec(s.remote.Path, p.Detail)
	case helper.GateRefused:
		return fault.PtraceRefused(p.Detail, p.Do)
	case helper.GateUnreachable:
		s.host.Fault(fault.GateUnreachable(p.Detail, p.Do))
	case helper.GateBypassed:
		return fault.GateBypassed(p.PID, p.Detail, p.Do)
	}
	return nil
}

// noteExit follows the processes that the helper started.
func (s *Startup) noteExit(p helper.ExitParams) error {
	switch {
	case p.What == "platform":
		return fault.ServerDied("lldb-server platform: "+p.Status, p.Stderr)
	case s.reached == nil || s.reached.Err != nil:
		return fault.AgentEnded(p.Status)
	default:
		// The end of Envoy is the debugger's to tell, and the agent's follows
		// from it. An agent that died alone leaves Envoy alive, and debugged.
		s.host.Output(console, fmt.Sprintf("%s (pid %d) ended: %s\n", filepath.Base(s.cfg.Agent.Command[0]), p.PID, p.Status))
		return nil
	}
}

// noteLost reports a broken connection by its cause: with the helper everything
// ends, and with Envoy its debug server.
func (s *Startup) noteLost(ctx context.Context, n connectionLost) error {
	if err := s.helperEnd(ctx); err != nil {
		return err
	}
	if s.exited {
		return s.cause(ctx, fault.EnvoyKilled(s.pid()))
	}
	return s.cause(ctx, fault.ConnectionLost(fmt.Sprintf("connection %s: %v", n.conn, n.err)))
}

func (s *Startup) pid() int {
	if s.reached == nil {
		return 0
	}
	return s.reached.PID
}

// lostTime bounds the search for the reason of an end.
const lostTime = 2 * time.Second

// helperEnd is the fault of a helper that has ended or is about to, which takes
// all others with it; nil while it answers.
func (s *Startup) helperEnd(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lostTime)
	defer cancel()
	if _, err := s.beside.Process(ctx, helper.ProcessParams{}); err == nil {
		return nil
	}
	select {
	case <-s.beside.Done():
		return gone(s.beside.Err())
	case <-ctx.Done():
		return nil
	}
}

// gone is the fault of a helper that has ended, unless the target knows better.
func gone(err error) *fault.Fault {
	var f *fault.Fault
	if errors.As(err, &f) {
		return f
	}
	return fault.HelperDied(fmt.Sprint(err))
}

// cut tells that the connection to the helper is cut off.
func (s *Startup) cut(why error, patience time.Duration) {
	s.phases.Moment(MomentCut, fault.Plain(why))
	s.host.Fault(fault.LinkCut(why, patience))
}

// called notes a call in the trace.
func (s *Startup) called(who, what string, took time.Duration, err error) {
	outcome := "ok"
	if err != nil {
		outcome = err.Error()
	}
	s.trace.Line(who, "%s: %s after %v", what, outcome, took.Round(10*time.Microsecond))
}

// say tells what the target has to say.
func (s *Startup) say(format string, args ...any) {
	s.host.Output(console, fmt.Sprintf(format, args...))
}

// resumed tells that the connection to the helper goes on.
func (s *Startup) resumed(after time.Duration) {
	s.phases.Moment(MomentResumed, fmt.Sprintf("after %v", after.Round(time.Millisecond)))
	s.host.Output(console, fmt.Sprintf("The connection to the helper beside Envoy is back after %v; the session goes on.\n", after.Round(100*time.Millisecond)))
}

// ConfigurationDone says that the client has set its breakpoints.
func (s *Startup) ConfigurationDone() { s.box.post(configurationDone{}) }

// Initialized says that lldb-dap has sent the event of that name. It comes behind
// everything that was done for the attach.
func (s *Startup) Initialized() { s.box.post(initialized{}) }

// Busy says that lldb-dap has begun something long, such as "Parsing symbol table:
// envoy". Between the attach and Envoy's first instruction the current phase names it.
func (s *Startup) Busy(title string) { s.phases.Progress("LLDB: %s", title) }

// DebuggeeEnded says that lldb-dap has told the end of Envoy.
func (s *Startup) DebuggeeEnded() { s.box.post(debuggeeEnded{}) }

// StartAgent asks for the agent of a session with "start": "manual". answer is
// called once, on another goroutine.
func (s *Startup) StartAgent(answer func(pid int, f *fault.Fault)) {
	if !s.box.post(agentAsked{answer}) {
		go answer(0, fault.NotManual(sessionEnds))
	}
}

// AgentStarted says that there is an agent which could be ended.
func (s *Startup) AgentStarted() bool { return s.started.Load() }

const sessionEnds = "the session ends"

// What the helper tells.

func (s *Startup) gate(p helper.GateParams) {
	s.trace.Line("gate", "%s pid %d %s", p.State, p.PID, p.Detail)
	s.box.post(p)
}

func (s *Startup) exit(p helper.ExitParams) {
	s.trace.Line("exit", "%s pid %d %s", p.What, p.PID, p.Status)
	s.box.post(p)
}

// splitUTF8 cuts p before an incomplete character at its end.
func splitUTF8(p []byte) (whole, rest []byte) {
	for i := 1; i <= utf8.UTFMax && i <= len(p); i++ {
		if tail := p[len(p)-i:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				return p[:len(p)-i], tail
			}
			break
		}
	}
	return p, nil
}

// admit lets only a process be debugged that this session's agent started.
func (s *Startup) admit(ctx context.Context, pid int) error {
	p, err := s.beside.Process(ctx, helper.ProcessParams{PID: pid})
	switch {
	case err != nil:
		return fault.ForeignProcess(pid, err.Error())
	case !p.Ours:
		return fault.ForeignProcess(pid, p.Exe)
	case p.Query != "" && !s.cfg.Gate:
		return fault.NotTheStart(pid, p.Exe+" "+p.Query)
	}
	return nil
}

// observer is what the relay tells.
type observer struct{ s *Startup }

// Arming implements gdbremote.Observer.
func (o observer) Arming(a gdbremote.Arming) { o.s.box.post(a) }

// Attached implements gdbremote.Observer.
func (o observer) Attached(a gdbremote.Attached) {
	o.s.trace.Line("attached", "pid %d, swallowed %v, error %v", a.PID, a.Skipped, a.Err)
	o.s.box.post(a)
}

// Exited implements gdbremote.Observer.
func (o observer) Exited(e gdbremote.Exit) {
	o.s.trace.Line("exited", "%v", e)
	o.s.box.post(e)
}

// Refused implements gdbremote.Observer.
func (o observer) Refused(r gdbremote.Refused) {
	o.s.host.Fault(fault.Undone(r.What, r.Err))
}

// Disconnected implements gdbremote.Observer.
func (o observer) Disconnected(conn string, err error) {
	o.s.trace.Line("gdb "+conn, "closed: %v", err)
	if p := new(gdbremote.PanicError); errors.As(err, &p) {
		o.s.trace.Line("gdb "+conn, "%s", p.Stack)
	}
	if err != nil {
		o.s.box.post(connectionLost{conn, err})
	}
}

// Packet implements gdbremote.Observer.
func (o observer) Packet(conn string, fromServer bool, f gdbremote.Frame) {
	o.s.trace.Packet(conn, fromServer, f)
}
