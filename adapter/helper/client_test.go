package helper

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/yamux"
	"github.com/sourcegraph/jsonrpc2"
)

// prompt is how soon something must return that is told to return.
const prompt = 2 * time.Second

// returns fails the test when fn does not return in time.
func returns(t *testing.T, what string, bound time.Duration, fn func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { fn(); close(done) }()
	select {
	case <-done:
	case <-time.After(bound):
		t.Fatalf("%s has not returned after %v", what, bound)
	}
}

// mute is a stream that takes no byte and gives none until it is closed.
func mute() io.ReadWriteCloser {
	here, _ := net.Pipe()
	return here
}

// deafStream does not even notice that it is closed.
type deafStream struct{ never chan struct{} }

func (d deafStream) Read([]byte) (int, error)  { <-d.never; return 0, io.EOF }
func (d deafStream) Write([]byte) (int, error) { <-d.never; return 0, io.EOF }
func (d deafStream) Close() error              { <-d.never; return nil }

// clogged takes some bytes and then no more until it is closed.
type clogged struct {
	io.ReadWriteCloser
	left   int
	full   chan struct{} // closed when no more is taken
	closed chan struct{}
}

func (c *clogged) Write(b []byte) (int, error) {
	if c.left -= len(b); c.left < 0 {
		close(c.full)
		<-c.closed
		return 0, io.ErrClosedPipe
	}
	return len(b), nil
}

func (c *clogged) Close() error {
	close(c.closed)
	return c.ReadWriteCloser.Close()
}

// Nobody reads what the client writes: each method ends with its context, and
// so does the client.
func TestNothingHangsOnAStreamThatNobodyReads(t *testing.T) {
	for name, stream := range map[string]io.ReadWriteCloser{"a pipe": mute(), "one that cannot be closed": deafStream{}} {
		t.Run(name, func(t *testing.T) {
			c, err := NewClient(stream, Handlers{})
			if err != nil {
				t.Fatal(err)
			}
			for method, call := range map[string]func(context.Context) error{
				"Hello":         func(ctx context.Context) error { _, err := c.Hello(ctx, HelloParams{}); return err },
				"Inspect":       func(ctx context.Context) error { _, err := c.Inspect(ctx, InspectParams{}); return err },
				"PlatformStart": func(ctx context.Context) error { _, err := c.PlatformStart(ctx, PlatformStartParams{}); return err },
				"Look":          func(ctx context.Context) error { _, err := c.Look(ctx, LookParams{}); return err },
				"ServerState":   func(ctx context.Context) error { _, err := c.ServerState(ctx, ServerStateParams{}); return err },
				"AgentStart":    func(ctx context.Context) error { _, err := c.AgentStart(ctx, AgentStartParams{}); return err },
				"Process":       func(ctx context.Context) error { _, err := c.Process(ctx, ProcessParams{}); return err },
				"End":           func(ctx context.Context) error { _, err := c.End(ctx); return err },
				"DialServer":    func(ctx context.Context) error { _, err := c.DialServer(ctx, "/x"); return err },
			} {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
				returns(t, method, prompt, func() {
					if err := call(ctx); !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("%s: %v, want the end of the context", method, err)
					}
				})
				cancel()
			}
			waiting := make(chan error, 1)
			go func() { _, err := c.End(t.Context()); waiting <- err }()
			returns(t, "Close", closeWait+prompt, func() {
				if err := c.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			})
			returns(t, "a call under way", prompt, func() {
				if err := <-waiting; !errors.Is(err, ErrClosed) {
					t.Errorf("the call under way ended with %v", err)
				}
			})
			if _, err := c.End(t.Context()); !errors.Is(err, ErrClosed) {
				t.Errorf("a call after the end: %v", err)
			}
		})
	}
}

