package lldb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidwall/gjson"

	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/trace"
	"github.com/envoydbg/envoydbg/internal/tail"
)

// Handler is told what lldb-dap says of its own accord. The methods run on the
// goroutine that reads lldb-dap, one at a time.
type Handler interface {
	// Message is an event, or a request of lldb-dap's.
	Message(m *dapio.Message)
	// Ready is called before each message is read. It may block, which holds
	// lldb-dap back.
	Ready()
	// Ended is called once, when lldb-dap has ended or its output has. Every
	// request that was pending has been told by then.
	Ended()
}

// Answer takes the answer to a request, or the reason why there is none. It is
// called exactly once, on another goroutine than the one that called.
type Answer func(answer *dapio.Message, err error)

// ErrGone is the error of a request that lldb-dap can no longer answer.
var ErrGone = errors.New("lldb-dap has ended")

// ErrBehind is the error of a request that lldb-dap was not sent, because it has
// not read those before it.
var ErrBehind = fmt.Errorf("lldb-dap does not read: more than %d MiB of requests wait for it", maxBehind>>20)

// maxBehind bounds the requests that wait for an lldb-dap that does not read, in
// bytes. It is above what any editor sends at once, and bounds memory when
// lldb-dap is stopped or stuck.
const maxBehind = 64 << 20

// DAP is a running lldb-dap as a DAP server: it numbers requests, matches the
// answers, and owns the process.
type DAP struct {
	// Version and Supports are known once Initialize has returned.
	Version Version
	// Supports holds the capabilities that are true.
	Supports map[string]bool

	child Process
	// to and from are the stream: the process's stdin and stdout, or a connection.
	to   io.Closer
	from io.ReadCloser
	// leaves: the process goes on when the stream has ended.
	leaves   bool
	out      *dapio.Writer
	listener atomic.Pointer[listener]
	console  tail.Tail
	done     chan struct{} // closed when nothing more will be said

	mu      sync.Mutex
	pending map[int64]Answer // by lldb-dap's sequence number; nil once it has ended
}

// listener is who hears an lldb-dap.
type listener struct {
	Handler
	trace *trace.Trace
}

// Process is the lldb-dap that a DAP talks to: a [Child], or one that another process has
// started and lends.
type Process interface {
	// Program is its path.
	Program() string
	PID() int
	// Kill may be called at any time, and does nothing to one that has ended.
	Kill()
	// Done is closed when it has ended; Status says how, and Stderr is the end of what it
	// wrote there.
	Done() <-chan struct{}
	Status() string
	Stderr() string
	// Release gives back what is left of it here, when it has ended.
	Release()
}

// StartDAP runs lldb-dap as Start does, and begins to read it.
// ctx bounds the start alone.
func StartDAP(ctx context.Context, p Program, h Handler, t *trace.Trace) (*DAP, error) {
	child, err := Start(ctx, p)
	if err != nil {
		return nil, err
	}
	t.Line("lldb-dap", "%s started, pid %d", p.Path, child.PID())
	return Talk(child, child.Stdin, child.Stdout, false, h, t), nil
}

// Talk begins to read an lldb-dap, at the other end of a stream. leaves: it goes on when the
// stream has ended.
func Talk(child Process, to io.WriteCloser, from io.ReadCloser, leaves bool, h Handler, t *trace.Trace) *DAP {
	d := &DAP{child: child, to: to, from: from, leaves: leaves, out: dapio.NewWriter(to), pending: map[int64]Answer{}, done: make(chan struct{})}
	d.listener.Store(&listener{h, t})
	d.out.Sent = func(raw []byte) { d.trace().Message("lldb-dap →", raw) }
	go d.read()
	return d
}

// Adopt has another handler hear what lldb-dap says from now on, and another trace. It is
// false when lldb-dap has ended, which h is then not told. Nothing may be pending.
func (d *DAP) Adopt(h Handler, t *trace.Trace) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.pending == nil {
		return false
	}
	d.listener.Store(&listener{h, t})
	t.Line("lldb-dap", "%s taken, pid %d", d.Path(), d.child.PID())
	return true
}

func (d *DAP) trace() *trace.Trace { return d.listener.Load().trace }

// Path is the program's path.
func (d *DAP) Path() string { return d.child.Program() }

// Initialize sends the client's initialize request and learns the version and
// the capabilities from the answer, which it returns as lldb-dap gave it.
func (d *DAP) Initialize(ctx context.Context, m *dapio.Message) (*dapio.Message, error) {
	answer, err := d.Ask(ctx, m)
	if err != nil {
		return nil, err
	}
	if !answer.Success {
		return nil, errors.New(answer.Get("message").String())
	}
	d.Supports = map[string]bool{}
	answer.Get("body").ForEach(func(key, value gjson.Result) bool {
		if value.Type == gjson.True {
			d.Supports[key.Str] = true
		}
		return true
	})
	for _, at := range []string{`body.\$__lldb_version`, "body.__lldb.version"} {
		if v, ok := ParseVersion(answer.Get(at).String()); ok {
			d.Version = v
		}
	}
	return answer, nil
}

// Call sends a request and returns its number at lldb-dap at once. With an error
// the request was not sent, and answer is not called.
func (d *DAP) Call(m *dapio.Message, answer Answer) (seq int64, err error) {
	if d.out.Queued() > maxBehind {
		return 0, ErrBehind
	}
	ended := false
	err = d.out.Forward(m, 0, func(n int64) {
		d.mu.Lock()
		defer d.mu.Unlock()
		if ended = d.pending == nil; !ended {
			seq, d.pending[n] = n, answer
		}
	})
	if ended {
		return 0, ErrGone
	}
	if err != nil && d.take(seq) != nil {
		return 0, ErrGone
	}
	return seq, nil
}

