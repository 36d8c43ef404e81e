package control

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/sourcegraph/jsonrpc2"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/sourcemap"
)

// stub is a backend whose answers a test gives.
type stub struct {
	hold     func(context.Context, HoldParams) (HeldObject, error)
	contexts func(context.Context, Cluster) (Contexts, error)
}

func (s stub) Hold(ctx context.Context, p HoldParams) (HeldObject, error)             { return s.hold(ctx, p) }
func (s stub) Contexts(ctx context.Context, p Cluster) (Contexts, error)              { return s.contexts(ctx, p) }
func (stub) Sidecars(context.Context, SidecarsParams) (r Sidecars, err error)         { return }
func (stub) Doctor(context.Context, Configuration) (r Findings, err error)            { return }
func (stub) Debuggers(context.Context, None) (r Debuggers, err error)                 { return }
func (stub) DropStandBy(context.Context, None) (n None, err error)                    { return }
func (stub) Program(context.Context, ProgramParams) (r Program, err error)            { return }
func (stub) Release(context.Context, ReleaseParams) (r Released, err error)           { return }
func (stub) Held(context.Context, Cluster) (r HeldList, err error)                    { return }
func (stub) Request(context.Context, RequestParams) (r Responses, err error)          { return }
func (stub) Open(context.Context, OpenParams) (r Opened, err error)                   { return }
func (stub) SourceMap(context.Context, ProgramParams) (r sourcemap.Report, err error) { return }

// window is a client of a server, with what it was told.
type window struct {
	*jsonrpc2.Conn
	told chan *jsonrpc2.Request
}

// open connects a window to a server of the backend. The listener is for the backend to
// tell it of things.
func open(t *testing.T, b Backend) (*window, Listener) {
	t.Helper()
	ours, theirs := net.Pipe()
	listener := make(chan Listener, 1)
	served := make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer close(served)
		NewServer(b, Welcome{Version: "1.2.3+abcdef0"}).Serve(ctx, theirs, func(l Listener) { listener <- l })
	}()
	w := &window{told: make(chan *jsonrpc2.Request, 10)}
	w.Conn = jsonrpc2.NewConn(context.Background(), jsonrpc2.NewBufferedStream(ours, jsonrpc2.VSCodeObjectCodec{}),
		jsonrpc2.HandlerWithError(func(_ context.Context, _ *jsonrpc2.Conn, r *jsonrpc2.Request) (any, error) {
			w.told <- r
			return nil, nil
		}))
	t.Cleanup(func() {
		_ = w.Close()
		cancel()
		within(t, served)
	})
	return w, <-listener
}

func within[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(10 * time.Second):
		t.Fatal("nothing came within 10 s")
		panic("unreachable")
	}
}

func (w *window) greet(t *testing.T) {
	t.Helper()
	var welcome Welcome
	if err := w.Call(t.Context(), "initialize", Hello{Version: "1.2.3"}, &welcome); err != nil || welcome.Version != "1.2.3+abcdef0" {
		t.Fatalf("%v %+v", err, welcome)
	}
}

// failure is the error of a call as it came.
func failure(t *testing.T, err error) *jsonrpc2.Error {
	t.Helper()
	var e *jsonrpc2.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v", err)
	}
	return e
}

func TestAWindowOfAnotherReleaseIsRefused(t *testing.T) {
	w, _ := open(t, stub{})
	e := failure(t, w.Call(t.Context(), "contexts", Cluster{}, nil))
	if e.Code != jsonrpc2.CodeInvalidRequest {
		t.Errorf("before initialize: %v", e)
	}
	e = failure(t, w.Call(t.Context(), "initialize", Hello{Version: "1.2.4"}, nil))
	var form fault.Form
	if e.Data == nil || json.Unmarshal(*e.Data, &form) != nil || form.ID != "ED1907" || !strings.Contains(e.Message, "1.2.4") {
		t.Errorf("%v %+v", e, form)
	}
	if e = failure(t, w.Call(t.Context(), "contexts", Cluster{}, nil)); e.Code != jsonrpc2.CodeInvalidRequest {
		t.Errorf("after a refusal: %v", e)
	}
}

func TestEachMethodOfTheDescriptionIsServed(t *testing.T) {
	w, _ := open(t, stub{
		hold:     func(context.Context, HoldParams) (HeldObject, error) { return HeldObject{}, nil },
		contexts: func(context.Context, Cluster) (Contexts, error) { return Contexts{}, nil },
	})
	w.greet(t)
	for m := range reflect.TypeFor[Backend]().Methods() {
		result := reflect.New(m.Type.Out(0))
		if err := w.Call(t.Context(), wire(m.Name), reflect.Zero(m.Type.In(1)).Interface(), result.Interface()); err != nil {
			t.Errorf("%s: %v", m.Name, err)
		}
	}
	if e := failure(t, w.Call(t.Context(), "frob", nil, nil)); e.Code != jsonrpc2.CodeMethodNotFound {
		t.Errorf("%v", e)
	}
	if e := failure(t, w.Call(t.Context(), "hold", []string{"x"}, nil)); e.Code != jsonrpc2.CodeInvalidParams {
		t.Errorf("%v", e)
	}
}

