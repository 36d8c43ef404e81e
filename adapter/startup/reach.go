package startup

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/envoydbg/envoydbg/adapter/breakpoints"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/gdbremote"
)

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
