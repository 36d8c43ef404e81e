package dapio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

// ErrClosed is returned for a message handed to a closed Writer.
var ErrClosed = errors.New("connection closed")

// Writer sends messages to one peer, in order, and numbers them. A goroutine of
// its own writes them, so that a peer that does not read holds up nobody who does
// not want to wait for it.
type Writer struct {
	w io.Writer
	// Sent, if set before the first message, is called with the content of every
	// message right before it is written, in the order of the bytes. It may keep
	// the slice, and must not change it. While it blocks nothing is written.
	Sent func(raw []byte)

	mu      sync.Mutex
	changed *sync.Cond
	queue   []frame
	queued  int // bytes in queue, and of the frame that is being written
	seq     int64
	closed  bool  // no message is taken any more
	err     error // nor is one written any more, for this reason
	done    chan struct{}
}

// frame is a message with its header.
type frame struct {
	bytes   []byte
	content int // offset
}

// newFrame returns the frame of a message of size bytes, to which they are to be
// appended.
func newFrame(size int) frame {
	const header = 48 // more than it takes
	b := fmt.Appendf(make([]byte, 0, header+size), "%s: %d\r\n\r\n", contentLength, size)
	return frame{b, len(b)}
}

// NewWriter returns a Writer on w. The caller must Close or Abort it.
func NewWriter(w io.Writer) *Writer {
	wr := &Writer{w: w, done: make(chan struct{})}
	wr.changed = sync.NewCond(&wr.mu)
	go wr.loop()
	return wr
}

func (w *Writer) loop() {
	defer close(w.done)
	for {
		f, ok := w.next()
		if !ok {
			return
		}
		if w.Sent != nil {
			w.Sent(f.bytes[f.content:])
		}
		_, err := w.w.Write(f.bytes)
		w.written(f, err)
	}
}

// next waits for the next frame to write. There is none after the end.
func (w *Writer) next() (frame, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.queue) == 0 && !w.closed && w.err == nil {
		w.changed.Wait()
	}
	if len(w.queue) == 0 {
		return frame{}, false
	}
	f := w.queue[0]
	w.queue[0] = frame{} // it may be large
	w.queue = w.queue[1:]
	return f, true
}

func (w *Writer) written(f frame, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return // aborted meanwhile
	}
	w.queued -= len(f.bytes)
	if err != nil {
		w.fail(err)
	}
	w.changed.Broadcast()
}

// fail drops what is queued. The caller has the lock.
func (w *Writer) fail(err error) {
	w.err, w.queue, w.queued = err, nil, 0
	w.changed.Broadcast()
}

// refusal is why no message is taken. The caller has the lock.
func (w *Writer) refusal() error {
	if w.err == nil && w.closed {
		return ErrClosed
	}
	return w.err
}

// Forward sends m with a sequence number of its own and with requestSeq in place
// of its request_seq, without ever blocking: see Wait. before, if not nil, runs
// with the new number before the message can be answered; it must not use the
// Writer.
func (w *Writer) Forward(m *Message, requestSeq int64, before func(seq int64)) error {
	return w.put(func(seq int64) frame {
		if before != nil {
			before(seq)
		}
		edits := m.renumber(seq, requestSeq)
		f := newFrame(m.spliced(edits))
		f.bytes = m.splice(f.bytes, edits)
		return f
	})
}

// Send sends a message of the adapter's own, without ever blocking. build gets
// the sequence number and returns the JSON text; it must not use the Writer.
func (w *Writer) Send(build func(seq int64) []byte) error {
	return w.put(func(seq int64) frame {
		content := build(seq)
		f := newFrame(len(content))
		f.bytes = append(f.bytes, content...)
		return f
	})
}

// put queues the message that build makes.
func (w *Writer) put(build func(seq int64) frame) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.refusal(); err != nil {
		return err
	}
	f := build(w.seq + 1)
	w.seq++
	w.queue = append(w.queue, f)
	w.queued += len(f.bytes)
	w.changed.Broadcast()
	return nil
}

// Wait waits until fewer than below bytes (1 at least) are queued. It returns
// early with the reason when ctx ends or the Writer takes no more messages. A
// producer that calls it before each message is held back by a peer that does not
// read; otherwise the memory would fill.
func (w *Writer) Wait(ctx context.Context, below int) error {
	stop := context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.changed.Broadcast()
	})
	defer stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		if err := w.refusal(); err != nil {
			return err
		}
		if w.queued < max(below, 1) {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		w.changed.Wait()
	}
}

// Close takes no more messages, lets those already handed over go out and ends
// the goroutine. A peer that does not read delays that.
func (w *Writer) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.changed.Broadcast()
}

// Abort drops what is queued and takes no more messages, for a peer that does not
// read any more. Whoever waits returns with [ErrClosed]. A write under way ends
// when the stream's owner closes the stream.
func (w *Writer) Abort() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.fail(ErrClosed)
	}
}

// Done is closed when the goroutine has ended: after Close and the last message,
// after Abort or the peer's end as soon as the write under way returns.
func (w *Writer) Done() <-chan struct{} { return w.done }

// Queued is the number of bytes that have not been written.
func (w *Writer) Queued() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.queued
}
