package startup

import (
	"encoding/json"
	"strings"

	"github.com/envoydbg/envoydbg/adapter/dapio"
)

// Stopped names the stop at Envoy's entry, or where it was caught, what it is: LLDB
// 19 calls it an exception, 22 by the signal of the exec. It is called when Envoy has
// been let run, after which pastMain does not change.
func (s *Startup) Stopped(m *dapio.Message) *dapio.Message {
	reason, description := "entry", "Envoy's entry"
	switch {
	case m.Get("body.reason").String() == "breakpoint":
		return m
	case s.cfg.StopOnEntry:
	case s.pastMain:
		reason, description = "pause", "Caught past main"
	default:
		return m
	}
	for path, value := range map[string]string{"body.reason": reason, "body.description": description, "body.text": ""} {
		text, _ := json.Marshal(value) // a string never fails
		if patched, err := m.Set(path, text); err == nil {
			m = patched
		}
	}
	return m
}

// Summary says how long each phase took.
func (s *Startup) Summary() string { return s.phases.Summary() }

// Output categories (DAP, OutputEvent), and the streams of the agent.
const (
	console   = "console"
	important = "important"
	stdout    = "stdout"
	stderr    = "stderr"
)

// lastLine is the last line of a text that says something.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
