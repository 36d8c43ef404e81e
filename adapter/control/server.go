package control

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"sync"

	"github.com/sourcegraph/jsonrpc2"

	"github.com/envoydbg/envoydbg/adapter/fault"
)

// Names of requests and notifications that are not the backend's own.
const (
	initialize = "initialize"
	// cancelRequest has the params {"id": …} (vscode-jsonrpc, LSP 3.17 "Cancellation Support").
	cancelRequest = "$/cancelRequest"
)

// codeCancelled is the code of the answer to a request that was cancelled (LSP 3.17,
// ErrorCodes.RequestCancelled).
const codeCancelled = -32800

// Server serves one window.
type Server struct {
	backend Backend
	welcome Welcome
	methods map[string]reflect.Method
	// listening is closed when the backend can tell the window of things.
	listening chan struct{}

	mu sync.Mutex
	// greeted: the window has said its version, and it fits.
	greeted bool
	// open has, by its id, what ends each request that is being answered.
	open map[jsonrpc2.ID]context.CancelFunc
	// over: no request is begun any more; answering are those that were.
	over      bool
	answering sync.WaitGroup
}

// NewServer returns a server that asks backend. welcome is the answer to initialize.
func NewServer(backend Backend, welcome Welcome) *Server {
	s := &Server{backend: backend, welcome: welcome, methods: map[string]reflect.Method{}, listening: make(chan struct{}), open: map[jsonrpc2.ID]context.CancelFunc{}}
	for m := range reflect.TypeFor[Backend]().Methods() {
		s.methods[wire(m.Name)] = m
	}
	return s
}

// Serve answers the window at the other end of the stream until the stream or ctx ends;
// the requests that are then being answered are cancelled. The channel that it returns is
// closed when they have undone what they had begun. listen is given what tells the window
// of things by itself.
func (s *Server) Serve(ctx context.Context, stream io.ReadWriteCloser, listen func(Listener)) <-chan struct{} {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	conn := jsonrpc2.NewConn(ctx, jsonrpc2.NewBufferedStream(stream, jsonrpc2.VSCodeObjectCodec{}), s, jsonrpc2.SetLogger(silent{}))
	listen(notifier{ctx, conn})
	close(s.listening)
	select {
	case <-conn.DisconnectNotify():
	case <-ctx.Done():
		_ = conn.Close()
	}
	s.mu.Lock()
	s.over = true
	s.mu.Unlock()
	undone := make(chan struct{})
	go func() { s.answering.Wait(); close(undone) }()
	return undone
}

// silent is a logger that drops what jsonrpc2 has to say of answers that nobody reads.
type silent struct{}

func (silent) Printf(string, ...any) {}

// Handle implements jsonrpc2.Handler. It is called for one message after the other, in
// their order; each request is answered on a goroutine of its own.
func (s *Server) Handle(ctx context.Context, conn *jsonrpc2.Conn, req *jsonrpc2.Request) {
	<-s.listening
	if req.Notif {
		if req.Method == cancelRequest {
			s.cancel(req)
		}
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return
	}
	ctx, cancel := context.WithCancel(context.WithValue(ctx, requestKey{}, req.ID))
	s.open[req.ID] = cancel
	s.answering.Go(func() {
		result, err := s.answer(ctx, req)
		s.mu.Lock()
		delete(s.open, req.ID)
		s.mu.Unlock()
		if err != nil {
			_ = conn.ReplyWithError(ctx, req.ID, wireError(ctx, err)) // a window that has gone needs nothing
		} else {
			_ = conn.Reply(ctx, req.ID, result)
		}
		cancel()
	})
}

// cancel ends the request that a notification names.
func (s *Server) cancel(req *jsonrpc2.Request) {
	var p struct {
		ID jsonrpc2.ID `json:"id"`
	}
	if req.Params == nil || json.Unmarshal(*req.Params, &p) != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if end := s.open[p.ID]; end != nil {
		end()
	}
}

// answer asks the backend. A panic is the error of the request alone.
func (s *Server) answer(ctx context.Context, req *jsonrpc2.Request) (result any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fault.Panicked(req.Method, p)
		}
	}()
	if req.Method == initialize {
		return s.initialize(req)
	}
	m, known := s.methods[req.Method]
	s.mu.Lock()
	greeted := s.greeted
	s.mu.Unlock()
	switch {
	case !known:
		return nil, &jsonrpc2.Error{Code: jsonrpc2.CodeMethodNotFound, Message: "unknown request " + req.Method}
	case !greeted:
		return nil, &jsonrpc2.Error{Code: jsonrpc2.CodeInvalidRequest, Message: req.Method + " before " + initialize}
	}
	params := reflect.New(m.Type.In(1))
	if err := decode(req, params.Interface()); err != nil {
		return nil, err
	}
	out := reflect.ValueOf(s.backend).MethodByName(m.Name).Call([]reflect.Value{reflect.ValueOf(ctx), params.Elem()})
	if err, failed := out[1].Interface().(error); failed {
		return nil, err
	}
	return out[0].Interface(), nil
}

func decode(req *jsonrpc2.Request, params any) error {
	if req.Params == nil {
		return nil
	}
	if err := json.Unmarshal(*req.Params, params); err != nil {
		return &jsonrpc2.Error{Code: jsonrpc2.CodeInvalidParams, Message: req.Method + ": " + err.Error()}
	}
	return nil
}

// initialize answers the first request: both sides must be of one release.
func (s *Server) initialize(req *jsonrpc2.Request) (Welcome, error) {
	var hello Hello
	if err := decode(req, &hello); err != nil {
		return Welcome{}, err
	}
	if ours, _, _ := strings.Cut(s.welcome.Version, "+"); hello.Version != ours {
		return Welcome{}, fault.OtherRelease(hello.Version, ours)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.greeted = true
	return s.welcome, nil
}

// wireError is an error as the window gets it: a fault's number, text and parts. Of a
// request that was cancelled only what it has left is one.
func wireError(ctx context.Context, err error) *jsonrpc2.Error {
	var already *jsonrpc2.Error
	switch {
	case errors.As(err, &already):
		return already
	case ctx.Err() != nil && !fault.IsHoldLeft(err):
		return &jsonrpc2.Error{Code: codeCancelled, Message: "cancelled"}
	}
	f := fault.From(err)
	e := &jsonrpc2.Error{Code: int64(f.Code), Message: f.Error()}
	e.SetError(f.Form())
	return e
}

// requestKey is the key of a request's id in its context.
type requestKey struct{}

// notifier tells a window.
type notifier struct {
	ctx  context.Context
	conn *jsonrpc2.Conn
}

func (n notifier) tell(method string, params any) { _ = n.conn.Notify(n.ctx, method, params) }

// Log implements Listener.
func (n notifier) Log(e LogEntry) { n.tell("log", e) }

// Progress implements Listener.
func (n notifier) Progress(p ProgressNote) { n.tell("progress", p) }

// StandBy implements Listener.
func (n notifier) StandBy(s StandBy) { n.tell("standBy", s) }

// RequestOf is the id of the request that a context belongs to, for the notification
// progress.
func RequestOf(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(jsonrpc2.ID)
	return id.String()
}
