package startup

import (
	"testing"

	"github.com/envoydbg/envoydbg/adapter/breakpoints"
	"github.com/envoydbg/envoydbg/adapter/fault"
)

// listener is a host that keeps what the user is told.
type listener struct {
	Host
	told string
}

func (l *listener) Output(category, text string) { l.told += category + ": " + text }
func (l *listener) Fault(f *fault.Fault)         { l.told += "fault: " + f.Error() + "\n" }

func TestBreakpointsThatAreNotBoundAreToldBeforeEnvoyRuns(t *testing.T) {
	ok := breakpoints.State{Name: "a.cc:1", Bound: true}
	failed := breakpoints.State{Name: "b.cc:2", Reason: breakpoints.Reason{Text: "No code."}}
	pending := breakpoints.State{Name: "f", Reason: breakpoints.Reason{Text: "In libc.", Pending: true}}
	many := []breakpoints.State{ok}
	for range maxNamed + 2 {
		many = append(many, pending)
	}
	for _, c := range []struct {
		all        []breakpoints.State
		said, told string
	}{
		{nil, "none set", ""},
		{[]breakpoints.State{ok, ok}, "2 of 2 verified", ""},
		{[]breakpoints.State{ok, pending}, "1 of 2 verified; pending: f", "console: 1 of 2 breakpoints are bound.\n  f is pending: In libc.\n"},
		{[]breakpoints.State{ok, pending, failed}, "1 of 3 verified; not bound: b.cc:2; pending: f",
			"fault: 1 of 3 breakpoints are bound.\n  f is pending: In libc.\n  b.cc:2: No code.\nEnvoy runs and does not stop at the others: correct or remove them. [ED1412]\n"},
		{many, "1 of 11 verified; pending: f, f, f, f, f, f, f, f and 2 more", "-"},
	} {
		host := &listener{}
		s := &Startup{host: host}
		if got := s.tellBound(c.all); got != c.said {
			t.Errorf("the phase says %q, want %q", got, c.said)
		}
		if c.told != "-" && host.told != c.told {
			t.Errorf("the user is told %q, want %q", host.told, c.told)
		}
	}
}
