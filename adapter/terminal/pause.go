package terminal

import "sync"

// Pause lets a signal pause Envoy rather than end the session. It answers while the
// loop is held up, too.
type Pause struct {
	mu      sync.Mutex
	running bool // there is something to pause
	asked   bool // since it runs
	asks    chan struct{}
}

// NewPause returns a Pause that refuses until a session has a running Envoy.
func NewPause() *Pause { return &Pause{asks: make(chan struct{}, 1)} }

// Ask asks for the pause and reports whether there was something to pause. The
// second time is refused unless Envoy has stopped and runs again.
func (p *Pause) Ask() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.running || p.asked {
		return false
	}
	p.asked = true
	p.asks <- struct{}{} // one at most, see allow
	return true
}

// allow says whether Envoy runs.
func (p *Pause) allow(running bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = running
	if running {
		return
	}
	p.asked = false
	select {
	case <-p.asks: // it has stopped by itself
	default:
	}
}
