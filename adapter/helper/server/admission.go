//go:build linux

package server

import (
	"os"
	"sync"
	"sync/atomic"

	"github.com/envoydbg/envoydbg/adapter/helper/gate"
)

// admission decides, for one run of the agent, which of the processes at the gate
// waits for the debugger: one at a time, and none after one has become Envoy.
type admission struct {
	base    string        // the name that the debug server waits for
	envoy   string        // the program that a gate becomes
	file    os.FileInfo   // of envoy
	buildID string        // of envoy; empty when it has none
	environ gate.Environ  // what leads the agent to the gate
	timeout int64         // how long a gate waits to be traced, in milliseconds
	settled chan struct{} // closed when one has passed, or was found beside the gate

	decide sync.Once   // closes settled
	over   atomic.Bool // the run is being ended: what happens at the gate is our doing

	mu     sync.Mutex
	moved  chan struct{} // closed, and replaced, when the fields below have changed
	known  map[int]bool  // who has come to the gate
	holder int           // who waits for the debugger; 0 for nobody
	stands bool          // the holder has the awaited name
	passed int           // who has become Envoy in the debugger's hands; 0 for nobody
}

func newAdmission() *admission {
	return &admission{settled: make(chan struct{}), moved: make(chan struct{}), known: map[int]bool{}}
}

// settle ends the search for an Envoy beside the gate.
func (a *admission) settle() { a.decide.Do(func() { close(a.settled) }) }

// note remembers that a process has come to the gate.
func (a *admission) note(pid int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.known[pid] = true
}

func (a *admission) knows(pid int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.known[pid]
}

// claim asks for the place of the one who waits. Either pid has it now, or
// somebody has passed already, or else moved tells when to ask again.
func (a *admission) claim(pid int) (mine bool, passed int, moved <-chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.passed == 0 && a.holder == 0 {
		a.holder, a.stands = pid, false
	}
	return a.passed == 0 && a.holder == pid, a.passed, a.moved
}

// stand says that the holder has the awaited name.
func (a *admission) stand() { a.change(func() { a.stands = true }) }

// pass says that the holder has become Envoy.
func (a *admission) pass() { a.change(func() { a.passed, a.holder = a.holder, 0 }) }

// leave gives the holder's place to the next one.
func (a *admission) leave() { a.change(func() { a.holder = 0 }) }

func (a *admission) isStanding() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.stands
}

func (a *admission) change(fn func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	fn()
	close(a.moved)
	a.moved = make(chan struct{})
}
