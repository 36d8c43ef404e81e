package adapter

import (
	"context"
	"time"

	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/fault"
)

// RequestStartAgent is the adapter's own request: it starts the agent of a
// session with "agent": {"start": "manual"}. Answer: {"pid": number}.
const RequestStartAgent = "startAgent"

// fromClient takes one message of the client's to where it belongs. It runs on
// the clientPump alone, and returns errDisconnected when the client has left.
func (s *Session) fromClient(m *dapio.Message) error {
	switch m.Type {
	case dapio.Request:
		return s.request(m)
	case dapio.Response:
		s.answerReverse(m)
	default:
		s.trace.line("session", "the client sent a message of type %q", m.Type)
	}
	return nil
}

func (s *Session) request(m *dapio.Message) error {
	switch m.Name {
	case "initialize":
		s.onInitialize(m)
	case "launch", "attach":
		s.onAttach(m)
	case "disconnect":
		return s.onDisconnect(m)
	case "terminate":
		s.onTerminate(m)
	case "cancel":
		s.onCancel(m)
	case "restart":
		if s.run.Load() != nil {
			s.refuse(m, fault.NoRestart())
			return nil
		}
		s.route(m)
	case RequestStartAgent:
		s.onStartAgent(m)
	default:
		s.route(m)
	}
	return nil
}

// onInitialize starts lldb-dap so that the capabilities are its own. If it
// cannot be had, the answer is empty: the launch attribute may still name one,
// and an error then has a place where the user sees it.
func (s *Session) onInitialize(m *dapio.Message) {
	if s.initialize != nil {
		s.refuse(m, fault.OutOfOrder(m.Name, "it was answered before"))
		return
	}
	s.initialize = m
	s.phases.progress = m.Get("arguments.supportsProgressReporting").Bool()
	s.phases.events = m.Get("arguments.supportsEnvoyPhases").Bool()
	b, answer, err := s.startBackend(s.opts.LLDBDap, m, false)
	if err != nil {
		s.trace.line("session", "no lldb-dap yet: %v", err)
		s.respond(m, map[string]any{"supportsConfigurationDoneRequest": true, "supportsCancelRequest": true})
		return
	}
	s.setBackend(b)
	_ = s.toClient.Forward(withCancel(answer), m.Seq, nil)
}

// withCancel adds the one capability that is the adapter's: it answers cancel
// itself where lldb-dap cannot.
func withCancel(answer *dapio.Message) *dapio.Message {
	if patched, err := answer.Set("body.supportsCancelRequest", []byte("true")); err == nil {
		return patched
	}
	return answer
}

func (s *Session) setBackend(b *backend) {
	s.routeMu.Lock()
	s.backend = b
	s.routeMu.Unlock()
}

// onAttach decides what kind of session this is.
func (s *Session) onAttach(m *dapio.Message) {
	s.routeMu.Lock()
	again := s.mode != modeNone
	s.routeMu.Unlock()
	switch {
	case s.initialize == nil:
		s.refuse(m, fault.OutOfOrder(m.Name, "initialize has not been sent"))
		return
	case again:
		s.refuse(m, fault.OutOfOrder(m.Name, "the session has begun already"))
		return
	}
	s.endMu.Lock()
	s.attach = m
	s.endMu.Unlock()

	plain := !m.Get("arguments.target").Exists()
	var cfg *config.Config
	if !plain {
		var err error
		if cfg, err = config.Parse([]byte(m.Get("arguments").Raw)); err != nil {
			s.end(fault.From(err))
			return
		}
	}
	if err := s.ensureBackend(m.Get("arguments.lldbDap").String(), plain); err != nil {
		s.end(fault.From(err))
		return
	}
	s.routeMu.Lock()
	defer s.routeMu.Unlock()
	if plain {
		s.mode = modePlain
		s.forward(m)
		return
	}
	if s.backend.supports["supportsRestartRequest"] {
		// LLDB 19 says so and cannot; without it the client stops the session and
		// starts it again, which works.
		s.event("capabilities", map[string]any{"capabilities": map[string]bool{"supportsRestartRequest": false}})
	}
	s.mode, s.holding = modeStartup, true
	run := newStartup(s, s.backend, cfg, m)
	s.run.Store(run)
	go run.run()
}

// ensureBackend makes the session's lldb-dap the one that the launch attribute
// names, and that of a plain session one without the relay: initialize came before
// either could be known.
func (s *Session) ensureBackend(wanted string, plain bool) error {
	old := s.backend
	if wanted == "" {
		wanted = s.opts.LLDBDap
	}
	same := old != nil && (wanted == "" || wanted == s.opts.LLDBDap || wanted == old.child.Path)
	if same {
		if !plain {
			return nil
		}
		wanted = old.child.Path
	}
	b, answer, err := s.startBackend(wanted, s.initialize, plain)
	if err != nil {
		return err
	}
	s.setBackend(b)
	if old != nil {
		old.dispose()
	}
	if same {
		return nil // with the capabilities that the client knows
	}
	// The client knows the capabilities of another lldb-dap, or none: tell all,
	// and take back those that are gone.
	now := withCancel(answer)
	caps := now.Get("body")
	if old != nil {
		for name := range old.supports {
			if !b.supports[name] && name != "supportsCancelRequest" {
				if patched, err := now.Set("body."+gjsonKey(name), []byte("false")); err == nil {
					now, caps = patched, patched.Get("body")
				}
			}
		}
	}
	s.event("capabilities", map[string]any{"capabilities": rawJSON(caps.Raw)})
	return nil
}

// rawJSON is JSON text that is already encoded.
type rawJSON string

