package relay

import (
	"io"
	"net"
	"sync"
	"time"
)

// Relay accepts on one listener.
type Relay struct {
	listener net.Listener
	dial     func() (net.Conn, error)
	delay    time.Duration // in each direction

	mu     sync.Mutex
	open   map[net.Conn]bool
	closed bool
	all    sync.WaitGroup
}

// Start passes what connects to listener on to where dial leads.
func Start(listener net.Listener, dial func() (net.Conn, error)) *Relay {
	return StartFar(listener, dial, 0)
}

// StartFar is Start for a far place: each byte takes that long in each direction, and
// so does each half of a connection's handshake. How much passes at a time is not
// limited.
func StartFar(listener net.Listener, dial func() (net.Conn, error), delay time.Duration) *Relay {
	r := &Relay{listener: listener, dial: dial, delay: delay, open: map[net.Conn]bool{}}
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
	time.Sleep(2 * r.delay)
	var both sync.WaitGroup
	both.Go(func() { pour(far, r.late(near)) })
	both.Go(func() { pour(near, r.late(far)) })
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

// late is what comes from c, later by the delay.
func (r *Relay) late(c net.Conn) source {
	if r.delay == 0 {
		return c
	}
	l := &late{Conn: c, chunks: make(chan chunk, maxChunks)}
	r.all.Go(func() { l.read(r.delay) })
	return l
}

// source is one direction of a connection.
type source interface {
	io.Reader
	io.Closer
}

// late reads at once what arrives, and hands it out when it is due.
type late struct {
	net.Conn
	chunks chan chunk // closed after the last
	now    chunk      // what is due
}

// chunk is what has arrived at one time, or with err how it ended.
type chunk struct {
	bytes []byte
	err   error
	due   time.Time
}

// maxChunks of 32 KiB are on their way at most.
const maxChunks = 1024

func (l *late) read(delay time.Duration) {
	defer close(l.chunks)
	for {
		b := make([]byte, 32<<10)
		n, err := l.Conn.Read(b)
		l.chunks <- chunk{b[:n], err, time.Now().Add(delay)}
		if err != nil {
			return
		}
	}
}

// Read implements io.Reader.
func (l *late) Read(p []byte) (int, error) {
	if len(l.now.bytes) == 0 && l.now.err == nil {
		l.now = <-l.chunks
		time.Sleep(time.Until(l.now.due))
	}
	n := copy(p, l.now.bytes)
	l.now.bytes = l.now.bytes[n:]
	if len(l.now.bytes) == 0 {
		return n, l.now.err
	}
	return n, nil
}

// Close implements io.Closer. What is held is thrown away, as by a cut.
func (l *late) Close() error {
	err := l.Conn.Close()
	for range l.chunks {
	}
	return err
}

// pour copies until from has ended, and passes on that end alone: the other
// direction may go on.
func pour(to net.Conn, from source) {
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
