package backend

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/sourcegraph/jsonrpc2"

	"github.com/envoydbg/envoydbg/adapter/control"
	"github.com/envoydbg/envoydbg/internal/version"
)

// Options say which backend is started.
type Options struct {
	Program string // envoydbg
	Env     []string
	// Heard gets each notification, one at a time.
	Heard func(method string, params json.RawMessage)
}

// Backend is one that runs.
type Backend struct {
	*jsonrpc2.Conn
	// Exited is closed when it has ended.
	Exited <-chan struct{}

	tb    testing.TB
	ctx   context.Context
	cmd   *exec.Cmd
	stdin io.Closer
	err   error // how it ended; valid when Exited is closed
}

// Start starts a backend and greets it. The context bounds all that is asked and the end.
// The caller calls End.
func Start(ctx context.Context, tb testing.TB, o Options) *Backend {
	tb.Helper()
	cmd := exec.Command(o.Program, "serve")
	cmd.Env, cmd.Stderr = o.Env, os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, w, err := os.Pipe() // not StdoutPipe: Wait would close it under the reader
	if err != nil {
		tb.Fatal(err)
	}
	cmd.Stdout = w
	err = cmd.Start()
	_ = w.Close()
	if err != nil {
		tb.Fatal(err)
	}
	exited := make(chan struct{})
	b := &Backend{Exited: exited, tb: tb, ctx: ctx, cmd: cmd, stdin: in}
	go func() {
		b.err = cmd.Wait()
		close(exited)
	}()
	b.Conn = jsonrpc2.NewConn(context.Background(), jsonrpc2.NewBufferedStream(pipes{out, in}, jsonrpc2.VSCodeObjectCodec{}),
		jsonrpc2.HandlerWithError(func(_ context.Context, _ *jsonrpc2.Conn, r *jsonrpc2.Request) (any, error) {
			if r.Params != nil {
				o.Heard(r.Method, *r.Params)
			}
			return nil, nil
		}))
	release, _, _ := strings.Cut(releaseOf(ctx, tb, o.Program), "+")
	b.Ask("initialize", control.Hello{Version: release}, nil)
	return b
}

// releaseOf is the version of an envoydbg.
func releaseOf(ctx context.Context, tb testing.TB, program string) string {
	tb.Helper()
	out, err := exec.CommandContext(ctx, program, "--version").Output()
	if err != nil {
		tb.Fatal(err)
	}
	words := strings.Fields(string(out))
	if len(words) < 2 {
		return version.String()
	}
	return words[1]
}

type pipes struct {
	io.ReadCloser
	io.Writer
}

// PID is its process id.
func (b *Backend) PID() int { return b.cmd.Process.Pid }

// Ask makes a request that must succeed.
func (b *Backend) Ask(method string, params, result any) {
	b.tb.Helper()
	if err := b.Call(b.ctx, method, params, result); err != nil {
		b.tb.Fatalf("%s: %v", method, err)
	}
}

// Kill kills it.
func (b *Backend) Kill() {
	_ = b.cmd.Process.Kill()
	<-b.Exited
}

// End closes the window; the backend must end in order.
func (b *Backend) End() {
	b.tb.Helper()
	_ = b.stdin.Close()
	select {
	case <-b.Exited:
		if b.err != nil {
			b.tb.Errorf("envoydbg serve ended with %v", b.err)
		}
	case <-b.ctx.Done():
		b.Kill()
		b.tb.Error("envoydbg serve did not end when its window had gone")
	}
}
