package startup

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/fault"
)

// The story of a startup that fails while it waits, as its client can draw it.
func TestTheTimelineOfAStartup(t *testing.T) {
	zero := time.Now()
	told := map[string]int{}
	p := NewPhases("id", func(name string, _ any) { told[name]++ }, zero, nil)
	if got := p.Timeline(); len(got.Phases) != 0 || !got.Began.Equal(zero) {
		t.Errorf("before the startup: %+v", got)
	}
	p.Client(true, true)
	p.Begin(PhasePreflight)
	p.End("build-id matches")
	p.Begin(PhaseAttached)
	p.Moment(MomentAgent, "pid 7")
	open := p.Timeline()
	if last := open.Phases[1]; !last.Open || last.Failed || last.End < last.Start {
		t.Errorf("the phase lasts: %+v", last)
	}
	p.Finish(fault.TargetNeverAppeared("envoy", time.Minute))
	p.Finish(nil) // the end of the session comes after that of the startup
	got := p.Timeline()
	first, last := got.Phases[0], got.Phases[1]
	switch {
	case first.Failed || first.Open || first.Detail != "build-id matches":
		t.Errorf("%+v", first)
	case !last.Failed || last.Open || last.Detail != "The agent started no Envoy within 1m0s.":
		t.Errorf("%+v", last)
	case first.Start < 0 || first.End < first.Start || last.Start < first.End || got.Moments[0].At < last.Start:
		t.Errorf("not in the order of time: %+v", got)
	case told[TimelineEvent] != 1 || told["progressEnd"] != 1:
		t.Errorf("told: %v", told)
	}
}

// What Perfetto needs of the Trace Event Format: the keys, microseconds, a name of each row.
func TestTheTraceEventsOfATimeline(t *testing.T) {
	p := NewPhases("id", func(string, any) {}, time.Now().Add(-time.Second), nil)
	p.Begin(PhasePreflight)
	p.End("ok")
	p.Moment(MomentStopped, "main")
	text, err := json.Marshal(p.Timeline())
	if err != nil {
		t.Fatal(err)
	}
	var timeline struct {
		Phases      []Span
		TraceEvents []map[string]any
	}
	if err := json.Unmarshal(text, &timeline); err != nil {
		t.Fatal(err)
	}
	rows := map[any]bool{}
	for _, e := range timeline.TraceEvents {
		for _, key := range []string{"name", "ph", "ts", "pid", "tid"} {
			if _, ok := e[key]; !ok {
				t.Errorf("%v lacks %s", e, key)
			}
		}
		switch e["ph"] {
		case "M":
			rows[e["tid"]] = true
		case "X":
			if ts := e["ts"].(float64); ts < 1e6 || ts > 60e6 || ts/1000 != timeline.Phases[0].Start {
				t.Errorf("%v: want %v ms in microseconds", e, timeline.Phases[0].Start)
			}
			fallthrough
		default:
			if !rows[e["tid"]] {
				t.Errorf("%v is on a row without a name", e)
			}
		}
	}
	if len(timeline.TraceEvents) != 5 {
		t.Errorf("%d events", len(timeline.TraceEvents))
	}
}
