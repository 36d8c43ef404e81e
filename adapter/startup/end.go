package startup

import (
	"context"
	"fmt"
	"time"
)

// Bounds of the end, beside Envoy.
const (
	sequenceTime = 500 * time.Millisecond // the sequence, whose context has ended
	endTime      = 3 * time.Second        // the helper's end of what it has started
)

// End ends everything beside Envoy, or with keep everything but Envoy and its
// agent, within some seconds. The session's context has ended. It returns the
// processes that could not be ended, and a sentence about what was kept.
func (s *Startup) End(keep bool) (left []int, kept string) {
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
		return nil, ""
	}
	ctx, cancel := context.WithTimeout(context.Background(), endTime)
	defer cancel()
	if keep {
		released, err := beside.Release(ctx)
		if err == nil {
			_ = beside.Close()
			return nil, fmt.Sprintf("Envoy and its agent run on (pids %v). \"kill %d\" ends them.", released.PIDs, released.Agent)
		}
		s.trace.Line("session", "they cannot be kept: %v", err)
	}
	result, err := beside.End(ctx)
	s.trace.Line("session", "helper ended: left %v, %v", result.Left, err)
	if err := beside.Close(); err != nil {
		s.trace.Line("session", "helper closed: %v", err)
	}
	return result.Left, ""
}
