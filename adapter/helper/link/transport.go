package link

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
	"time"
)

// transport is one of the streams that carry the bytes of a Conn.
type transport struct {
	rwc io.ReadWriteCloser
	in  *bufio.Reader
	// watch cuts the transport when it brings nothing.
	watch *time.Timer
	work  chan struct{} // there may be something to send
	dead  chan struct{} // closed at its end

	once sync.Once
	why  error // valid when dead is closed

	// Guarded by the Conn's mu.
	next     uint64 // the next byte to send
	confirms bool   // a close was received and is to be answered
	closes   bool   // a close was sent
}

// Reasons for the end of a transport.
var (
	errReplaced = errors.New("a newer transport has taken its place")
	errOver     = errors.New("the stream is closed")
)

type silentError time.Duration

func (s silentError) Error() string {
	return fmt.Sprintf("nothing has been heard for %v", time.Duration(s))
}

// newTransport takes rwc over; it is cut when nothing has been read for silence.
func newTransport(rwc io.ReadWriteCloser, silence time.Duration) *transport {
	t := &transport{rwc: rwc, work: make(chan struct{}, 1), dead: make(chan struct{})}
	t.in = bufio.NewReaderSize(heard{t, silence}, 64<<10)
	t.watch = time.AfterFunc(math.MaxInt64, func() { t.end(silentError(silence)) })
	t.watch.Reset(silence)
	return t
}

// heard notes each sign of life.
type heard struct {
	t       *transport
	silence time.Duration
}

func (h heard) Read(p []byte) (int, error) {
	n, err := h.t.rwc.Read(p)
	if n > 0 {
		h.t.watch.Reset(h.silence)
	}
	return n, err
}

// end cuts the transport, for the first reason given. It does not wait for anything.
func (t *transport) end(why error) {
	t.once.Do(func() {
		t.why = why
		close(t.dead)
		t.watch.Stop()
		go t.rwc.Close() // a stream may not let itself be closed while it hangs
	})
}

// attach makes t the transport of c, in place of an older one, and returns how many
// bytes c has received. At the other end that number is received; the error is
// RefusedGap when c cannot go on from there.
func (c *Conn) attach(t *transport, received uint64) (mine uint64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-t.dead: // a newer one may be there by now
		return 0, t.why
	default:
	}
	if received < c.acked || received > c.written {
		return 0, &Refused{Reason: RefusedGap}
	}
	c.detach(errReplaced)
	if c.err != nil {
		return 0, &Refused{Reason: RefusedEnded}
	}
	t.next, c.current = received, t
	return c.received, nil
}

// detach cuts the current transport; no byte of it is taken any more. It is for who
// has locked mu.
func (c *Conn) detach(why error) {
	if c.current != nil {
		c.current.end(why)
		c.current = nil
	}
}

// cutOff says whether the stream has lost its transport and is to have another one.
func (c *Conn) cutOff() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.current == nil && !c.closing && !c.closed && c.err == nil
}

// run serves the attached transport until it ends, and returns why.
func (c *Conn) run(t *transport) error {
	go func() { t.end(c.receive(t)) }()
	go func() { t.end(c.send(t)) }()
	<-t.dead
	c.mu.Lock()
	if c.current == t {
		c.current = nil
	}
	c.mu.Unlock()
	return t.why
}

// receive takes what the transport brings.
func (c *Conn) receive(t *transport) error {
	buf := make([]byte, bufferSize)
	for {
		f, err := readFrame(t.in, buf)
		if err != nil {
			return err
		}
		if err := c.take(t, f); err != nil {
			return err
		}
	}
}

func (c *Conn) take(t *transport, f frame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current != t {
		return errReplaced
	}
	switch f.kind {
	case frameData:
		switch {
		case f.number != c.received:
			return fmt.Errorf("byte %d came, and not %d", f.number, c.received)
		case c.in.n+len(f.content) > c.opts.Window:
			return fmt.Errorf("%d bytes came beyond the window", c.in.n+len(f.content)-c.opts.Window)
		}
		c.in.write(f.content)
		c.received += uint64(len(f.content))
	case frameAck:
		if f.number < c.acked || f.number > t.next {
			return fmt.Errorf("byte %d was acknowledged, of %d sent", f.number, t.next)
		}
		c.out.discard(int(f.number - c.acked))
		c.acked = f.number
	case frameClose:
		c.closed, t.confirms = true, true
		if t.closes { // this is the answer to ours
			return errOver
		}
		c.wake()
	default:
		return fmt.Errorf("a frame of type %d within the stream", f.kind)
	}
	c.changed.Broadcast()
	return nil
}

// send writes what there is to send.
func (c *Conn) send(t *transport) error {
	beat := time.NewTicker(c.opts.Heartbeat)
	defer beat.Stop()
	due := true // the other end has missed acks while the stream was cut off
	buf := make([]byte, 0, 2*bufferSize)
	for {
		b, err := c.next(t, buf[:0], due)
		if err != nil {
			return err
		}
		if len(b) > 0 {
			due = false
			if _, err := t.rwc.Write(b); err != nil {
				return err
			}
			continue
		}
		select {
		case <-t.work:
		case <-beat.C:
			due = true
		case <-t.dead:
			return nil
		}
	}
}

// next appends the next frames to b.
func (c *Conn) next(t *transport, b []byte, ack bool) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current != t {
		return nil, errReplaced
	}
	if ack || c.ackDue() {
		c.told = c.read
		b = appendNumber(b, frameAck, c.told)
	}
	switch {
	case t.closes:
	case t.confirms: // what was not sent yet is read by nobody
		t.closes = true
		b = appendClose(b)
	case t.next < c.written:
		n := min(int(c.written-t.next), maxData)
		b = appendData(b, t.next, n)
		b = b[:len(b)+n]
		c.out.peek(int(t.next-c.acked), b[len(b)-n:])
		t.next += uint64(n)
	case c.closing:
		t.closes = true
		b = appendClose(b)
	}
	return b, nil
}