// Ask sends a request and waits for the answer.
func (d *DAP) Ask(ctx context.Context, m *dapio.Message) (*dapio.Message, error) {
	type outcome struct {
		answer *dapio.Message
		err    error
	}
	done := make(chan outcome, 1)
	if _, err := d.Call(m, func(answer *dapio.Message, err error) { done <- outcome{answer, err} }); err != nil {
		return nil, err
	}
	select {
	case o := <-done:
		return o.answer, o.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Reply sends the client's answer to a request of lldb-dap's.
func (d *DAP) Reply(m *dapio.Message, requestSeq int64) {
	_ = d.out.Forward(m, requestSeq, nil) // an lldb-dap that has ended needs none
}

// Said is the end of what lldb-dap has written to the debug console and, apart
// from messages, to stdout. Its errors are often only there.
func (d *DAP) Said() string { return d.console.String() }

// Stderr is the end of what lldb-dap has written there.
func (d *DAP) Stderr() string { return d.child.Stderr() }

// Status says how lldb-dap has ended, or that it runs.
func (d *DAP) Status() string {
	select {
	case <-d.child.Done():
		return d.child.Status()
	default:
		return "running"
	}
}

// take removes a pending request; nil if there is none of that number.
func (d *DAP) take(seq int64) Answer {
	d.mu.Lock()
	defer d.mu.Unlock()
	answer := d.pending[seq]
	delete(d.pending, seq)
	return answer
}

// exitGrace is how long lldb-dap may take from the end of its output to its own.
const exitGrace = 2 * time.Second

// read is the goroutine that reads lldb-dap.
func (d *DAP) read() {
	defer close(d.done)
	r := dapio.NewReader(d.from)
	r.Noise = func(p []byte) {
		d.trace().Line("lldb-dap noise", "%q", trace.Clip(p))
		_, _ = d.console.Write(p)
	}
	for {
		d.listener.Load().Ready()
		m, err := r.Next()
		if errors.Is(err, dapio.ErrNotDAP) {
			// The next message still stands where it should.
			d.trace().Line("lldb-dap noise", "%v", err)
			continue
		}
		if err != nil {
			d.trace().Line("lldb-dap", "its output ended: %v", err)
			break
		}
		d.trace().Message("lldb-dap ←", m.Raw)
		d.message(m)
	}
	if !d.leaves {
		d.ends()
	}
	d.giveUp()
	d.listener.Load().Ended()
}

// ends waits until lldb-dap has ended, whose output has.
func (d *DAP) ends() {
	select {
	case <-d.child.Done():
	case <-time.After(exitGrace):
		// Without its output it is of no use.
		d.child.Kill()
		waitKilled(d.child)
	}
	d.trace().Line("lldb-dap", "ended: %s; stderr: %s", d.Status(), d.child.Stderr())
}

// message takes one message to where it belongs. A panic on the way costs this
// message and no more.
func (d *DAP) message(m *dapio.Message) {
	defer d.trace().Recover("a message of lldb-dap")
	switch {
	case m.Type != dapio.Response:
		if m.Name == "output" && m.Type == dapio.Event {
			if c := m.Get("body.category").String(); c == "" || c == "console" || c == "stderr" {
				_, _ = d.console.Write([]byte(m.Get("body.output").String()))
			}
		}
		d.listener.Load().Message(m)
	default:
		if answer := d.take(m.RequestSeq); answer != nil {
			answer(m, nil)
			return
		}
		d.trace().Line("lldb-dap", "answered a request that was not made: %d", m.RequestSeq)
	}
}

// giveUp tells every pending request that no answer will come.
func (d *DAP) giveUp() {
	d.mu.Lock()
	pending := d.pending
	d.pending = nil
	d.mu.Unlock()
	for _, answer := range pending {
		func() {
			defer d.trace().Recover("a request that lldb-dap did not answer")
			answer(nil, ErrGone)
		}()
	}
}

// killTime bounds the end of a killed lldb-dap. It only takes longer in a system
// call that cannot be interrupted, such as a read from a dead network mount.
const killTime = time.Second

// Left waits for the end of lldb-dap's output, and leaves the connection.
func (d *DAP) Left(ctx context.Context) error {
	select {
	case <-d.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	d.out.Abort()
	return d.to.Close()
}

// waitKilled waits for the end of a child that was killed.
func waitKilled(c Process) bool {
	select {
	case <-c.Done():
		return true
	case <-time.After(killTime):
		return false
	}
}

// Close kills lldb-dap if it still runs and returns when it has ended and
// nothing more will come from it, or after 2 s. Whatever was pending is told. The
// error says what could not be ended.
func (d *DAP) Close() error {
	var err error
	d.child.Kill()
	if !waitKilled(d.child) {
		err = fmt.Errorf("lldb-dap (pid %d) does not end", d.child.PID())
	}
	d.out.Abort()
	_ = d.to.Close() // ends a write to one that did not read
	_ = d.from.Close()
	d.child.Release()
	select {
	case <-d.done:
	case <-time.After(killTime):
		// The reader waits for the session's client.
	}
	d.giveUp()
	return err
}