// A connection to a debug server whose link is blocked is closed all the same,
// and what writes to it returns.
func TestAServerConnectionCanBeClosedWhenNobodyReads(t *testing.T) {
	const opening = 12 // bytes that open a stream
	link := &clogged{ReadWriteCloser: mute(), left: opening, full: make(chan struct{}), closed: make(chan struct{})}
	mux, err := yamux.Client(link, MuxConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer mux.Close()
	stream, err := mux.OpenStream()
	if err != nil {
		t.Fatal(err)
	}
	conn := newServerConn(stream)
	written := make(chan error, 1)
	go func() {
		_, err := conn.Write(make([]byte, 1<<20))
		written <- err
	}()
	returns(t, "the link", prompt, func() { <-link.full })
	returns(t, "Close", prompt, func() { _ = conn.CloseWrite(); _ = conn.Close() })
	returns(t, "Write", prompt, func() {
		if err := <-written; !errors.Is(err, net.ErrClosed) {
			t.Errorf("the write ended with %v", err)
		}
	})
}

// fakeHelper answers one request after it has told of the exit of an agent that had
// written some bytes, and sends these bytes when told to.
func fakeHelper(t *testing.T, stream io.ReadWriteCloser, text string, send <-chan struct{}) {
	mux, err := yamux.Server(stream, MuxConfig())
	if err != nil {
		t.Error(err)
		return
	}
	defer mux.Close()
	control, err := mux.AcceptStream()
	if err != nil {
		t.Error(err)
		return
	}
	jsonrpc2.NewConn(t.Context(), jsonrpc2.NewBufferedStream(control, jsonrpc2.VSCodeObjectCodec{}),
		jsonrpc2.HandlerWithError(func(ctx context.Context, conn *jsonrpc2.Conn, _ *jsonrpc2.Request) (any, error) {
			return EndResult{}, conn.Notify(ctx, NotifyExit, ExitParams{What: "agent", Output: int64(len(text))})
		}), jsonrpc2.SetLogger(silent{}))
	out, err := mux.AcceptStream()
	if err == nil {
		_, err = bufio.NewReader(out).ReadString('\n')
	}
	if err == nil {
		_, err = io.WriteString(out, "{}\n")
	}
	<-send
	if err == nil {
		err = WriteOutput(out, OutputParams{Stream: "stdout", Data: []byte(text)})
	}
	if err != nil {
		t.Error(err)
	}
	<-mux.CloseChan()
}

// The last words of an agent come before its exit, unless nobody takes them.
func TestTheExitComesAfterTheOutput(t *testing.T) {
	for _, c := range []struct {
		name  string
		taken bool
		want  []string
	}{{"taken", true, []string{"output", "exit"}}, {"not taken", false, []string{"exit"}}} {
		t.Run(c.name, func(t *testing.T) {
			here, there := net.Pipe()
			send, block, news := make(chan struct{}), make(chan struct{}), make(chan string, 2)
			defer close(block)
			go fakeHelper(t, there, "last words", send)
			client, err := NewClient(here, Handlers{
				Output: func(OutputParams) {
					if !c.taken {
						<-block
					}
					news <- "output"
				},
				Exit: func(ExitParams) { news <- "exit" },
			})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			if _, err := client.End(ctx); err != nil { // the exit has been read before its answer
				t.Fatal(err)
			}
			close(send)
			for _, want := range c.want {
				select {
				case got := <-news:
					if got != want {
						t.Errorf("told %s, want %s", got, want)
					}
				case <-ctx.Done():
					t.Fatalf("not told: %s", want)
				}
			}
		})
	}
}

// The helper is stopped, as by a debugger or the freezer of a cgroup: the client
// kills it and says so.
func TestAStoppedHelperIsKilled(t *testing.T) {
	for _, c := range []struct {
		name   string
		stuck  bool
		within time.Duration
	}{{"before any request", false, endWait + prompt}, {"after a request without an answer", true, stuckWait + prompt}} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "helper")
			if err := os.WriteFile(path, []byte("#!/bin/sh\nkill -STOP $$\nexec cat >/dev/null\n"), 0o755); err != nil {
				t.Fatal(err)
			}
			client, err := Start(t.Context(), path, Handlers{})
			if err != nil {
				t.Fatal(err)
			}
			if c.stuck {
				ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
				defer cancel()
				if _, err := client.Hello(ctx, HelloParams{}); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("Hello: %v", err)
				}
			}
			returns(t, "Close", c.within, func() {
				if err := client.Close(); err == nil || !strings.Contains(err.Error(), "was killed") {
					t.Errorf("Close: %v, want that the helper was killed", err)
				}
			})
		})
	}
}
