package adapter

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/go-dap"

	"github.com/envoydbg/envoydbg/adapter/fault"
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
// sent to a client whose initialize request says "supportsEnvoyPhases": true.
const PhaseEvent = "envoyPhase"

// PhaseBody is the body of a PhaseEvent.
type PhaseBody struct {
	Phase string `json:"phase"`
	// State is "begin", "end" or "waiting" (for the user).
	State string `json:"state"`
	// Milliseconds is how long the phase took; with State "end".
	Milliseconds float64 `json:"milliseconds"`
	Detail       string  `json:"detail,omitempty"`
}

// phases keeps the time of each phase and reports it to the client: as one
// progress that names the phase, and as PhaseEvents.
type phases struct {
	s          *Session
	progress   bool // the client takes progress events
	events     bool // the client takes PhaseEvents
	progressID string

	mu      sync.Mutex
	began   time.Time
	current string
	started bool // progressStart is out
	ended   bool
	rows    []PhaseBody
}

// begin starts a phase. The one before must have ended.
func (p *phases) begin(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.current, p.began = name, time.Now()
	p.s.trace.line("phase", "begin %s", name)
	p.tell(PhaseBody{Phase: name, State: "begin"}, name)
}

// end closes the current phase with what proves it.
func (p *phases) end(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	row := PhaseBody{Phase: p.current, State: "end", Detail: fmt.Sprintf(format, args...),
		Milliseconds: float64(time.Since(p.began).Microseconds()) / 1000}
	p.rows = append(p.rows, row)
	p.s.trace.line("phase", "end %s %.1f ms %s", row.Phase, row.Milliseconds, row.Detail)
	p.tell(row, row.Phase)
}

// waiting says that the phase waits for the user.
func (p *phases) waiting(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tell(PhaseBody{Phase: p.current, State: "waiting", Detail: what}, what)
}

// tell is called with the lock held.
func (p *phases) tell(body PhaseBody, message string) {
	if p.events {
		p.s.event(PhaseEvent, body)
	}
	if !p.progress || p.ended || body.State == "end" {
		return
	}
	if !p.started {
		p.started = true
		p.s.event("progressStart", dap.ProgressStartEventBody{ProgressId: p.progressID, Title: "Envoy: Debug Startup",
			Cancellable: true, Message: message})
		return
	}
	p.s.event("progressUpdate", dap.ProgressUpdateEventBody{ProgressId: p.progressID, Message: message})
}

// finish ends the progress, whatever the outcome.
func (p *phases) finish(f *fault.Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.started || p.ended {
		return
	}
	p.ended = true
	message := ""
	if f != nil {
		message = f.What
	}
	p.s.event("progressEnd", dap.ProgressEndEventBody{ProgressId: p.progressID, Message: message})
}

// owns reports whether the progress id is the adapter's.
func (p *phases) owns(id string) bool { return p.progressID != "" && id == p.progressID }

// SummaryHead is how the summary at the first stop begins.
const SummaryHead = "Envoy startup, phase by phase:"

// summary is the table shown at the first stop.
func (p *phases) summary() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var b strings.Builder
	b.WriteString(SummaryHead + "\n")
	total := 0.0
	for _, r := range p.rows {
		total += r.Milliseconds
		fmt.Fprintf(&b, "  %-14s %8.0f ms   %s\n", r.Phase, r.Milliseconds, r.Detail)
	}
	fmt.Fprintf(&b, "  %-14s %8.0f ms\n", "total", total)
	return b.String()
}
