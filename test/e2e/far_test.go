package e2e

import (
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/test/support/harness"
	"github.com/envoydbg/envoydbg/test/support/wire"
)

// What LLDB may wait for at most, in round trips, at the end of a link.
const (
	farToMain = 28 // from the attach request to the stop in main
	farStep   = 2  // a next, with what it takes to step off a breakpoint
)

// farStop is for what an editor asks at a stop. LLDB 19 runs a function in Envoy then. No
// local of these stops may be a char* that has no value yet: LLDB would read the string
// where it happens to point.
var farStop = map[int]int{19: 12, 22: 0}

// On arm64 LLDB reads more: the masks of pointer authentication at the attach (pd3, pd4),
// and memory of the loader that no stop brings along. LLDB 19 may run two functions at a
// stop.
const (
	farToMainArm64 = 36
	farStopArm64   = 16 // LLDB 19
)

// At the end of a link LLDB waits for little more than what resumes Envoy: the rest comes
// with the stop, or is known before it is done.
func TestFarAwayAStepIsTwoRoundTrips(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := throughTunnel(s, "1m")
		c.Initialize()
		c.Attach(tunneled(s))
		c.Configure(mainPlace(s))
		stop := c.Stopped(0)
		at(t, stop, "Envoy::MainCommon::main", mainPlace(s))
		locals := func() {
			var scopes struct {
				Scopes []struct {
					VariablesReference int `json:"variablesReference"`
				} `json:"scopes"`
			}
			c.Do("scopes", map[string]any{"frameId": stop.Frames[0].ID}, &scopes)
			c.Do("variables", map[string]any{"variablesReference": scopes.Scopes[0].VariablesReference}, nil)
		}
		locals()
		const steps = 4
		for range steps {
			c.Step("next", stop)
			stop = c.Stopped(stop.Index + 1)
			locals()
		}
		if began := value(c, stop, "Envoy::main_began"); began != "1" {
			t.Errorf("main_began is %s after the steps over it", began)
		}
		packets(t, s, c.Trace, steps)
		c.Disconnect()
		s.NothingLeft()
	})
}

// packets compares what LLDB waited for with the bounds.
func packets(t *testing.T, s *harness.Story, trace string, steps int) {
	t.Helper()
	w, err := wire.Read(trace)
	if err != nil {
		t.Fatal(err)
	}
	attach, ok := w.First(0, true, `"command":"attach"`)
	at, ok2 := w.First(0, false, `"event":"stopped"`)
	if !ok || !ok2 {
		t.Fatal("the trace has no attach, or no stop")
	}
	bound := func(what string, most int, kinds map[string]int) {
		t.Helper()
		t.Logf("%s: %d round trips: %s", what, wire.Total(kinds), wire.ByCount(kinds))
		if wire.Total(kinds) > most {
			t.Errorf("%s takes %d round trips, want at most %d", what, wire.Total(kinds), most)
		}
	}
	toMain, stop := farToMain, farStop[s.LLDB.Version]
	if harness.The.Target == harness.Arm64 {
		toMain = farToMainArm64
		if s.LLDB.Version == 19 {
			stop = farStopArm64
		}
	}
	before := w.During(attach, at)
	if harness.The.Target == harness.Arm64 {
		// The first LLDB of a user that meets the machine fetches its loader, in ten more.
		maps.DeleteFunc(before, func(kind string, _ int) bool { return strings.HasPrefix(kind, "vFile:") })
	}
	bound("to main", toMain, before)
	for range steps {
		next, ok := w.First(at, true, `"command":"next"`)
		stopped, ok2 := w.First(next, false, `"event":"stopped"`)
		last, ok3 := w.First(stopped, false, `"command":"variables"`)
		if !ok || !ok2 || !ok3 {
			t.Fatal("the trace has not every step")
		}
		bound("a step", farStep, w.During(next, stopped))
		bound("its stop", stop, w.During(stopped, last))
		at = last
	}
	if t.Failed() {
		text, err := os.ReadFile(trace)
		t.Logf("the trace (%v):\n%s", err, text)
	}
}
