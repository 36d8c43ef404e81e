package link

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// Options are those of both ends. Zero values mean the defaults.
type Options struct {
	// Heartbeat is how often an end says that it is there; 3 s.
	Heartbeat time.Duration
	// Silence is how long a transport may bring nothing before it is cut; 10 s. It
	// also bounds a handshake.
	Silence time.Duration
	// Window bounds the bytes written and not yet read at the other end; 4 MiB. It
	// must be the same at both ends.
	Window int
	// Linger bounds how long Close waits for the other end; 1 s.
	Linger time.Duration
}

func (o Options) withDefaults() Options {
	o.Heartbeat = or(o.Heartbeat, 3*time.Second)
	o.Silence = or(o.Silence, 10*time.Second)
	o.Window = or(o.Window, 4<<20)
	o.Linger = or(o.Linger, time.Second)
	return o
}

func or[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

// Conn is one end of the stream. Read, Write and Close may be called from several
// goroutines.
type Conn struct {
	opts Options
	done chan struct{} // closed when there will be no further transport

	closeOnce sync.Once
	closeErr  error

	mu      sync.Mutex
	changed sync.Cond  // for Read and Write
	current *transport // nil while cut off

	out     ring   // from acked to written
	acked   uint64 // what the other application has read
	written uint64

	in       ring   // from read to received
	read     uint64 // what our application has read
	told     uint64 // the last ack
	received uint64

	closing bool // Close was called
	closed  bool // the other end has sent its close
	err     error
}

func newConn(opts Options) *Conn {
	c := &Conn{opts: opts, done: make(chan struct{})}
	c.changed.L = &c.mu
	return c
}

// Read implements io.Reader. It waits while the stream is cut off.
func (c *Conn) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		switch {
		case c.closing:
			return 0, net.ErrClosed
		case len(p) == 0:
			return 0, nil
		case c.in.n > 0:
			n := c.in.peek(0, p)
			c.in.discard(n)
			c.read += uint64(n)
			if c.ackDue() {
				c.wake()
			}
			return n, nil
		case c.closed:
			return 0, io.EOF
		case c.err != nil:
			return 0, c.err
		}
		c.changed.Wait()
	}
}

// Write implements io.Writer. It returns when the bytes are kept for sending, and
// waits while there is no room for them.
func (c *Conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	done := 0
	for {
		switch {
		case c.closing:
			return done, net.ErrClosed
		case c.closed:
			return done, io.ErrClosedPipe
		case c.err != nil:
			return done, c.err
		}
		if n := min(len(p)-done, c.opts.Window-c.out.n); n > 0 {
			c.out.write(p[done : done+n])
			c.written += uint64(n)
			done += n
			c.wake()
		}
		if done == len(p) {
			return done, nil
		}
		c.changed.Wait()
	}
}

// Close ends the stream. Its error is [ErrUndelivered] when the other end does not
// know. Closing again waits for the first one, and returns the same.
func (c *Conn) Close() error {
	c.closeOnce.Do(func() { c.closeErr = c.close() })
	return c.closeErr
}

func (c *Conn) close() error {
	c.mu.Lock()
	over := c.err != nil
	c.closing = true
	c.changed.Broadcast()
	c.wake()
	waits := !over && (!c.closed || c.current != nil) // for the other end's close, or for our answer to it
	c.mu.Unlock()
	if waits {
		late := time.NewTimer(c.opts.Linger)
		defer late.Stop()
		select {
		case <-c.done:
		case <-late.C:
		}
	}
	c.fail(net.ErrClosed)
	c.mu.Lock()
	defer c.mu.Unlock()
	var refused *Refused // because it has ended
	if over || c.closed || errors.As(c.err, &refused) {
		return nil
	}
	return ErrUndelivered
}

// Err says why the stream has ended: nil while it has not, and when either end has
// closed it. After Close it is still what it was before.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.err == net.ErrClosed {
		return nil
	}
	return c.err
}

// fail ends the stream without the other end.
func (c *Conn) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	c.err = err
	if c.current != nil {
		c.current.end(err)
		c.current = nil
	}
	close(c.done)
	c.changed.Broadcast()
}

// over says whether there will be no further transport.
func (c *Conn) over() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err != nil || c.closed
}

// wake makes the transport's writer look. It is for who has locked mu.
func (c *Conn) wake() {
	if c.current != nil {
		select {
		case c.current.work <- struct{}{}:
		default:
		}
	}
}

// ackDue says whether the other end should know what was read: it may wait for that.
func (c *Conn) ackDue() bool { return c.read-c.told >= uint64(max(c.opts.Window/4, 1)) }
