package helper

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/hashicorp/yamux"
	"github.com/sourcegraph/jsonrpc2"
)

// Handlers receive the helper's notifications, one at a time and in the order
// the helper sent them. While one runs no answer is read: a handler must return
// soon and must not call a method of its Client. A nil handler is skipped.
type Handlers struct {
	Output func(OutputParams)
	Gate   func(GateParams)
	Exit   func(ExitParams)
}

// Client is the adapter's end of the conversation with a helper. Its methods
// may be called from any goroutine. Errors of the helper are *jsonrpc2.Error;
// [Code] tells them apart.
type Client struct {
	mux  *yamux.Session
	rpc  *jsonrpc2.Conn
	done chan struct{}

	// ended, when not nil, waits for the end of the process that serves the
	// stream, which is closed already. It says how it ended, and is nil for
	// exit status 0.
	ended func() error

	once  sync.Once
	err   error // why the conversation ended; valid when done is closed
	child error // what ended returned; valid when done is closed
}

// ErrClosed is the error of a client that was closed by [Client.Close].
var ErrClosed = errors.New("the connection to the helper was closed")

// NewClient speaks to the helper at the other end of rwc, which it takes over.
func NewClient(rwc io.ReadWriteCloser, h Handlers) (*Client, error) {
	return newClient(rwc, h, nil)
}

func newClient(rwc io.ReadWriteCloser, h Handlers, ended func() error) (*Client, error) {
	mux, err := yamux.Client(rwc, MuxConfig())
	if err != nil {
		return nil, err
	}
	control, err := mux.OpenStream()
	if err != nil {
		mux.Close()
		if ended != nil {
			err = errors.Join(ended(), err)
		}
		return nil, err
	}
	c := &Client{mux: mux, done: make(chan struct{}), ended: ended}
	c.rpc = jsonrpc2.NewConn(context.Background(), jsonrpc2.NewBufferedStream(control, jsonrpc2.VSCodeObjectCodec{}),
		notifications(h), jsonrpc2.SetLogger(silent{}))
	go func() {
		select {
		case <-c.rpc.DisconnectNotify():
		case <-mux.CloseChan():
		}
		c.finish(errors.New("the helper ended the connection"))
	}()
	return c, nil
}

// silent drops what jsonrpc2 would print to stderr; the causes it prints come
// back as errors too.
type silent struct{}

func (silent) Printf(string, ...any) {}

type notifications Handlers

// Handle implements jsonrpc2.Handler.
func (h notifications) Handle(ctx context.Context, conn *jsonrpc2.Conn, req *jsonrpc2.Request) {
	switch req.Method {
	case NotifyOutput:
		notify(req, h.Output)
	case NotifyGate:
		notify(req, h.Gate)
	case NotifyExit:
		notify(req, h.Exit)
	default:
		if !req.Notif {
			_ = conn.ReplyWithError(ctx, req.ID, &jsonrpc2.Error{Code: jsonrpc2.CodeMethodNotFound, Message: req.Method})
		}
	}
}

func notify[P any](req *jsonrpc2.Request, fn func(P)) {
	var p P
	if fn != nil && req.Params != nil && json.Unmarshal(*req.Params, &p) == nil {
		fn(p)
	}
}

// finish closes everything once and keeps the reason.
func (c *Client) finish(why error) {
	c.once.Do(func() {
		_ = c.rpc.Close()
		_ = c.mux.Close()
		if c.ended != nil {
			c.child = c.ended()
			if c.child != nil && !errors.Is(why, ErrClosed) {
				why = c.child
			}
		}
		c.err = why
		close(c.done)
	})
	<-c.done
}

// Close ends the conversation; the helper then ends all it has started. For a
// helper started by [Start] it returns when that process has ended, with an
// error when it did not end well (it names processes it could not end).
func (c *Client) Close() error {
	c.finish(ErrClosed)
	return c.child
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

// call sends one request. Any failure but the helper's own answer and the end
// of ctx is the end of the conversation, and the error then is that of Err.
func call[R any](ctx context.Context, c *Client, method string, params any) (R, error) {
	var result R
	err := c.rpc.Call(ctx, method, params, &result)
	if err != nil && Code(err) == 0 && ctx.Err() == nil {
		_ = c.rpc.Close()
		<-c.done
		err = fmt.Errorf("%s: %w", method, c.err)
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

// PlatformStart starts lldb-server's platform and returns when it listens.
func (c *Client) PlatformStart(ctx context.Context, p PlatformStartParams) (PlatformStartResult, error) {
	return call[PlatformStartResult](ctx, c, MethodPlatformStart, p)
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

// Release lets the agent and Envoy go.
func (c *Client) Release(ctx context.Context) (ReleaseResult, error) {
	return call[ReleaseResult](ctx, c, MethodRelease, nil)
}

// End ends all the helper has started, within 5 s. It may be called again.
func (c *Client) End(ctx context.Context) (EndResult, error) {
	return call[EndResult](ctx, c, MethodEnd, nil)
}

// ServerConn is a connection to a debug server. It is a net.Conn whose
// directions close one at a time.
type ServerConn struct {
	*yamux.Stream
	in *bufio.Reader
}

// DialServer connects to a socket in the session's folder.
func (c *Client) DialServer(ctx context.Context, socket string) (*ServerConn, error) {
	stream, err := c.mux.OpenStream()
	if err != nil {
		return nil, fmt.Errorf("dial %s beside Envoy: %w", socket, err)
	}
	conn := &ServerConn{stream, bufio.NewReader(stream)}
	stop := context.AfterFunc(ctx, func() { _ = stream.SetDeadline(time.Unix(1, 0)) })
	var reply DialReply
	b, err := json.Marshal(DialHeader{Socket: socket})
	if err == nil {
		_, err = stream.Write(append(b, '\n'))
	}
	var line []byte
	if err == nil {
		line, err = conn.in.ReadSlice('\n')
	}
	if err == nil {
		err = json.Unmarshal(line, &reply)
	}
	if !stop() && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err == nil && reply.Error != "" {
		err = errors.New(reply.Error)
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("dial %s beside Envoy: %w", socket, err)
	}
	return conn, nil
}

// Read implements net.Conn.
func (c *ServerConn) Read(b []byte) (int, error) { return c.in.Read(b) }

// CloseWrite passes the end of input to the debug server; its output can still
// be read.
func (c *ServerConn) CloseWrite() error { return c.Stream.Close() }

// Close ends both directions and unblocks a Read.
func (c *ServerConn) Close() error {
	err := c.Stream.Close()
	_ = c.Stream.SetDeadline(time.Unix(1, 0))
	return err
}
