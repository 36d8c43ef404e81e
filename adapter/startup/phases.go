package startup

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/go-dap"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/trace"
)

// Phases of the startup, in order.
const (
	PhasePreflight   = "preflight"
	PhaseServer      = "debug server"
	PhaseSymbols     = "symbols"
	PhaseArmed       = "armed"
	PhaseAgent       = "agent started"
	PhaseAttached    = "attached"
	PhaseBreakpoints = "breakpoints"
)

// PhaseEvent is the name of the event that tells a client of phases. It is only
// sent to a client whose initialize request says "supportsEnvoyPhases": true, or
// whose adapter is started with --phase-events.
const PhaseEvent = "envoyPhase"

// PhaseBody is the body of a PhaseEvent.
type PhaseBody struct {
	Phase string `json:"phase"`
	// State is "begin", "end", "waiting" (for the user's word) or "progress" (how far
	// the phase is).
	State string `json:"state"`
	// Milliseconds is how long the phase took; with State "end".
	Milliseconds float64 `json:"milliseconds"`
	Detail       string  `json:"detail,omitempty"`
	// Message is what is done now, for people; and Cancel the progressId of the request
	// cancel that ends the startup. Not with State "end".
	Message string `json:"message,omitempty"`
	Cancel  string `json:"cancel,omitempty"`
}

// Phases keeps the time of each phase and reports it to the client: as one
// progress that names the phase, as PhaseEvents, and all together as a Timeline. Its
// methods may be called from any goroutine.
type Phases struct {
	event      func(name string, body any)
	trace      *trace.Trace
	progressID string

	mu       sync.Mutex
	progress bool // the client takes progress events
	events   bool // the client takes PhaseEvents
	began    time.Time
	current  string
	open     bool // the current phase has not ended
	started  bool // progressStart is out
	ended    bool
	finished bool
	rows     []row
	moments  []Moment
	// zero is when the session began.
	zero time.Time
}

// row is a phase that has ended.
type row struct {
	PhaseBody
	began  time.Time
	failed bool
}

// NewPhases returns Phases of a session that began at zero. They tell by event, and
// nothing until Client.
func NewPhases(progressID string, event func(name string, body any), zero time.Time, t *trace.Trace) *Phases {
	return &Phases{progressID: progressID, event: event, zero: zero, trace: t}
}

// Client says what the client wants to be told.
func (p *Phases) Client(progress, events bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.progress, p.events = progress, events
}

// now is what a phase is called while it lasts, where its name says what is true only
// at its end.
var now = map[string]string{PhaseArmed: "arming", PhaseAgent: "starting the agent", PhaseAttached: "waiting for Envoy"}

// Doing is what a phase is called while it lasts.
func Doing(phase string) string {
	if what, ok := now[phase]; ok {
		return what
	}
	return phase
}

// Begin starts a phase. The one before must have ended.
func (p *Phases) Begin(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.current, p.began, p.open = name, time.Now(), true
	p.trace.Line("phase", "begin %s", name)
	p.tell(PhaseBody{Phase: name, State: "begin"}, Doing(name))
}

// End closes the current phase with what proves it.
func (p *Phases) End(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.close(fmt.Sprintf(format, args...), false)
	p.trace.Line("phase", "end %s %.1f ms %s", r.Phase, r.Milliseconds, r.Detail)
	p.tell(r.PhaseBody, r.Phase)
}

// close ends the current phase. It is called with the lock held.
func (p *Phases) close(detail string, failed bool) row {
	r := row{PhaseBody{Phase: p.current, State: "end", Detail: detail, Milliseconds: milliseconds(time.Since(p.began))}, p.began, failed}
	p.rows, p.open = append(p.rows, r), false
	return r
}

// milliseconds is a time with fractions.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// Waiting says that the phase waits for the user.
func (p *Phases) Waiting(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tell(PhaseBody{Phase: p.current, State: "waiting", Detail: what}, what)
}

// Progress says how far the current phase is; nothing between phases and behind the last.
func (p *Phases) Progress(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.open {
		return
	}
	what := fmt.Sprintf(format, args...)
	p.tell(PhaseBody{Phase: p.current, State: "progress", Detail: what}, what)
}

// tell is called with the lock held.
func (p *Phases) tell(body PhaseBody, message string) {
	if p.events {
		if body.State != "end" {
			body.Message, body.Cancel = message, p.progressID
		}
		p.event(PhaseEvent, body)
	}
	if !p.progress || p.ended || body.State == "end" {
		return
	}
	if !p.started {
		p.started = true
		p.event("progressStart", dap.ProgressStartEventBody{ProgressId: p.progressID, Title: "Envoy: Debug Startup",
			Cancellable: true, Message: message})
		return
	}
	p.event("progressUpdate", dap.ProgressUpdateEventBody{ProgressId: p.progressID, Message: message})
}

// Finish ends the startup, whatever the outcome: its progress, and a phase that has not
// ended.
func (p *Phases) Finish(f *fault.Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.finished {
		return
	}
	p.finished = true
	if p.open {
		detail := "ended by the user"
		if f != nil {
			detail = f.What
		}
		p.close(detail, true)
	}
	p.tellTimeline()
	if !p.started || p.ended {
		return
	}
	p.ended = true
	message := ""
	if f != nil {
		message = f.What
	}
	p.event("progressEnd", dap.ProgressEndEventBody{ProgressId: p.progressID, Message: message})
}

// Owns reports whether the progress id is the adapter's.
func (p *Phases) Owns(id string) bool { return p.progressID != "" && id == p.progressID }

// SummaryHead is how the summary begins.
const SummaryHead = "Envoy startup, phase by phase:"

// Summary is the table shown at the first stop, or when the startup fails.
func (p *Phases) Summary() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var b strings.Builder
	b.WriteString(SummaryHead + "\n")
	total := 0.0
	for _, r := range p.rows {
		total += r.Milliseconds
		if r.failed {
			r.Detail = "failed"
		}
		fmt.Fprintf(&b, "  %-14s %8.0f ms   %s\n", r.Phase, r.Milliseconds, r.Detail)
	}
	fmt.Fprintf(&b, "  %-14s %8.0f ms\n", "total", total)
	return b.String()
}
