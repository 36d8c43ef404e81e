package e2e

import (
	"slices"
	"testing"

	"github.com/envoydbg/envoydbg/test/support/harness"
)

// One clock for all of a startup: each phase begins when the one before has ended, and what
// happens at a moment lies in its phase.
func TestTheTimelineOfASession(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := atMainOf(s, s.Sample())
		c.Stopped(0)
		var timeline struct {
			Phases []struct {
				Name         string
				Start, End   float64
				Failed, Open bool
			}
			Moments []struct {
				Name string
				At   float64
			}
		}
		c.Do("envoyTimeline", nil, &timeline)
		var names []string
		last := 0.0
		for _, p := range timeline.Phases {
			names = append(names, p.Name)
			if p.Failed || p.Open || p.Start < last || p.End < p.Start {
				t.Errorf("the phase before ended at %v: %+v", last, p)
			}
			last = p.End
		}
		if want := []string{"preflight", "debug server", "symbols", "armed", "agent started", "attached", "breakpoints"}; !slices.Equal(names, want) {
			t.Errorf("the phases are %q, want %q", names, want)
		}
		names, last = nil, 0
		for _, m := range timeline.Moments {
			names = append(names, m.Name)
			if m.At < last {
				t.Errorf("%+v comes before %v", m, last)
			}
			last = m.At
		}
		for before, after := range map[string]string{"armed": "agent started", "agent started": "attached", "attached": "stopped"} {
			if i, j := slices.Index(names, before), slices.Index(names, after); i < 0 || j < i {
				t.Errorf("%s is not before %s: %q", before, after, names)
			}
		}
		c.Disconnect()
		if e := c.Seen(0, "envoyTimeline"); len(e.Get("body.phases").Array()) != 7 {
			t.Errorf("the event has %s", e.Get("body").Raw)
		}
	})
}

// Stop Agent ends the agent, Envoy and the session, and is answered when nothing is left.
func TestStopAgentEndsTheSession(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := atMainOf(s, s.Sample())
		c.Stopped(0)
		c.Do("stopAgent", nil, nil)
		c.NoProcess(harness.Agent)
		c.NoProcess(harness.Envoy)
		c.NoProcess(harness.Platform)
		c.Seen(0, "terminated")
		c.Disconnect()
	})
}
