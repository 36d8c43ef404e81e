package startup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/helper"
)

// Bounds of the end, beside Envoy.
const (
	sequenceTime = 500 * time.Millisecond // the sequence, whose context has ended
	heldTime     = 500 * time.Millisecond // the helper's end of an Envoy that is stopped
	endTime      = 3 * time.Second        // the helper's end of what it has started
)

// BeginsAgain says that the client begins the same session once more.
func (s *Startup) BeginsAgain() {
	if target, ok := s.opts.Target.(Holder); ok {
		target.Keep()
	}
}

// Holds reports whether LLDB has Envoy and keeps it stopped.
func (s *Startup) Holds() bool {
	s.partsMu.Lock()
	relay := s.relay
	s.partsMu.Unlock()
	return relay != nil && relay.Stopped()
}

// EndHeld ends Envoy where it stands, if a debugger still keeps it stopped: the end of
// LLDB or of the debug server would let it run on.
func (s *Startup) EndHeld() {
	s.partsMu.Lock()
	beside := s.beside
	s.partsMu.Unlock()
	if beside == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), heldTime)
	defer cancel()
	if err := beside.EndHeld(ctx); err != nil {
		s.trace.Line("session", "what is held cannot be ended: %v", err)
	}
}

// AtEnd is what becomes of Envoy and its agent when the client does not say it: one of
// config's AtEnd….
func (s *Startup) AtEnd() string { return s.cfg.AtEnd }

// KeepStopped makes Envoy stay stopped when LLDB lets go of it. It is false when that
// cannot be.
func (s *Startup) KeepStopped() bool {
	s.partsMu.Lock()
	beside, relay := s.beside, s.relay
	s.partsMu.Unlock()
	if beside == nil || relay == nil || s.cfg.ByHand() != "" { // only the debug server's end would do it
		return false
	}
	s.stops = true
	relay.Detach(func(ctx context.Context) error {
		err := beside.KeepStopped(ctx)
		s.stands.Store(err == nil)
		s.trace.Line("session", "Envoy stays stopped: %v", err)
		return err
	})
	return true
}

// KeptHead is how the sentence about what was left begins.
const KeptHead = "Envoy and its agent are left: "

// kept says what was left, and what is to be done with it.
func (s *Startup) kept(r helper.ReleaseResult) string {
	where := s.opts.Target.Where()
	release := ""
	if where.Release != "" {
		release = "\n  " + where.Release + "   ends them, and gives back what is held"
	}
	minutes := int((time.Duration(r.Lease) * time.Millisecond).Minutes())
	switch local, stopped := s.cfg.Local(), len(r.Stopped) > 0; {
	case local && stopped:
		return fmt.Sprintf(KeptHead+"Envoy (pid %d) stays stopped for up to %d minutes. \"kill -CONT %[1]d\" lets it run on, \"kill %[3]d\" ends both.",
			r.Stopped[0], minutes, r.Helper)
	case local:
		return fmt.Sprintf(KeptHead+"they run on (pids %v). \"kill %d\" ends them.", r.PIDs, r.Agent)
	case stopped:
		return fmt.Sprintf(KeptHead+"Envoy (pid %d) stays stopped for up to %d minutes.\n  envoydbg agent continue %[3]s   lets it run on\n  envoydbg agent stop %[3]s   ends both"+release,
			r.Stopped[0], minutes, where.Words)
	}
	return fmt.Sprintf(KeptHead+"they run on.\n  envoydbg logs %[1]s -f   shows what they write\n  envoydbg agent stop %[1]s   ends them"+release, where.Words)
}

// End ends everything beside Envoy, or with keep everything but Envoy and its
// agent, within some seconds. The session's context has ended. It returns a sentence
// about what was kept, and a fault when something is left that should not be, or when
// that is not known.
func (s *Startup) End(keep bool) (kept string, left *fault.Fault) {
	select {
	case <-s.done:
	case <-time.After(sequenceTime):
		s.trace.Line("session", "the startup does not end: it waits for the helper or a file")
	}
	s.partsMu.Lock()
	s.ended = true
	beside, relay, terminal := s.beside, s.relay, s.terminal
	s.partsMu.Unlock()
	defer func() {
		if s.agentLog != nil {
			_ = s.agentLog.Close() // behind the last words, too
		}
	}()
	if terminal != nil {
		terminal.end()
		defer terminal.close() // behind the last words of the helper
	}
	if relay != nil {
		relay.Close()
	}
	if beside == nil {
		return "", nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), endTime)
	defer cancel()
	if keep && s.stops == s.stands.Load() {
		released, err := beside.Release(ctx)
		if err == nil {
			_ = beside.Close()
			return s.kept(released), nil
		}
		s.trace.Line("session", "they cannot be kept: %v", err)
	}
	result, err := beside.End(ctx)
	s.trace.Line("session", "helper ended: left %v, %v", result.Left, err)
	err = beside.Close()
	s.trace.Line("session", "helper closed: %v", err)
	switch {
	case len(result.Left) > 0:
		return "", fault.LeftRunning(result.Left)
	case errors.As(err, &left):
		return "", left
	case err != nil:
		return "", fault.LeftUnknown(err)
	}
	return "", nil
}
