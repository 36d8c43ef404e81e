package adapter

import (
	"context"
	"time"

	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/startup"
)

// ending says why and how a session ends.
type ending struct {
	// fault is told to the client; nil for an end that was asked for.
	fault *fault.Fault
	// request is the client's disconnect, if that is what ends it.
	request *request
	// atEnd is what becomes of Envoy and its agent, one of config's AtEnd…; "" is what the
	// launch attribute says. Without an Envoy, or with a fault, all is ended.
	atEnd string
	// again says that the client begins the same session once more.
	again bool
	// count, if it is not 0, asks the client to do that, and says how often in a row it
	// then has.
	count int
}

// Bounds of the cleanup's steps. Together with the client's last messages they
// stay below five seconds, whatever blocks.
const (
	routerTime     = 300 * time.Millisecond
	disconnectTime = time.Second     // lldb-dap's answer to the last disconnect
	keepTime       = 3 * time.Second // the same when Envoy is to run on: no breakpoint may stay in it
)

// end ends the session, once, and returns at once. s.ended is closed when nothing
// is left. It needs no part of the session to cooperate.
func (s *Session) end(how ending) {
	s.mu.Lock()
	if s.over {
		s.mu.Unlock()
		return
	}
	s.over = true
	p, run := s.peer, s.run
	s.mu.Unlock()
	go func() {
		defer close(s.ended)
		defer s.trace.Recover("the end of the session")
		s.trace.Line("session", "ends: %v", how.fault)
		s.phases.Finish(how.fault)
		if how.fault != nil {
			s.phases.Moment(startup.MomentFailed, how.fault.What)
		} else {
			s.phases.Moment(startup.MomentEnded, "")
		}
		var opened, attached bool
		within(routerTime, func() { opened, attached = s.router.over(how.fault) })
		switch {
		case run == nil, !attached, how.fault != nil:
			how.atEnd = config.AtEndEnd
		case how.atEnd == "":
			how.atEnd = run.AtEnd()
		}
		wanted := how.atEnd != config.AtEndEnd
		if how.atEnd == config.AtEndKeepStopped && !run.KeepStopped() {
			how.atEnd = config.AtEndEnd
		}
		keep := how.atEnd != config.AtEndEnd
		answer := s.cleanup(p, run, attached, how)
		if run != nil {
			if how.again {
				run.BeginsAgain()
			}
			kept, left := run.End(keep && answer != nil && answer.Success)
			if left != nil {
				s.client.fault(left)
			}
			switch {
			case kept != "":
				s.client.output(console, kept+"\n")
			case wanted:
				s.client.fault(fault.NotKept())
			}
			answer = nil // it is to a request of ours
		}
		s.leaveWarm(p)
		s.phases.TellTimeline()
		within(routerTime, func() { s.router.finish(opened, how.request, answer, how.count) })
	}()
}

// cleanup lets lldb-dap leave and ends it. An Envoy that is stopped ends with it,
// where it stands, unless it is to be kept; one that runs gets a signal later. It
// returns lldb-dap's answer to the client's disconnect, if there is one.
func (s *Session) cleanup(p *peer, run *startup.Startup, attached bool, how ending) *dapio.Message {
	defer s.cancel()
	if p == nil {
		return nil
	}
	var answer, leave *dapio.Message
	keep := how.atEnd != config.AtEndEnd
	switch {
	case run != nil && attached && how.fault == nil:
		leave = dapio.NewRequest("disconnect", map[string]bool{"terminateDebuggee": !keep && run.Holds()})
	case run == nil && how.request != nil:
		leave = how.request.Message
	}
	if leave != nil {
		// lldb-dap leaves in its own way: exitCommands run, and breakpoints are
		// taken out of the process.
		bound := disconnectTime
		if keep {
			bound = keepTime
		}
		ctx, cancel := context.WithTimeout(s.ctx, bound)
		var err error
		if answer, err = p.Ask(ctx, leave); err != nil {
			s.trace.Line("session", "lldb-dap does not disconnect: %v", err)
		}
		cancel()
	}
	s.cancel()
	if run != nil && !keep {
		run.EndHeld()
	}
	if err := p.Close(); err != nil {
		s.trace.Line("session", "%v", err)
	}
	return answer
}

// within runs f and waits for it, but no longer than d. It is for a lock that a
// hanging file system may keep.
func within(d time.Duration, f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(d):
	}
}

// over refuses what is held, and answers the launch or attach if it is open: only
// then is the fault an answer, otherwise it is output.
func (r *router) over(f *fault.Fault) (opened, attached bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	attached = r.attached()
	r.move(stateOver)
	if f != nil && r.sequence != nil && r.stops == 0 {
		r.client.output(console, r.sequence.Summary())
	}
	switch opened = r.opening != nil; {
	case opened && f == nil:
		r.quietly(r.opening, fault.Cancelled()) // whoever cancels knows it
	case opened:
		r.refuse(r.opening, f)
	case f != nil:
		r.client.fault(f)
	}
	r.opening = nil
	for _, q := range r.held {
		r.quietly(q, fault.Over(q.Name))
	}
	r.held = nil
	if r.done != nil && r.done.Message != nil && r.done.lldbSeq == 0 {
		r.quietly(r.done, fault.Over(r.done.Name))
	}
	return opened, attached
}

// finish answers whatever is still open. A client whose launch or attach has failed
// is not told that the debuggee is gone: there was none. count is that of the ending.
func (r *router) finish(opened bool, leaving *request, answer *dapio.Message, count int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !opened {
		r.tellTerminated(count)
	}
	r.move(stateEnded)
	if answer != nil {
		r.relay(leaving, answer)
	}
	for q := range r.open {
		if q.Name == "disconnect" || q.Name == RequestStopAgent {
			r.respond(q, nil)
		} else {
			r.quietly(q, fault.Over(q.Name))
		}
	}
}
