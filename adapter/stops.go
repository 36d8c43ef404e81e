package adapter

import (
	"strings"

	"github.com/tidwall/gjson"

	"github.com/envoydbg/envoydbg/adapter/dapio"
)

// stop is a stopped event as the client should see it.
func (r *router) stop(m *dapio.Message) *dapio.Message {
	reason := m.Get("body.reason").Str
	// A pause may come while LLDB steps off a breakpoint, which ends in a trace.
	paused := r.pausing && (reason == "trace" || reason == "exception" && strings.Contains(m.Get("body.description").Str, "SIGSTOP"))
	r.pausing = false
	switch {
	case paused:
		// lldb-dap calls the signal that it pauses with an exception, which VS Code
		// shows as an error.
		m = with(m, `{"reason":"pause","description":"Paused","text":""}`)
	case strings.HasPrefix(m.Get("body.description").Str, "breakpoint "):
		if preset := r.presetOf(m); preset != "" {
			m = with(m, `{"description":"Paused at `+preset+`","text":"`+preset+`"}`)
		}
	}
	m = r.breakpoints.Stopped(m)
	if r.stops++; r.sequence != nil && r.stops == 1 {
		return r.sequence.Stopped(m)
	}
	return m
}

// isNoise recognizes what lldb-dap prints and no user of a startup can use: its advice
// for beginners, and that it has killed an Envoy that was to end with the session.
func isNoise(text string, over bool) bool {
	return strings.HasPrefix(text, "To get started with the debug console") ||
		over && strings.HasPrefix(text, "Process ") && strings.Contains(text, "exited with status = 9 ")
}

// presetOf is the preset whose breakpoint has stopped the process; "" if it was none.
func (r *router) presetOf(m *dapio.Message) (preset string) {
	m.Get("body.hitBreakpointIds").ForEach(func(_, id gjson.Result) bool {
		preset = r.presets[id.Int()]
		return preset == ""
	})
	return preset
}

// with is m with these members in its body.
func with(m *dapio.Message, members string) *dapio.Message {
	gjson.Parse(members).ForEach(func(key, v gjson.Result) bool {
		if patched, err := m.Set("body."+key.Str, []byte(v.Raw)); err == nil {
			m = patched
		}
		return true
	})
	return m
}

// withoutOtherLanguages takes the exceptions of languages that Envoy is not written in
// out of an answer to initialize: lldb-dap offers those of Objective-C and Swift.
func withoutOtherLanguages(answer *dapio.Message) *dapio.Message {
	var kept []string
	filters := answer.Get("body.exceptionBreakpointFilters")
	filters.ForEach(func(_, v gjson.Result) bool {
		if f := v.Get("filter").Str; !strings.HasPrefix(f, "objc_") && !strings.HasPrefix(f, "swift_") {
			kept = append(kept, v.Raw)
		}
		return true
	})
	if !filters.Exists() {
		return answer
	}
	return answer.Apply([]dapio.Edit{dapio.Replace(filters, []byte("["+strings.Join(kept, ",")+"]"))})
}
