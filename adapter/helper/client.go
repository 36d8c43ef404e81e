package helper

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/yamux"
	"github.com/sourcegraph/jsonrpc2"

	"github.com/envoydbg/envoydbg/adapter/helper/link"
)

// Handlers receive what the helper tells by itself. A nil handler is skipped.
type Handlers struct {
	// Output is called with each piece of the agent's output, in order, on a
	// goroutine of its own. It may block for as long as it likes: the agent is
	// then held back, and nothing else is. Nothing is dropped, but by a daemon while it
	// is cut off from its client.
	Output func(OutputParams)
	// Gate and Exit are called one at a time, in the order the helper sent them,
	// but for one exception: the exit of the agent comes after the output that
	// preceded it, or when that has not been taken within half a second. Both
	// must return soon.
	Gate func(GateParams)
	Exit func(ExitParams)
	// Called tells of each call when it is answered, or has failed. It must return soon.
	Called func(method string, took time.Duration, err error)
}

// Bounds of a client.
const (
	// closeWait is for the end of the byte stream itself, should closing it block.
	closeWait = time.Second
	// outputWait is how long the exit of the agent waits for its last output.
	outputWait = 500 * time.Millisecond
)

// Client is the adapter's end of the conversation with a helper. Its methods may
// be called from any goroutine, and each returns when its context ends, even
// when nobody reads what is sent. Errors of the helper are *jsonrpc2.Error;
// [Code] tells them apart.
type Client struct {
	mux      *yamux.Session
	handlers Handlers
	done     chan struct{}

	opened chan struct{} // closed when rpc is set
	rpc    *jsonrpc2.Conn

	// ended, when not nil, waits for the end of the process that serves the stream,
	// which is closed already, and kills it in the end, soon when it is stuck. It
	// says how the process ended, and is nil for exit status 0.
	ended func(stuck bool) error
	// released is set when the helper stays after the conversation.
	released atomic.Bool
	// stuck is set when the helper has not answered a request in time.
	stuck atomic.Bool

	// link is the byte stream, when it can be resumed; else nil.
	link *link.Conn

	notices sync.Mutex // held while Gate or Exit is called
	output  delivered

	once   sync.Once
	err    error // why the conversation ended; valid when done is closed
	ending error // what ended returned; valid when done is closed
}

// ErrClosed is the error of a client that was closed by [Client.Close].
var ErrClosed = errors.New("the connection to the helper was closed")

// NewClient speaks to the helper at the other end of rwc, which it takes over. When
// that is a [link.Conn] whose end is not orderly, Err says what the link says.
func NewClient(rwc io.ReadWriteCloser, h Handlers) (*Client, error) {
	return newClient(rwc, h, nil)
}

func newClient(rwc io.ReadWriteCloser, h Handlers, ended func(stuck bool) error) (*Client, error) {
	mux, err := yamux.Client(rwc, MuxConfig())
	if err != nil {
		return nil, err
	}
	c := &Client{mux: mux, handlers: h, done: make(chan struct{}), opened: make(chan struct{}), ended: ended}
	c.link, _ = rwc.(*link.Conn)
	go func() {
		<-mux.CloseChan()
		c.finish(errEnded)
	}()
	go c.open()
	return c, nil
}

var errEnded = errors.New("the helper ended the connection")

// open opens the control stream and then the stream of output. It is not part of
// NewClient because opening a stream writes, and writing may block.
func (c *Client) open() {
	control, err := c.mux.OpenStream()
	if err != nil {
		c.finish(err)
		return
	}
	c.rpc = jsonrpc2.NewConn(context.Background(), jsonrpc2.NewBufferedStream(control, jsonrpc2.VSCodeObjectCodec{}),
		notifications{c}, jsonrpc2.SetLogger(silent{}))
	close(c.opened)
	go func() {
		<-c.rpc.DisconnectNotify()
		c.finish(errEnded)
	}()
	out, err := c.stream(StreamHeader{Kind: StreamOutput})
	for err == nil {
		var p OutputParams
		if p, err = ReadOutput(out); err == nil {
			if c.handlers.Output != nil {
				c.handlers.Output(p)
			}
			c.output.add(len(p.Data))
		}
	}
	if errors.Is(err, io.EOF) || c.mux.IsClosed() {
		err = errEnded
	}
	c.finish(err)
}

