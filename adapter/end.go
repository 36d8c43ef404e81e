package adapter

import (
	"context"
	"time"

	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/fault"
)

// Times of the cleanup. Together they stay below the ten seconds after which
// nothing of a session is left.
const (
	detachTime = 2 * time.Second // lldb-dap's answer to the last disconnect
	endTime    = 6 * time.Second // the helper's end of everything beside Envoy
)

// end ends the session once: it tells the client why, if f says so, and starts
// the cleanup. Ended is closed when nothing is left.
func (s *Session) end(f *fault.Fault) {
	s.endMu.Lock()
	if s.over {
		s.endMu.Unlock()
		return
	}
	s.over = true
	attach := s.attach
	s.attach = nil
	s.endMu.Unlock()

	s.trace.line("session", "ends: %v", f)
	s.phases.finish(f)
	if attach != nil {
		if f == nil {
			f = fault.Cancelled()
		}
		s.refuse(attach, f)
	} else if f != nil {
		s.output(important, f.Error()+"\n")
	}
	go func() {
		s.cleanup(f)
		if attach == nil {
			s.tellTerminated()
		}
		close(s.ended)
	}()
}

func (s *Session) isOver() bool {
	s.endMu.Lock()
	defer s.endMu.Unlock()
	return s.over
}

// takeAttach returns the launch or attach that is still to be answered, once.
func (s *Session) takeAttach() *dapio.Message {
	s.endMu.Lock()
	defer s.endMu.Unlock()
	m := s.attach
	s.attach = nil
	return m
}

// cleanup ends every process of the session, on both sides.
func (s *Session) cleanup(f *fault.Fault) {
	s.routeMu.Lock()
	b := s.backend
	s.routeMu.Unlock()
	run := s.run.Load()
	if run != nil && run.isAttached() && f == nil {
		// Let lldb-dap leave in its own way: exitCommands run, and breakpoints
		// are taken out of Envoy.
		ctx, cancel := context.WithTimeout(context.Background(), detachTime)
		_, err := b.ask(ctx, request("disconnect", map[string]bool{"terminateDebuggee": false}))
		cancel()
		s.trace.line("session", "lldb-dap disconnected: %v", err)
	}
	s.cancel()
	if run != nil {
		<-run.done
	}
	if b != nil {
		b.dispose()
	}
	if run == nil {
		return
	}
	if run.relay != nil {
		run.relay.Close()
	}
	if run.beside != nil {
		ctx, cancel := context.WithTimeout(context.Background(), endTime)
		left, err := run.beside.End(ctx)
		cancel()
		s.trace.line("session", "helper ended: left %v, %v", left.Left, err)
		if err := run.beside.Close(); err != nil {
			s.trace.line("session", "helper closed: %v", err)
		}
		if len(left.Left) > 0 {
			s.output(important, fault.LeftRunning(left.Left).Error()+"\n")
		}
	}
}
