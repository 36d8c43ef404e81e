package adapter

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/lldb"
	"github.com/envoydbg/envoydbg/internal/tail"
)

// Options configure a session.
type Options struct {
	// LLDBDap is the lldb-dap to use when the launch attribute names none;
	// empty means to search PATH.
	LLDBDap string
	// Log receives the trace; nil for none.
	Log io.Writer
	// Local is the target "local".
	Local Target
	// Sources makes the source map of a startup session; nil leaves paths to
	// lldb-dap.
	Sources LoadSources
	// TempDir is an existing folder of mode 0700 with a path short enough for
	// unix sockets; it is the caller's to remove.
	TempDir string
}

// mode is what kind of session the client has asked for.
type mode int

const (
	modeNone    mode = iota // no launch or attach yet
	modePlain               // plain lldb-dap
	modeStartup             // a startup session
)

// Session is one debug session.
type Session struct {
	opts     Options
	id       string // 8 hex digits
	trace    *trace
	toClient *dapio.Writer
	in       *dapio.Reader

	// ctx ends with the session; startup and the relay live in it.
	ctx    context.Context
	cancel context.CancelFunc

	// routeMu orders what goes to lldb-dap; see route.go.
	routeMu sync.Mutex
	backend *backend
	mode    mode
	holding bool
	held    []*dapio.Message
	// configured lets a held configurationDone pass.
	configured bool
	initialize *dapio.Message

	run    atomic.Pointer[startup] // of a startup session
	phases *phases

	reverseMu sync.Mutex
	reverse   map[int64]int64 // seq of a reverse request at the client → at lldb-dap

	endMu      sync.Mutex
	attach     *dapio.Message // the launch or attach not yet answered
	over       bool           // the session has ended, or is ending
	terminated bool           // the client has been told
	ended      chan struct{}  // closed when the cleanup is done
}

// NewSession returns a session with the client at the other end of in and out.
func NewSession(in io.Reader, out io.Writer, opts Options) *Session {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Session{opts: opts, id: newID(), trace: newTrace(opts.Log), in: dapio.NewReader(in),
		ctx: ctx, cancel: cancel, reverse: map[int64]int64{}, ended: make(chan struct{})}
	s.phases = &phases{s: s, progressID: "envoydbg-" + s.id}
	s.toClient = dapio.NewWriter(out)
	s.toClient.Sent = func(raw []byte) { s.trace.message("client ←", raw) }
	return s
}

// flushTime is how long a client may take to read the last messages.
const flushTime = 2 * time.Second

// Run serves the client until it disconnects or goes away, cleans up, and
// returns. An error means that the client's stream was not DAP.
func (s *Session) Run() error {
	err := s.clientPump()
	s.Shutdown()
	return err
}

// Shutdown ends the session as if the client had gone, and returns when nothing
// of it is left. Run, though, still waits for the client's stream to end.
func (s *Session) Shutdown() {
	s.end(nil)
	<-s.ended
	s.toClient.Close()
	select {
	case <-s.toClient.Done():
	case <-time.After(flushTime):
		s.trace.line("session", "the client did not read its last %d bytes", s.toClient.Queued())
	}
}

// errDisconnected ends the clientPump after a disconnect request.
var errDisconnected = errors.New("disconnected")

func (s *Session) clientPump() error {
	for {
		m, err := s.in.Next()
		switch {
		case errors.Is(err, dapio.ErrNotDAP), errors.Is(err, dapio.ErrTooLarge):
			f := fault.BadClient(err)
			s.end(f)
			return f
		case err != nil:
			s.trace.line("session", "client's stream ended: %v", err)
			return nil
		}
		s.trace.message("client →", m.Raw)
		if err := s.fromClient(m); errors.Is(err, errDisconnected) {
			return nil
		}
	}
}

// backend is the lldb-dap of the session.
type backend struct {
	child    *lldb.Child
	toLLDB   *dapio.Writer
	version  lldb.Version
	supports map[string]bool // the true capabilities of its initialize response

	mu      sync.Mutex
	pending map[int64]pending // by seq at lldb-dap
	pumped  chan struct{}     // closed when its stdout has ended
	// said keeps the console output, for errors that only say "failed".
	said tail.Tail
}

// pending is a request that lldb-dap has not answered.
type pending struct {
	clientSeq int64
	command   string
	group     string // of breakpoints, see bound
	fan       *fan   // of a setBreakpoints, see sendBreakpoints
	part      int    // which of the fan's paths
	// reply takes the answer to a request of the adapter's own.
	reply chan *dapio.Message
}

func (b *backend) take(seq int64) (pending, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, ok := b.pending[seq]
	delete(b.pending, seq)
	return p, ok
}

func (b *backend) put(seq int64, p pending) {
	b.mu.Lock()
	b.pending[seq] = p
	b.mu.Unlock()
}

// dispose kills lldb-dap, if it still runs, and waits for its pumps.
func (b *backend) dispose() {
	b.toLLDB.Close()
	b.child.Kill()
	<-b.child.Done()
	_ = b.child.Stdin.Close()
	_ = b.child.Stdout.Close()
	select {
	case <-b.pumped:
	case <-time.After(flushTime):
		// The client reads nothing, and the pump waits for it.
	}
}