func TestOneRequestDoesNotWaitForAnotherAndCanBeCancelled(t *testing.T) {
	began, ended := make(chan struct{}), make(chan struct{})
	w, l := open(t, stub{
		hold: func(ctx context.Context, p HoldParams) (HeldObject, error) {
			close(began)
			<-ctx.Done()
			close(ended)
			return HeldObject{}, ctx.Err()
		},
		contexts: func(ctx context.Context, _ Cluster) (Contexts, error) { return Contexts{Current: RequestOf(ctx)}, nil },
	})
	w.greet(t)
	held, err := w.DispatchCall(t.Context(), "hold", HoldParams{Target: "pod/x"}, jsonrpc2.PickID(jsonrpc2.ID{Num: 77}))
	if err != nil {
		t.Fatal(err)
	}
	within(t, began)
	var c Contexts
	if err := w.Call(t.Context(), "contexts", Cluster{}, &c, jsonrpc2.PickID(jsonrpc2.ID{Num: 78})); err != nil || c.Current != "78" {
		t.Fatalf("beside another request: %v %+v", err, c)
	}
	l.Progress(ProgressNote{Request: "77", Message: "half"})
	note := within(t, w.told)
	var progress ProgressNote
	if err := json.Unmarshal(*note.Params, &progress); err != nil || note.Method != "progress" || progress != (ProgressNote{"77", "half"}) {
		t.Errorf("%v: %s %s", err, note.Method, *note.Params)
	}
	if err := w.Notify(t.Context(), "$/cancelRequest", map[string]any{"id": 77}); err != nil {
		t.Fatal(err)
	}
	within(t, ended)
	if e := failure(t, held.Wait(t.Context(), nil)); e.Code != codeCancelled {
		t.Errorf("%v", e)
	}
}

func TestTheEndOfAWindowEndsItsRequests(t *testing.T) {
	began, ended := make(chan struct{}), make(chan struct{})
	w, _ := open(t, stub{hold: func(ctx context.Context, _ HoldParams) (HeldObject, error) {
		close(began)
		<-ctx.Done()
		close(ended)
		return HeldObject{}, ctx.Err()
	}})
	w.greet(t)
	if _, err := w.DispatchCall(t.Context(), "hold", HoldParams{}); err != nil {
		t.Fatal(err)
	}
	within(t, began)
	_ = w.Close()
	within(t, ended)
}

// The process may end when nothing of a request is left: a copy of a pod that is being made
// must be removed first.
func TestTheEndOfAWindowWaitsForWhatIsUndone(t *testing.T) {
	ours, theirs := net.Pipe()
	began, undo, undone := make(chan struct{}), make(chan struct{}), make(chan (<-chan struct{}), 1)
	s := NewServer(stub{hold: func(ctx context.Context, _ HoldParams) (HeldObject, error) {
		close(began)
		<-ctx.Done()
		<-undo
		return HeldObject{}, ctx.Err()
	}}, Welcome{Version: "1.2.3"})
	go func() { undone <- s.Serve(context.Background(), theirs, func(Listener) {}) }()
	w := &window{Conn: jsonrpc2.NewConn(context.Background(), jsonrpc2.NewBufferedStream(ours, jsonrpc2.VSCodeObjectCodec{}),
		jsonrpc2.HandlerWithError(func(context.Context, *jsonrpc2.Conn, *jsonrpc2.Request) (any, error) { return nil, nil }))}
	if err := w.Call(t.Context(), "initialize", Hello{Version: "1.2.3"}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := w.DispatchCall(t.Context(), "hold", HoldParams{}); err != nil {
		t.Fatal(err)
	}
	within(t, began)
	_ = w.Close()
	left := within(t, undone)
	select {
	case <-left:
		t.Error("a request has something to undo, and nobody waits for it")
	default:
	}
	close(undo)
	within(t, left)
}

// A hold that was cancelled and could not be undone is no hold that was cancelled.
func TestWhatACancelledRequestHasLeftIsTold(t *testing.T) {
	began := make(chan struct{})
	w, _ := open(t, stub{hold: func(ctx context.Context, _ HoldParams) (HeldObject, error) {
		close(began)
		<-ctx.Done()
		return HeldObject{}, fault.HoldLeft("pod/x", "envoydbg release pod/x -n demo", errors.New("no route to host"))
	}})
	w.greet(t)
	held, err := w.DispatchCall(t.Context(), "hold", HoldParams{}, jsonrpc2.PickID(jsonrpc2.ID{Num: 77}))
	if err != nil {
		t.Fatal(err)
	}
	within(t, began)
	if err := w.Notify(t.Context(), "$/cancelRequest", map[string]any{"id": 77}); err != nil {
		t.Fatal(err)
	}
	if e := failure(t, held.Wait(t.Context(), nil)); e.Code != 1705 || !strings.Contains(e.Message, "envoydbg release pod/x") {
		t.Errorf("%v", e)
	}
}

func TestAPanicIsTheErrorOfOneRequest(t *testing.T) {
	w, _ := open(t, stub{
		hold: func(context.Context, HoldParams) (HeldObject, error) { panic("oops") },
		contexts: func(context.Context, Cluster) (Contexts, error) {
			return Contexts{}, fault.NoCluster(errors.New("no kubeconfig"))
		},
	})
	w.greet(t)
	if e := failure(t, w.Call(t.Context(), "hold", HoldParams{}, nil)); e.Code != 1904 {
		t.Errorf("%v", e)
	}
	if e := failure(t, w.Call(t.Context(), "contexts", Cluster{}, nil)); e.Code != 1601 || !strings.Contains(e.Message, "no kubeconfig") {
		t.Errorf("%v", e)
	}
}