// silent drops what jsonrpc2 would print to stderr; the causes it prints come
// back as errors too.
type silent struct{}

func (silent) Printf(string, ...any) {}

type notifications struct{ c *Client }

// Handle implements jsonrpc2.Handler.
func (n notifications) Handle(ctx context.Context, conn *jsonrpc2.Conn, req *jsonrpc2.Request) {
	switch req.Method {
	case NotifyGate:
		notify(n.c, req, n.c.handlers.Gate)
	case NotifyExit:
		n.exit(req)
	default:
		if !req.Notif {
			_ = conn.ReplyWithError(ctx, req.ID, &jsonrpc2.Error{Code: jsonrpc2.CodeMethodNotFound, Message: req.Method})
		}
	}
}

// exit waits for the output that came before an exit on a goroutine of its own,
// for that output may be held up by its handler.
func (n notifications) exit(req *jsonrpc2.Request) {
	var p ExitParams
	if req.Params == nil || json.Unmarshal(*req.Params, &p) != nil || p.Output == 0 {
		notify(n.c, req, n.c.handlers.Exit)
		return
	}
	go func() {
		n.c.output.reach(p.Output, outputWait, n.c.done)
		notify(n.c, req, n.c.handlers.Exit)
	}()
}

func notify[P any](c *Client, req *jsonrpc2.Request, fn func(P)) {
	var p P
	if fn != nil && req.Params != nil && json.Unmarshal(*req.Params, &p) == nil {
		c.notices.Lock()
		defer c.notices.Unlock()
		fn(p)
	}
}

// delivered counts the bytes of output that the handler has taken.
type delivered struct {
	mu    sync.Mutex
	bytes int64
	more  chan struct{} // closed when bytes changes; nil while nobody waits
}

func (d *delivered) add(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.bytes += int64(n)
	if d.more != nil {
		close(d.more)
		d.more = nil
	}
}

// reach returns when that many bytes have been taken, after the bound, or when
// done is closed.
func (d *delivered) reach(bytes int64, bound time.Duration, done <-chan struct{}) {
	late := time.After(bound)
	for {
		d.mu.Lock()
		enough := d.bytes >= bytes
		if d.more == nil {
			d.more = make(chan struct{})
		}
		more := d.more
		d.mu.Unlock()
		if enough {
			return
		}
		select {
		case <-more:
		case <-late:
			return
		case <-done:
			return
		}
	}
}

// finish closes everything once and keeps the reason.
func (c *Client) finish(why error) {
	c.once.Do(func() {
		if c.link != nil && !errors.Is(why, ErrClosed) {
			if err := c.link.Err(); err != nil {
				why = err
			}
		}
		closed := make(chan struct{})
		go func() {
			defer close(closed)
			_ = c.mux.Close()
		}()
		select {
		case <-closed:
		case <-time.After(closeWait):
		}
		if c.link != nil {
			c.ending = c.link.Close() // what it was: it is closed already
		}
		if c.ended != nil && !c.released.Load() {
			c.ending = c.ended(c.stuck.Load())
			if c.ending != nil && !errors.Is(why, ErrClosed) {
				why = c.ending
			}
		}
		c.err = why
		close(c.done)
	})
	<-c.done
}

// Close ends the conversation; the helper then ends all it has started. For a
// helper started by [Start] it returns when that process has ended, with an
// error when it did not end well (it names processes it could not end). A helper
// that does not end within 4 s, or at once if it has left a request unanswered
// before, is killed; the error says so. For a [link.Conn] it is the error of its Close.
func (c *Client) Close() error {
	c.finish(ErrClosed)
	return c.ending
}

// Done is closed when the conversation has ended, for whatever reason.
func (c *Client) Done() <-chan struct{} { return c.done }

// Err says why the conversation ended, nil while it has not. When a helper
// started by [Start] died, the error holds its exit status and the tail of its
// stderr.
func (c *Client) Err() error {
	select {
	case <-c.done:
		return c.err
	default:
		return nil
	}
}