// MarshalJSON returns the text.
func (r rawJSON) MarshalJSON() ([]byte, error) { return []byte(r), nil }

// route sends a request to lldb-dap, behind those that are held.
func (s *Session) route(m *dapio.Message) {
	s.routeMu.Lock()
	defer s.routeMu.Unlock()
	if s.backend == nil {
		s.refuse(m, fault.OutOfOrder(m.Name, "there is no debugger yet"))
		return
	}
	if s.holding {
		s.held = append(s.held, m)
		return
	}
	s.pass(m)
}

// pass forwards m, unless it has to wait for the startup. routeMu is held.
func (s *Session) pass(m *dapio.Message) {
	run := s.run.Load()
	if run != nil && m.Name == "configurationDone" && !s.configured {
		s.holding, s.held = true, append([]*dapio.Message{m}, s.held...)
		close(run.configDone)
		return
	}
	s.forward(m)
}

// release lets the held requests go, in their order.
func (s *Session) release() {
	s.routeMu.Lock()
	defer s.routeMu.Unlock()
	held := s.held
	s.holding, s.held = false, nil
	for i, m := range held {
		if s.pass(m); s.holding {
			s.held = append(s.held, held[i+1:]...)
			return
		}
	}
}

// forward sends a request to lldb-dap. routeMu is held.
func (s *Session) forward(m *dapio.Message) {
	b := s.backend
	if !b.version.Knows(m.Name) {
		s.refuse(m, fault.Unsupported(m.Name, b.version.Text))
		return
	}
	if run := s.run.Load(); run != nil {
		if m.Name == "setBreakpoints" {
			s.sendBreakpoints(b, run.rewrite, m)
			return
		}
		m = run.rewrite.request(m)
	}
	err := b.toLLDB.Forward(m, 0, func(seq int64) {
		b.put(seq, pending{clientSeq: m.Seq, command: m.Name, group: group(m)})
	})
	if err != nil {
		s.refuse(m, fault.LLDBDapDied(err.Error(), ""))
	}
}

// answerReverse takes the client's answer to a request of lldb-dap's.
func (s *Session) answerReverse(m *dapio.Message) {
	s.reverseMu.Lock()
	seq, ok := s.reverse[m.RequestSeq]
	delete(s.reverse, m.RequestSeq)
	s.reverseMu.Unlock()
	s.routeMu.Lock()
	b := s.backend
	s.routeMu.Unlock()
	if ok && b != nil {
		_ = b.toLLDB.Forward(m, seq, nil)
	}
}

// plainDisconnect bounds lldb-dap's answer to the last request of a plain
// session; it does not answer while it waits for a process.
const plainDisconnect = 5 * time.Second

// onDisconnect ends the session and answers. Before the attach there is nothing
// to detach from, and the answer comes at once.
func (s *Session) onDisconnect(m *dapio.Message) error {
	s.routeMu.Lock()
	md, b := s.mode, s.backend
	s.routeMu.Unlock()
	run := s.run.Load()
	switch {
	case md == modePlain && !s.isOver():
		ctx, cancel := context.WithTimeout(s.ctx, plainDisconnect)
		answer, err := b.ask(ctx, m)
		cancel()
		s.end(nil)
		if err == nil {
			_ = s.toClient.Forward(answer, m.Seq, nil)
			return errDisconnected
		}
	case run != nil && run.isAttached():
		s.end(nil)
		<-s.ended
	default:
		s.end(nil)
	}
	s.respond(m, nil)
	return errDisconnected
}

// onTerminate ends the debuggee. lldb-dap has no such request; the client still
// disconnects afterwards.
func (s *Session) onTerminate(m *dapio.Message) {
	if s.run.Load() == nil {
		s.route(m)
		return
	}
	s.respond(m, nil)
	s.end(nil)
}

// onCancel ends the startup when its progress is cancelled, or the request that
// waits for it. Anything else is lldb-dap's, with the number it knows.
func (s *Session) onCancel(m *dapio.Message) {
	run := s.run.Load()
	s.endMu.Lock()
	attach := s.attach
	s.endMu.Unlock()
	requestID := m.Get("arguments.requestId")
	if run != nil && (s.phases.owns(m.Get("arguments.progressId").String()) ||
		attach != nil && requestID.Exists() && requestID.Int() == attach.Seq) {
		s.respond(m, nil)
		if !run.isAttached() {
			s.end(fault.Cancelled())
		}
		return
	}
	s.routeMu.Lock()
	b := s.backend
	s.routeMu.Unlock()
	if b == nil || !b.supports["supportsCancelRequest"] || run != nil && !run.isAttached() {
		// Cancelling is a hint; it is no error that nothing is cancelled.
		s.respond(m, nil)
		return
	}
	if requestID.Exists() {
		if seq, ok := b.seqOf(requestID.Int()); ok {
			if patched, err := m.Set("arguments.requestId", marshal(seq)); err == nil {
				m = patched
			}
		}
	}
	s.route(m)
}

// seqOf is the number at lldb-dap of a request of the client's.
func (b *backend) seqOf(clientSeq int64) (int64, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for seq, p := range b.pending {
		if p.clientSeq == clientSeq && p.reply == nil {
			return seq, true
		}
	}
	return 0, false
}

// onStartAgent is the user's "Envoy: Start Agent".
func (s *Session) onStartAgent(m *dapio.Message) {
	run := s.run.Load()
	if run == nil {
		s.refuse(m, fault.NotManual("this is no startup session"))
		return
	}
	if why := run.ask(m); why != "" {
		s.refuse(m, fault.NotManual(why))
	}
}
