//go:build linux

package server

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/yamux"
	"github.com/sourcegraph/jsonrpc2"

	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/helper/gate"
	"github.com/envoydbg/envoydbg/internal/process"
	"github.com/envoydbg/envoydbg/internal/tempdir"
)

// Options of a session.
type Options struct {
	// Version is the helper's, told in answer to hello.
	Version string
	// Dir is the session's folder; empty makes one with MakeDir. It is removed
	// at the end.
	Dir string

	output agentOutput        // nil for one that holds the agent back
	lease  time.Duration      // told in answer to hello
	start  func(process.Stat) // told of each program that is started; may be nil
	// left is told what the session leaves when it is over, and that it is ending; may
	// be nil.
	left func(helper.State, helper.Left)
	// control lets other commands reach the session; may be nil.
	control *control
}

// agentOutput is what the agent and Envoy write, on its way to the adapter.
type agentOutput interface {
	// put takes what was read from a stream, which it may make wait; data is copied.
	put(stream string, data []byte)
	// send writes what was put as frames, until it is closed or w fails.
	send(w io.Writer)
	// total is how many bytes were put.
	total() int64
	// drain begins and finishes the end of an agent, during which nothing waits for long.
	drain(on bool)
	// close says that the adapter takes no more.
	close()
}

// session is what one adapter has started.
type session struct {
	opts     Options
	dir      string
	name     string // HelloParams.Session; written once, before greeted is closed
	greeted  chan struct{}
	children *children
	notices  *queue
	output   agentOutput
	closing  chan struct{} // closed when the session ends
	endAsked sync.Once
	over     chan struct{} // closed afterEnd after the client had all ended

	platformMu sync.Mutex // one platformStart at a time
	agentMu    sync.Mutex // one agentStart at a time
	endMu      sync.Mutex // one endAll at a time

	// agentStarting is held from before the start of an agent until it is in agent.
	agentStarting sync.Mutex

	gateDir gate.Dir // set with gates
	// released: what was started outlives the adapter.
	released atomic.Bool
	kept     kept

	agent atomic.Pointer[agent]  // the last one started
	hand  atomic.Pointer[byHand] // nil while the session has lldb-servers of its own

	mu       sync.Mutex
	helloed  bool
	platform *child // the last one started
	gates    *net.UnixListener
}

// Serve is the helper: it does what the adapter at the other end of rwc asks,
// and returns when that end is gone or ctx is done, after ending every process
// it started, or after the end of those that were released. It takes over the
// reaping of all children of this process, so call it once in a process that starts
// none by other means.
func Serve(ctx context.Context, rwc io.ReadWriteCloser, opts Options) error {
	dir := opts.Dir
	if dir == "" {
		made, err := MakeDir()
		if err != nil {
			rwc.Close()
			return err
		}
		defer made.Remove()
		dir = made.Path
	}
	defer tempdir.Remove(dir)
	kids, err := newChildren(opts.start)
	if err != nil {
		rwc.Close()
		return err
	}
	mux, err := yamux.Server(rwc, helper.MuxConfig())
	if err != nil {
		rwc.Close()
		return err
	}
	s := &session{opts: opts, dir: dir, greeted: make(chan struct{}), children: kids,
		notices: newQueue(), output: opts.output, closing: make(chan struct{}), over: make(chan struct{}), kept: newKept()}
	if s.output == nil {
		s.output = newOutput(outputHeld)
	}
	if opts.control != nil {
		opts.control.session.Store(s)
	}
	err = s.serve(ctx, mux)
	waits := s.endHand() // may start something
	kids.close()
	close(s.closing)
	s.notices.close()
	if s.released.Load() {
		s.output.close()
		mux.Close()
		s.outlive(ctx)
	}
	ended, unknown := s.end()
	s.output.close()
	mux.Close()
	s.mu.Lock()
	if s.gates != nil {
		s.gates.Close()
	}
	s.mu.Unlock()
	return errors.Join(err, waits, leftError(ended.Left, unknown))
}

// afterEnd is how long a client that has had all ended may take to go. One that does not
// wait for a slow end is gone without a word, and would have the place for its lease.
const afterEnd = 10 * time.Second

// serve runs the control stream and the acceptor of further streams until the
// adapter has gone or should have (nil), or ctx is done.
func (s *session) serve(ctx context.Context, mux *yamux.Session) error {
	first, err := mux.AcceptStreamWithContext(ctx)
	if err != nil {
		return gone(err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	rpc := jsonrpc2.NewConn(ctx, jsonrpc2.NewBufferedStream(first, jsonrpc2.VSCodeObjectCodec{}),
		jsonrpc2.AsyncHandler(jsonrpc2.HandlerWithError(s.handle).SuppressErrClosed()))
	go func() {
		for {
			n, ok := s.notices.take()
			if !ok || rpc.Notify(ctx, n.method, n.params) != nil {
				return
			}
		}
	}()
	go func() {
		for {
			stream, err := mux.AcceptStream()
			if err != nil {
				return
			}
			go s.accept(stream)
		}
	}()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-rpc.DisconnectNotify():
	case <-mux.CloseChan():
	case <-s.over:
	}
	return nil
}

// end ends all that was started, while the output of the agent is drained.
func (s *session) end() (helper.EndResult, error) {
	s.closeGate()
	s.output.drain(true)
	defer s.output.drain(false)
	return s.endAll()
}

// closeGate lets no process pass the gate any more.
func (s *session) closeGate() {
	if a := s.agent.Load(); a != nil && a.admission != nil {
		a.admission.over.Store(true)
	}
}

// gone turns the end of the stream into success: that is how sessions end.
func gone(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, yamux.ErrSessionShutdown) {
		return nil
	}
	return err
}

// platformPID is 0 unless the platform runs.
func (s *session) platformPID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.platform == nil {
		return 0
	}
	select {
	case <-s.platform.Done:
		return 0
	default:
		return s.platform.PID
	}
}
