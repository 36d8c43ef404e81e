package adapter

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/lldb/warm"
	"github.com/envoydbg/envoydbg/adapter/paths"
	"github.com/envoydbg/envoydbg/adapter/startup"
	"github.com/envoydbg/envoydbg/adapter/trace"
)

// Options configure a session.
type Options struct {
	// LLDBDap is the lldb-dap to use when the launch attribute names none;
	// empty means to search PATH.
	LLDBDap string
	// Folder is where lldb-dap starts, and an agent on this machine that the launch
	// attributes give no other; empty for where this process is.
	Folder string
	// Warm may have an lldb-dap that has the program's symbols; nil for none.
	Warm warm.Source
	// Log receives the trace; nil for none.
	Log io.Writer
	// Target is where the Envoy of a startup session is debugged.
	Target func(*config.Config) startup.Target
	// Sources makes the source map of a startup session; nil leaves paths to
	// lldb-dap.
	Sources paths.Load
	// PhaseEvents: the client takes the event envoyPhase, even if its initialize
	// does not say so.
	PhaseEvents bool
	// ShowsPhases: it shows them to its user, too, and gets no progress of the adapter's.
	ShowsPhases bool
	// FaultEvents: the client shows faults itself (FaultEvent), even if its initialize
	// does not say so.
	FaultEvents bool
	// TempDir is an existing folder of mode 0700 with a path short enough for
	// unix sockets; it is the caller's to remove.
	TempDir string
}

// Session is one debug session: it makes the parts, connects them to the router,
// and ends them. What it holds itself is what the end needs.
type Session struct {
	opts   Options
	id     string    // 8 hex digits
	began  time.Time // zero of the trace and of the timeline
	trace  *trace.Trace
	client *client
	in     *dapio.Reader
	router *router
	paths  *paths.Rewriter
	phases *startup.Phases
	inbox  chan *dapio.Message
	// hello is the client's initialize request. It is written before the session
	// is ready and read after.
	hello *dapio.Message
	// folder is LLDB's working folder. It is written when the session is opened, before it
	// has its debugger.
	folder string

	// ctx ends with the session; every part lives in it.
	ctx    context.Context
	cancel context.CancelFunc

	mu    sync.Mutex
	peer  *peer            // the lldb-dap in use
	run   *startup.Startup // of a startup session
	over  bool             // end has been called
	warms bool             // opts.Warm has been asked, and is to be told the end
	ended chan struct{}    // closed when nothing of the session is left
}

// NewSession returns a session with the client at the other end of in and out.
func NewSession(in io.Reader, out io.Writer, opts Options) *Session {
	ctx, cancel := context.WithCancel(context.Background())
	began := time.Now()
	s := &Session{opts: opts, id: newID(), began: began, trace: trace.New(opts.Log, began), client: newClient(dapio.NewWriter(out)), in: dapio.NewReader(in),
		inbox: make(chan *dapio.Message, inboxSize), ctx: ctx, cancel: cancel, ended: make(chan struct{})}
	s.client.out.Sent = func(raw []byte) { s.trace.Message("client ←", raw) }
	s.paths = paths.NewRewriter(func(local string, c paths.Change) {
		f := fault.SourceChanged(local)
		if !c.Built.IsZero() {
			f = fault.SourceSavedLater(local, c.Saved, c.Built)
		}
		s.client.fault(f)
	})
	s.phases = startup.NewPhases("envoydbg-"+s.id, s.client.event, s.began, s.trace)
	s.router = newRouter(s.client, s.trace, s.paths, s)
	return s
}

// inboxSize is how many messages of the client's may wait for the router. It
// handles one in microseconds, unless a file system hangs.
const inboxSize = 1024

// flushTime is how long a client may take to read the last messages.
const flushTime = time.Second

// Run serves the client until it disconnects or goes away, cleans up, and
// returns. An error means that the client's stream was not DAP, or ended within a
// message.
func (s *Session) Run() error {
	routed := make(chan struct{})
	go func() {
		defer close(routed)
		s.route()
	}()
	err := s.read()
	close(s.inbox)
	select {
	case <-routed:
	case <-time.After(insistTime):
	}
	s.Shutdown()
	s.trace.Close()
	return err
}

// Shutdown ends the session as if the client had gone, and returns when nothing
// of it is left. Run, though, still waits for the client's stream to end.
func (s *Session) Shutdown() {
	s.end(ending{})
	<-s.ended
	s.client.out.Close()
	select {
	case <-s.client.out.Done():
	case <-time.After(flushTime):
		s.trace.Line("session", "the client did not read its last %d bytes", s.client.out.Queued())
	}
}

// insistTime is how long the router may take to come to a disconnect. The client's
// wish to leave must not depend on what was asked before it.
const insistTime = time.Second

// read reads the client until it has left. It does nothing that can block but
// read.
func (s *Session) read() error {
	for {
		m, err := s.in.Next()
		switch {
		case errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
			s.trace.Line("session", "the client's stream has ended")
			return nil
		case errors.Is(err, dapio.ErrNotDAP), errors.Is(err, dapio.ErrTooLarge), errors.Is(err, io.ErrUnexpectedEOF):
			f := fault.BadClient(err)
			s.end(ending{fault: f})
			return f
		case err != nil:
			s.trace.Line("session", "the client's stream: %v", err)
			return nil
		}
		s.trace.Message("client →", m.Raw)
		leaves := m.Type == dapio.Request && m.Name == "disconnect"
		if leaves {
			insist := time.AfterFunc(insistTime, func() { s.end(ending{atEnd: config.AtEndEnd}) })
			defer insist.Stop()
		}
		if !s.deliver(m) || leaves {
			<-s.ended
			return nil
		}
	}
}

// deliver puts a message into the inbox. It is false if there is no room until the
// session has ended.
func (s *Session) deliver(m *dapio.Message) bool {
	select {
	case s.inbox <- m:
		return true
	default:
	}
	select {
	case s.inbox <- m:
		return true
	case <-s.ended:
		return false
	}
}

// route hands the client's messages to the router, one after the other, until read
// has ended. A client may ask for something when the session has long ended.
func (s *Session) route() {
	for m := range s.inbox {
		s.router.fromClient(m)
	}
}
