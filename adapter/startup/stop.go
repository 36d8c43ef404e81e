package startup

import "strings"

// FirstStop names a first stop at no breakpoint: at Envoy's entry, or where it was
// caught. It is called when Envoy has been let run, after which pastMain does not change.
func (s *Startup) FirstStop() (reason, description string) {
	switch {
	case s.cfg.StopOnEntry:
		return "entry", "Envoy's entry"
	case s.pastMain:
		return "pause", "Caught past main"
	}
	return "", ""
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