// Code is the code of an error the helper answered with, 0 for other errors.
func Code(err error) int64 {
	var e *jsonrpc2.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

// RefusalOf returns what an error of code [CodePtrace] says, nil for other errors.
func RefusalOf(err error) *Refusal {
	var e *jsonrpc2.Error
	if !errors.As(err, &e) || e.Code != CodePtrace || e.Data == nil {
		return nil
	}
	r := &Refusal{}
	if json.Unmarshal(*e.Data, r) != nil {
		return nil
	}
	return r
}

// within runs fn, which may block in a write that nobody reads, on a goroutine
// of its own, and returns at the end of ctx or of the conversation at the latest.
// The goroutine ends with the conversation. A result that comes too late and can
// be closed is closed.
func within[R any](ctx context.Context, c *Client, fn func() (R, error)) (R, error) {
	type answer struct {
		result R
		err    error
	}
	answers := make(chan answer, 1)
	go func() {
		r, err := fn()
		answers <- answer{r, err}
	}()
	var err error
	select {
	case a := <-answers:
		return a.result, a.err
	case <-ctx.Done():
		err = context.Cause(ctx)
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			c.stuck.Store(true)
		}
	case <-c.done:
		err = c.err
	}
	go func() {
		a := <-answers
		if late, ok := any(a.result).(io.Closer); ok && a.err == nil {
			late.Close()
		}
	}()
	var none R
	return none, err
}

// call sends one request. Any failure but the helper's own answer and the end
// of ctx is the end of the conversation, and the error then is that of Err.
func call[R any](ctx context.Context, c *Client, method string, params any) (R, error) {
	result, err := within(ctx, c, func() (R, error) {
		var result R
		select {
		case <-c.opened:
		case <-c.done:
			return result, c.err
		}
		began := time.Now()
		err := c.rpc.Call(ctx, method, params, &result)
		if c.handlers.Called != nil {
			c.handlers.Called(method, time.Since(began), err)
		}
		if err != nil && Code(err) == 0 && ctx.Err() == nil {
			c.finish(errEnded)
			err = c.err
		}
		if err == nil || Code(err) != 0 {
			c.stuck.Store(false) // it answers
		}
		return result, err
	})
	if err != nil && Code(err) == 0 {
		err = fmt.Errorf("%s: %w", method, err)
	}
	return result, err
}

// Hello opens the session; it is the first call.
func (c *Client) Hello(ctx context.Context, p HelloParams) (HelloResult, error) {
	return call[HelloResult](ctx, c, MethodHello, p)
}

// Inspect reads an ELF beside Envoy.
func (c *Client) Inspect(ctx context.Context, p InspectParams) (InspectResult, error) {
	return call[InspectResult](ctx, c, MethodInspect, p)
}

// Look looks for a program beside Envoy.
func (c *Client) Look(ctx context.Context, p LookParams) (LookResult, error) {
	return call[LookResult](ctx, c, MethodLook, p)
}

// PlatformStart starts lldb-server's platform and returns when it listens.
func (c *Client) PlatformStart(ctx context.Context, p PlatformStartParams) (PlatformStartResult, error) {
	return call[PlatformStartResult](ctx, c, MethodPlatformStart, p)
}

// PlatformConnect takes an lldb-server platform that listens already.
func (c *Client) PlatformConnect(ctx context.Context, p PlatformConnectParams) (PlatformConnectResult, error) {
	return call[PlatformConnectResult](ctx, c, MethodPlatformConnect, p)
}

// ServerState says what a gdbserver is doing.
func (c *Client) ServerState(ctx context.Context, p ServerStateParams) (ServerStateResult, error) {
	return call[ServerStateResult](ctx, c, MethodServerState, p)
}

// AgentStart starts the agent.
func (c *Client) AgentStart(ctx context.Context, p AgentStartParams) (AgentStartResult, error) {
	return call[AgentStartResult](ctx, c, MethodAgentStart, p)
}

// Process describes any process beside Envoy.
func (c *Client) Process(ctx context.Context, p ProcessParams) (ProcessResult, error) {
	return call[ProcessResult](ctx, c, MethodProcess, p)
}

// KeepStopped ends the debug servers; what they keep stopped stays so.
func (c *Client) KeepStopped(ctx context.Context) error {
	_, err := call[struct{}](ctx, c, MethodKeepStopped, nil)
	return err
}

// Release lets the agent and Envoy go. The helper then stays with them when the
// client is closed.
func (c *Client) Release(ctx context.Context) (ReleaseResult, error) {
	r, err := call[ReleaseResult](ctx, c, MethodRelease, nil)
	if err == nil {
		c.released.Store(true)
	}
	return r, err
}

