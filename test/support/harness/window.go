package harness

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sourcegraph/jsonrpc2"

	"github.com/envoydbg/envoydbg/adapter/control"
	"github.com/envoydbg/envoydbg/internal/version"
)

// Window is one `envoydbg serve` with what an editor's window does at its other end.
type Window struct {
	*jsonrpc2.Conn
	// Exited is closed when envoydbg has ended.
	Exited <-chan struct{}

	story *Story
	cmd   *exec.Cmd
	stdin io.Closer
	err   error // how it ended; valid when Exited is closed

	mu  sync.Mutex
	log []string
}

// Logged waits for a line of the log at or after an index that matches a pattern. It
// returns the pattern's groups, and the index behind the line.
func (w *Window) Logged(from int, pattern string) (groups []string, next int) {
	w.story.T.Helper()
	wanted := regexp.MustCompile(pattern)
	look := func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		for i := from; i < len(w.log); i++ {
			if groups = wanted.FindStringSubmatch(w.log[i]); groups != nil {
				next = i + 1
				return true
			}
		}
		return false
	}
	if !eventually(logBound, look) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.story.T.Fatalf("the log has no line like %q behind line %d:\n%s", pattern, from, strings.Join(w.log[from:], "\n"))
	}
	return groups, next
}

// Ready waits until an lldb-dap stands by, and returns its process id. The window must have
// a session that is traced.
func (w *Window) Ready(from int) (pid int) {
	w.story.T.Helper()
	ready, _ := w.Logged(from, `warm .*→ ready: pid (\d+)`)
	pid, _ = strconv.Atoi(ready[1])
	return pid
}

// logBound bounds the wait for a line of the log.
const logBound = 2 * time.Minute

// Lines is how many lines the log has.
func (w *Window) Lines() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.log)
}

// PID is the backend's.
func (w *Window) PID() int { return w.cmd.Process.Pid }

// Serve starts a backend and greets it.
func (s *Story) Serve() *Window {
	s.T.Helper()
	cmd := exec.Command(The.Envoydbg, "serve")
	cmd.Env, cmd.Stderr = s.Env(), os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		s.T.Fatal(err)
	}
	out, w, err := os.Pipe() // not StdoutPipe: Wait would close it under the reader
	if err != nil {
		s.T.Fatal(err)
	}
	cmd.Stdout = w
	err = cmd.Start()
	_ = w.Close()
	if err != nil {
		s.T.Fatal(err)
	}
	exited := make(chan struct{})
	win := &Window{Exited: exited, story: s, cmd: cmd, stdin: in}
	go func() {
		win.err = cmd.Wait()
		close(exited)
	}()
	win.Conn = jsonrpc2.NewConn(context.Background(), jsonrpc2.NewBufferedStream(pipes{out, in}, jsonrpc2.VSCodeObjectCodec{}),
		jsonrpc2.HandlerWithError(func(_ context.Context, _ *jsonrpc2.Conn, r *jsonrpc2.Request) (any, error) {
			var entry control.LogEntry
			if r.Method == "log" && r.Params != nil && json.Unmarshal(*r.Params, &entry) == nil {
				win.mu.Lock()
				win.log = append(win.log, entry.Message)
				win.mu.Unlock()
			}
			return nil, nil
		}))
	release, _, _ := strings.Cut(releaseOf(s), "+")
	win.Ask("initialize", control.Hello{Version: release}, nil)
	return win
}

// releaseOf is the version of the envoydbg under test.
func releaseOf(s *Story) string {
	s.T.Helper()
	out, err := exec.CommandContext(s.Ctx, The.Envoydbg, "--version").Output()
	if err != nil {
		s.T.Fatal(err)
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

// Ask makes a request that must succeed.
func (w *Window) Ask(method string, params, result any) {
	w.story.T.Helper()
	if err := w.Call(w.story.Ctx, method, params, result); err != nil {
		w.story.T.Fatalf("%s: %v", method, err)
	}
}

// Open opens a debug session and connects to it.
func (w *Window) Open(p control.OpenParams) *Session {
	w.story.T.Helper()
	if p.LLDBDap == "" {
		p.LLDBDap = w.story.LLDB.DAP
	}
	var opened control.Opened
	w.Ask("open", p, &opened)
	return w.story.Dial("unix", opened.Socket)
}

// Kill kills the backend.
func (w *Window) Kill() {
	_ = w.cmd.Process.Kill()
	<-w.Exited
}

// End closes the window; the backend must end in order.
func (w *Window) End() {
	w.story.T.Helper()
	_ = w.stdin.Close()
	select {
	case <-w.Exited:
		if w.err != nil {
			w.story.T.Errorf("envoydbg serve ended with %v", w.err)
		}
	case <-w.story.Ctx.Done():
		w.Kill()
		w.story.T.Error(errors.New("envoydbg serve did not end when its window had gone"))
	}
}
