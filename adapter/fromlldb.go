package adapter

import (
	"strings"

	"github.com/google/go-dap"

	"github.com/envoydbg/envoydbg/adapter/dapio"
)

// fromLLDB takes one message of lldb-dap's to where it belongs. It runs on the
// lldbPump alone.
func (s *Session) fromLLDB(b *backend, m *dapio.Message) {
	switch m.Type {
	case dapio.Response:
		p, ok := b.take(m.RequestSeq)
		switch {
		case !ok:
			s.trace.line("session", "lldb-dap answered a request nobody made: %d", m.RequestSeq)
		case p.reply != nil:
			p.reply <- m
		default:
			s.forwardResponse(b, p, m)
		}
	case dapio.Event:
		if m = s.patchEvent(b, m); m != nil {
			_ = s.toClient.Forward(m, 0, nil)
			s.afterEvent(m)
		}
	case dapio.Request:
		_ = s.toClient.Forward(m, 0, func(seq int64) {
			s.reverseMu.Lock()
			s.reverse[seq] = m.Seq
			s.reverseMu.Unlock()
		})
	default:
		s.trace.line("session", "lldb-dap sent a message of type %q", m.Type)
	}
}

// forwardResponse passes an answer to the client.
func (s *Session) forwardResponse(b *backend, p pending, m *dapio.Message) {
	if run := s.run.Load(); run != nil {
		switch p.command {
		case "attach":
			// The client may have asked to launch; and the outcome is the
			// startup's to tell.
			run.attachAnswered(b, m)
			return
		case "setBreakpoints":
			var whole bool
			if m, whole = p.fan.gather(run.rewrite, p.part, m); !whole {
				return
			}
			run.breakpoints.answered(p.group, m)
		case "setFunctionBreakpoints", "setInstructionBreakpoints":
			run.breakpoints.answered(p.group, m)
		}
		m = run.rewrite.incoming(m)
	}
	if p.command == "launch" || p.command == "attach" {
		s.takeAttach()
	}
	_ = s.toClient.Forward(m, p.clientSeq, nil)
}

// patchEvent returns the event as the client should see it, nil for not at all.
func (s *Session) patchEvent(b *backend, m *dapio.Message) *dapio.Message {
	if m.Name == "output" {
		if c := m.Get("body.category").String(); c == "" || c == console || c == stderr {
			_, _ = b.said.Write([]byte(m.Get("body.output").String()))
		}
	}
	run := s.run.Load()
	if run == nil {
		return m
	}
	switch m.Name {
	case "initialized":
		// LLDB 22 sends it for an attach that failed, too.
		if s.isOver() {
			return nil
		}
	case "capabilities":
		if m.Get("body.capabilities.supportsRestartRequest").Bool() {
			if patched, err := m.Set("body.capabilities.supportsRestartRequest", []byte("false")); err == nil {
				return patched
			}
		}
	case "stopped":
		m = run.patchStopped(m)
	case "breakpoint":
		run.breakpoints.changed(m)
	case "terminated":
		// The client is told when the cleanup is done: it then may end the
		// adapter at once. After a broken connection that is a consequence,
		// and the cause is being looked for.
		if !run.lost.Load() {
			go run.debuggeeEnded()
		}
		return nil
	}
	return run.rewrite.event(m)
}

// afterEvent does what follows an event that the client has been sent.
func (s *Session) afterEvent(m *dapio.Message) {
	if run := s.run.Load(); run != nil && m.Name == "stopped" {
		run.firstStop.Do(func() { s.output(console, s.phases.summary()) })
	}
}

// tellTerminated tells the client once that the debuggee is gone.
func (s *Session) tellTerminated() {
	s.endMu.Lock()
	told := s.terminated
	s.terminated = true
	s.endMu.Unlock()
	if !told {
		s.event("terminated", dap.TerminatedEventBody{})
	}
}

// lastLine is the last line of a text that says something.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