// EndHeld kills what a debugger keeps stopped.
func (c *Client) EndHeld(ctx context.Context) error {
	_, err := call[struct{}](ctx, c, MethodEndHeld, nil)
	return err
}

// End ends all the helper has started, within 5 s. It may be called again.
func (c *Client) End(ctx context.Context) (EndResult, error) {
	return call[EndResult](ctx, c, MethodEnd, nil)
}

// ServerConn is a connection to a debug server. It is a net.Conn whose
// directions close one at a time. Close returns at once and ends a Read and a
// Write that block.
type ServerConn struct {
	*yamux.Stream
	in     *bufio.Reader
	ready  bool // the helper's reply has been read
	closed chan struct{}
	once   sync.Once
}

// DialServer connects to a socket in the session's folder, or to an address of a debug
// server that was started by hand.
func (c *Client) DialServer(ctx context.Context, socket string) (*ServerConn, error) {
	conn, err := within(ctx, c, func() (*ServerConn, error) {
		conn, err := c.stream(StreamHeader{Kind: StreamDial, Socket: socket})
		if err == nil {
			err = conn.reply()
		}
		return conn, err
	})
	if err != nil {
		return nil, fmt.Errorf("dial %s beside Envoy: %w", socket, err)
	}
	return conn, nil
}

// CompanionConn is a connection to a debug server with a companion beside it.
type CompanionConn struct{ *ServerConn }

// Accompanied implements gdbremote.Accompanied.
func (CompanionConn) Accompanied() {}

// DialCompanion connects to a socket in the session's folder, with a companion. It does
// not wait for the helper: that the socket cannot be reached is the error of the first
// Read.
func (c *Client) DialCompanion(ctx context.Context, socket string) (CompanionConn, error) {
	conn, err := within(ctx, c, func() (CompanionConn, error) {
		conn, err := c.stream(StreamHeader{Kind: StreamDial, Socket: socket, Companion: true})
		return CompanionConn{conn}, err
	})
	if err != nil {
		return conn, fmt.Errorf("dial %s beside Envoy: %w", socket, err)
	}
	return conn, nil
}

// stream opens a stream for the purpose that its header names. The helper's reply is
// still to be read.
func (c *Client) stream(h StreamHeader) (*ServerConn, error) {
	stream, err := c.mux.OpenStream()
	if err != nil {
		return nil, err
	}
	conn := newServerConn(stream)
	b, err := json.Marshal(h)
	if err == nil {
		_, err = stream.Write(append(b, '\n'))
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// reply reads the helper's, which comes before all else, and closes the connection if it
// is none.
func (c *ServerConn) reply() error {
	line, err := c.in.ReadSlice('\n')
	var reply StreamReply
	if err == nil {
		err = json.Unmarshal(line, &reply)
	}
	if err == nil && reply.Error != "" {
		err = errors.New(reply.Error)
	}
	if err != nil {
		_ = c.Close()
		return err
	}
	c.ready = true
	return nil
}

func newServerConn(stream *yamux.Stream) *ServerConn {
	return &ServerConn{Stream: stream, in: bufio.NewReader(stream), closed: make(chan struct{})}
}

// Read implements net.Conn.
func (c *ServerConn) Read(b []byte) (int, error) {
	if !c.ready {
		if err := c.reply(); err != nil {
			return 0, err
		}
	}
	return c.in.Read(b)
}

// Write implements net.Conn. The bytes are copied, because a write that Close
// interrupts goes on until the conversation ends.
func (c *ServerConn) Write(b []byte) (int, error) {
	b = bytes.Clone(b)
	written := make(chan error, 1)
	go func() {
		_, err := c.Stream.Write(b)
		written <- err
	}()
	select {
	case err := <-written:
		if err != nil {
			return 0, err
		}
		return len(b), nil
	case <-c.closed:
		return 0, net.ErrClosed
	}
}

// CloseWrite passes the end of input to the debug server; its output can still
// be read.
func (c *ServerConn) CloseWrite() error {
	go c.Stream.Close() // which writes, and so may block
	return nil
}

// Close implements net.Conn.
func (c *ServerConn) Close() error {
	c.once.Do(func() {
		close(c.closed)
		_ = c.SetDeadline(time.Unix(1, 0))
		go c.Stream.Close()
	})
	return nil
}
