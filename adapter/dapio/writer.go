package dapio

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"
	"sync"

	"github.com/envoydbg/envoydbg/internal/prompt"
)

// maxQueued is how many bytes may wait for a peer that does not read. Beyond
// it Forward blocks, which stops the reading on the other side; Send does not,
// so that the adapter can always answer for itself.
const maxQueued = 64 << 20

// ErrClosed is returned for a message handed to a closed Writer.
var ErrClosed = errors.New("connection closed")

// Writer sends messages to one peer, in order, and numbers them. A message goes
// out on the caller's goroutine as far as the peer takes it at once: waking
// another one for it costs more than all else that is done for a message. The
// rest, and what comes before that is out, waits for the Writer's own.
type Writer struct {
	w *prompt.Writer
	// Sent, if set before the first message, is called with every message as
	// it goes out, for the trace.
	Sent func(raw []byte)

	max    int // queued bytes above which Forward waits
	mu     sync.Mutex
	cond   *sync.Cond
	queue  [][]byte
	queued int // bytes in queue, and of what the goroutine is writing
	seq    int64
	// scratch is where the next frame is made.
	scratch []byte
	err     error
	closed  bool
	done    chan struct{}
}

// NewWriter returns a Writer on w. The caller must Close it.
func NewWriter(w io.Writer) *Writer {
	wr := &Writer{w: prompt.NewWriter(w), max: maxQueued, done: make(chan struct{})}
	wr.cond = sync.NewCond(&wr.mu)
	go wr.loop()
	return wr
}

func (w *Writer) loop() {
	defer close(w.done)
	var batch [][]byte
	for {
		w.mu.Lock()
		for len(w.queue) == 0 && !w.closed && w.err == nil {
			w.cond.Wait()
		}
		if len(w.queue) == 0 || w.err != nil {
			w.mu.Unlock()
			return
		}
		batch, w.queue = w.queue, batch[:0]
		w.mu.Unlock()
		for _, frame := range batch {
			_, err := w.w.Write(frame)
			w.mu.Lock()
			w.queued -= len(frame)
			if err != nil {
				w.err = err
				w.queue, w.queued = nil, 0
			}
			w.cond.Broadcast()
			w.mu.Unlock()
			if err != nil {
				return
			}
		}
		clear(batch) // the frames may be large
	}
}

// Forward sends m with a sequence number of its own, which it returns, and with
// requestSeq in place of its request_seq. It blocks while the peer is far
// behind. before, if not nil, runs with the number before the message can be
// answered.
func (w *Writer) Forward(m *Message, requestSeq int64, before func(seq int64)) error {
	return w.put(false, before, func(out []byte, seq int64) []byte { return m.appendRenumbered(out, seq, requestSeq) })
}

// Send sends a message of the adapter's own, without ever blocking. build gets
// the sequence number and returns the JSON text.
func (w *Writer) Send(build func(seq int64) []byte) error {
	return w.put(false, nil, func(out []byte, seq int64) []byte { return append(out, build(seq)...) })
}

// put sends the message that build appends.
func (w *Writer) put(wait bool, before func(int64), build func(out []byte, seq int64) []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for wait && w.queued > w.max && w.err == nil && !w.closed {
		w.cond.Wait()
	}
	if w.err != nil {
		return w.err
	}
	if w.closed {
		return ErrClosed
	}
	w.seq++
	if before != nil {
		before(w.seq)
	}
	frame := w.frame(build)
	if w.queued == 0 {
		n, err := w.w.WriteNow(frame)
		if err != nil {
			w.err = err
			w.cond.Broadcast()
			return err
		}
		if frame = frame[n:]; len(frame) == 0 {
			return nil
		}
	}
	frame = bytes.Clone(frame)
	w.queue = append(w.queue, frame)
	w.queued += len(frame)
	w.cond.Broadcast()
	return nil
}

// headerRoom is more than the longest header takes, in bytes.
const headerRoom = 48

// maxScratch is how much memory is kept for the next message, in bytes.
const maxScratch = 64 << 10

// frame is the message that build appends, with its header. It is valid until
// the next call.
func (w *Writer) frame(build func(out []byte, seq int64) []byte) []byte {
	var room [headerRoom]byte
	out := build(append(w.scratch[:0], room[:]...), w.seq)
	raw := out[headerRoom:]
	if w.Sent != nil {
		w.Sent(raw)
	}
	header := append(room[:0], contentLength...)
	header = append(header, ' ')
	header = strconv.AppendInt(header, int64(len(raw)), 10)
	header = append(header, "\r\n\r\n"...)
	from := headerRoom - len(header)
	copy(out[from:], header)
	if w.scratch = nil; cap(out) <= maxScratch {
		w.scratch = out
	}
	return out[from:]
}

// Wait blocks until fewer than below bytes wait for the peer, ctx ends, or the
// Writer is closed. It is how the source of many messages is held back.
func (w *Writer) Wait(ctx context.Context, below int) error {
	stop := context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.cond.Broadcast()
	})
	defer stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.queued >= below && w.err == nil && !w.closed && ctx.Err() == nil {
		w.cond.Wait()
	}
	switch {
	case w.err != nil:
		return w.err
	case w.closed:
		return ErrClosed
	}
	return ctx.Err()
}

// Close lets the messages already handed over go out and ends the goroutine.
// Done is closed when that has happened; a peer that does not read delays it.
func (w *Writer) Close() {
	w.mu.Lock()
	w.closed = true
	w.cond.Broadcast()
	w.mu.Unlock()
}

// Done is closed when the last message is out or the peer is gone.
func (w *Writer) Done() <-chan struct{} { return w.done }

// Queued is the number of bytes the peer has not yet taken.
func (w *Writer) Queued() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.queued
}
