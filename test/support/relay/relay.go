package relay

import (
	"io"
	"net"
	"sync"
)

// Relay accepts on one listener.
type Relay struct {
	listener net.Listener
	dial     func() (net.Conn, error)

	mu     sync.Mutex
	open   map[net.Conn]bool
	closed bool
	all    sync.WaitGroup
}

// Start passes what connects to listener on to where dial leads.
func Start(listener net.Listener, dial func() (net.Conn, error)) *Relay {
	r := &Relay{listener: listener, dial: dial, open: map[net.Conn]bool{}}
	r.all.Go(r.accept)
	return r
}

// Addr is where it listens.
func (r *Relay) Addr() net.Addr { return r.listener.Addr() }

// Cut ends all connections that are open now.
func (r *Relay) Cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.open {
		c.Close()
	}
}

// Close ends all connections and accepts no more.
func (r *Relay) Close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.listener.Close()
	r.Cut()
	r.all.Wait()
}

func (r *Relay) accept() {
	for {
		near, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.all.Go(func() { r.pass(near) })
	}
}

func (r *Relay) pass(near net.Conn) {
	if !r.hold(near) {
		return
	}
	defer r.release(near)
	far, err := r.dial()
	if err != nil || !r.hold(far) {
		return
	}
	defer r.release(far)
	var both sync.WaitGroup
	both.Go(func() { pour(far, near) })
	both.Go(func() { pour(near, far) })
	both.Wait()
}

// hold notes c as open. After Close it closes c and returns false.
func (r *Relay) hold(c net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		c.Close()
		return false
	}
	r.open[c] = true
	return true
}

func (r *Relay) release(c net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.open, c)
	c.Close()
}

// pour copies until from has ended, and passes on that end alone: the other
// direction may go on.
func pour(to, from net.Conn) {
	if _, err := io.Copy(to, from); err != nil {
		// A reset is no end. Both sides are to know.
		to.Close()
		from.Close()
		return
	}
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}
