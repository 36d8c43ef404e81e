package startup

import "time"

// RequestTimeline is the adapter's own request for the Timeline; TimelineEvent tells it to
// clients that take PhaseEvents, when the startup has ended and when the session has.
const (
	RequestTimeline = "envoyTimeline"
	TimelineEvent   = "envoyTimeline"
)

// Timeline is what happened in a session on one clock, that of its trace. docs/dap.md
// describes it. Times are milliseconds since Began.
type Timeline struct {
	// Began is when the session did, which is when its user has asked for it.
	Began time.Time `json:"began"`
	// Phases are those that have begun, in order.
	Phases []Span `json:"phases"`
	// Moments are in the order of time.
	Moments []Moment `json:"moments"`
	// TraceEvents are the same for Perfetto and its like.
	TraceEvents []TraceEvent `json:"traceEvents"`
}

// Span is a phase.
type Span struct {
	Name  string  `json:"name"`
	Start float64 `json:"start"`
	End   float64 `json:"end"`
	// Detail is what proves it, or why it has failed.
	Detail string `json:"detail"`
	Failed bool   `json:"failed"`
	// Open: it has not ended, and End is now.
	Open bool `json:"open"`
}

// Moment is something that happened at one time.
type Moment struct {
	Name   string  `json:"name"`
	At     float64 `json:"at"`
	Detail string  `json:"detail"`
}

// TraceEvent is an event of the Trace Event Format: "X" is a span, "i" a moment, "M" the
// name of a row. Times are microseconds.
type TraceEvent struct {
	Name  string            `json:"name"`
	Phase string            `json:"ph"`
	At    float64           `json:"ts"`
	Took  float64           `json:"dur,omitempty"`
	PID   int               `json:"pid"`
	TID   int               `json:"tid"`
	Scope string            `json:"s,omitempty"`
	Args  map[string]string `json:"args,omitempty"`
}

// Names of moments.
const (
	MomentArmed    = "armed"
	MomentAgent    = "agent started"
	MomentGate     = "at the gate"
	MomentAttached = "attached"
	MomentStopped  = "stopped"
	MomentCut      = "connection cut"
	MomentResumed  = "connection resumed"
	MomentEnvoy    = "Envoy ended"
	MomentFailed   = "failed"
	MomentEnded    = "ended"
)

// maxMoments bounds what a session of days keeps.
const maxMoments = 1000

// Moment notes that something has happened just now.
func (p *Phases) Moment(name, detail string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.moments) < maxMoments {
		p.moments = append(p.moments, Moment{name, milliseconds(time.Since(p.zero)), detail})
	}
}

// Timeline is what has happened until now.
func (p *Phases) Timeline() Timeline {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.timeline()
}

// TellTimeline sends the TimelineEvent to a client that takes it.
func (p *Phases) TellTimeline() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tellTimeline()
}

// tellTimeline is called with the lock held. A session without a startup has none.
func (p *Phases) tellTimeline() {
	if p.events && len(p.rows) > 0 {
		p.event(TimelineEvent, p.timeline())
	}
}

// timeline is called with the lock held.
func (p *Phases) timeline() Timeline {
	t := Timeline{Began: p.zero, Phases: []Span{}, Moments: append([]Moment{}, p.moments...)}
	for _, r := range p.rows {
		start := milliseconds(r.began.Sub(p.zero))
		t.Phases = append(t.Phases, Span{Name: r.Phase, Start: start, End: start + r.Milliseconds, Detail: r.Detail, Failed: r.failed})
	}
	if p.open {
		t.Phases = append(t.Phases, Span{Name: p.current, Start: milliseconds(p.began.Sub(p.zero)), End: milliseconds(time.Since(p.zero)), Open: true})
	}
	t.TraceEvents = t.traceEvents()
	return t
}

// Rows of the trace events.
const (
	rowPhases  = 1
	rowMoments = 2
)

// traceEvents are the timeline's phases and moments, on a row each.
func (t Timeline) traceEvents() []TraceEvent {
	name := func(what string, tid int, name string) TraceEvent {
		return TraceEvent{Name: what, Phase: "M", PID: 1, TID: tid, Args: map[string]string{"name": name}}
	}
	all := []TraceEvent{name("process_name", 0, "Envoy startup"), name("thread_name", rowPhases, "phases"), name("thread_name", rowMoments, "moments")}
	for _, s := range t.Phases {
		all = append(all, TraceEvent{Name: s.Name, Phase: "X", At: s.Start * 1000, Took: (s.End - s.Start) * 1000, PID: 1, TID: rowPhases,
			Args: map[string]string{"detail": s.Detail}})
	}
	for _, m := range t.Moments {
		all = append(all, TraceEvent{Name: m.Name, Phase: "i", At: m.At * 1000, PID: 1, TID: rowMoments, Scope: "p", Args: map[string]string{"detail": m.Detail}})
	}
	return all
}
