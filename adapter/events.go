package adapter

import (
	"cmp"
	"strings"

	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/fault"
)

// fromLLDB takes an event or a request of lldb-dap's.
func (r *router) fromLLDB(d debugger, m *dapio.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.debugger != nil && d != r.debugger:
		// It has been replaced.
	case m.Type == dapio.Event:
		r.event(m)
	case m.Type == dapio.Request:
		r.client.forward(m, 0, func(seq int64) { r.reverse[seq] = m.Seq })
	default:
		r.trace.Line("session", "lldb-dap sent a message of type %q", m.Type)
	}
}

// event passes an event on as the client should see it.
func (r *router) event(m *dapio.Message) {
	switch m.Name {
	case "initialized":
		// LLDB 22 sends it for an attach that failed, too.
		if r.sequence != nil && r.state >= stateOver {
			return
		}
		r.pass(m)
		if r.sequence != nil {
			r.sequence.Initialized()
			return
		}
		r.replay()
	case "capabilities":
		if r.sequence != nil && m.Get("body.capabilities.supportsRestartRequest").Bool() {
			if patched, err := m.Set("body.capabilities.supportsRestartRequest", []byte("false")); err == nil {
				m = patched
			}
		}
		r.pass(m)
	case "stopped":
		m = r.stop(m)
		r.pass(m)
		if r.sequence != nil && r.stops == 1 {
			r.client.output(console, r.sequence.Summary())
			r.host.stopped(cmp.Or(m.Get("body.description").Str, m.Get("body.reason").Str))
		}
	case "output":
		if r.sequence == nil || !isNoise(m.Get("body.output").Str, r.state >= stateOver) {
			r.pass(m)
		}
	case "breakpoint":
		if m = r.breakpoints.Event(m); m != nil {
			r.pass(m)
		}
	case "progressStart", "progressUpdate", "progressEnd":
		id, title := m.Get("body.progressId").String(), m.Get("body.title").Str
		switch {
		case r.sequence == nil:
			r.pass(m)
		case strings.HasPrefix(title, "Waiting to attach"): // the startup's own phase says that (LLDB 22)
			r.waitID = id
		case id != r.waitID:
			r.pass(m)
			if title != "" {
				r.sequence.Busy(title)
			}
		}
	case "terminated":
		if r.sequence != nil {
			// The client is told when the cleanup is done: it may then end the
			// adapter at once.
			r.sequence.DebuggeeEnded()
			return
		}
		r.finished = true
		if !r.terminated {
			r.terminated = true
			r.pass(m)
		}
	default:
		r.pass(m)
	}
}

func (r *router) pass(m *dapio.Message) { r.client.forward(r.paths.Answer(m), 0, nil) }

// tellTerminated tells the client, once, that the debuggee is gone. With a count it is
// asked to begin the session again, and to bring that back in "__restart".
func (r *router) tellTerminated(count int) {
	if r.terminated {
		return
	}
	r.terminated = true
	body := map[string]any{}
	if count > 0 {
		body["restart"] = map[string]int{"count": count}
	}
	r.client.event("terminated", body)
}

// replay sends lldb-dap what the client asked for before there was a program, and
// tells the client what has become of it.
func (r *router) replay() {
	for _, m := range r.breakpoints.Replay() {
		r.forwardSet(m, func(answer *dapio.Message, err error) {
			if err != nil || !answer.Success {
				return // the end of lldb-dap is told by itself
			}
			for _, bp := range r.breakpoints.Changed(m) {
				r.client.event("breakpoint", map[string]any{"reason": "changed", "breakpoint": rawJSON(bp)})
			}
		})
	}
	if r.done == nil || r.done.Message != nil {
		return
	}
	if r.sequence != nil {
		r.sequence.ConfigurationDone()
		return
	}
	r.sendDone()
}

// sendDone sends lldb-dap a configurationDone of the adapter's own, for a client
// whose own came early.
func (r *router) sendDone() {
	_, _ = r.debugger.Call(dapio.NewRequest("configurationDone", nil), func(*dapio.Message, error) {})
}

// debuggerEnded is told that lldb-dap has ended, and returns what the user should
// know of that. It is false for one that has been replaced.
func (r *router) debuggerEnded(d debugger) (*fault.Fault, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case d != r.debugger:
		return nil, false
	case r.finished:
		return nil, true
	}
	return d.Fault(), true
}

// use makes d the debugger.
func (r *router) use(d debugger) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.debugger = d
}

// initialized answers initialize with lldb-dap's answer, nil if there is none.
func (r *router) initialized(q *request, answer *dapio.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state >= stateOver {
		return
	}
	if answer != nil {
		r.relay(q, withOwn(answer))
	} else {
		r.respond(q, map[string]any{"supportsConfigurationDoneRequest": true, "supportsCancelRequest": true})
	}
	r.move(stateReady)
	r.drain()
}
