package startup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/envoydbg/envoydbg/adapter/fault"
)

// Bounds of the end, beside Envoy.
const (
	sequenceTime = 500 * time.Millisecond // the sequence, whose context has ended
	heldTime     = 500 * time.Millisecond // the helper's end of an Envoy that is stopped
	endTime      = 3 * time.Second        // the helper's end of what it has started
)

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
	beside, relay := s.beside, s.relay
	s.partsMu.Unlock()
	if relay != nil {
		relay.Close()
	}
	if beside == nil {
		return "", nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), endTime)
	defer cancel()
	if keep {
		released, err := beside.Release(ctx)
		if err == nil {
			_ = beside.Close()
			return fmt.Sprintf("Envoy and its agent run on (pids %v). \"kill %d\" ends them.", released.PIDs, released.Agent), nil
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
