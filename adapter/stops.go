package adapter

import (
	"strings"

	"github.com/tidwall/gjson"

	"github.com/envoydbg/envoydbg/adapter/dapio"
)

// stop is a stopped event as the client should see it.
func (r *router) stop(m *dapio.Message) *dapio.Message {
	r.stops++
	reason, description, preset := m.Get("body.reason").Str, m.Get("body.description").Str, r.presetOf(m)
	paused := r.pausing && reason == "exception" && strings.Contains(description, "SIGSTOP")
	r.pausing = false
	switch {
	case paused:
		// lldb-dap calls the signal that it pauses with an exception, which VS Code
		// shows as an error.
		m = called(m, "pause", "Paused", "")
	case preset != "":
		m = called(m, reason, "Paused at "+preset, preset)
	case r.sequence != nil && r.stops == 1 && reason != "breakpoint":
		// LLDB 19 calls the stop at the entry an exception, 22 by the signal of the exec.
		if as, description := r.sequence.FirstStop(); as != "" {
			m = called(m, as, description, "")
		}
	}
	return r.breakpoints.Stopped(m)
}

// isNoise recognizes what lldb-dap prints and no user of a startup can use: its advice
// for beginners, in one event or in one for each line, and that it has killed an Envoy
// that was to end with the session.
func isNoise(text string, over bool) bool {
	return strings.HasPrefix(text, "To get started with the debug console") ||
		strings.HasPrefix(text, "For more information visit https://lldb.llvm.org/") ||
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

// called is a stopped event under another name.
func called(m *dapio.Message, reason, description, text string) *dapio.Message {
	for path, value := range map[string]string{"body.reason": reason, "body.description": description, "body.text": text} {
		if patched, err := m.Set(path, marshal(value)); err == nil {
			m = patched
		}
	}
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
