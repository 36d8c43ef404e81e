package harness

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/envoydbg/envoydbg/adapter/control"
	"github.com/envoydbg/envoydbg/test/support/backend"
)

// Window is one `envoydbg serve` with what an editor's window does at its other end.
type Window struct {
	*backend.Backend
	story *Story

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

// Serve starts a backend and greets it.
func (s *Story) Serve() *Window {
	s.T.Helper()
	win := &Window{story: s}
	win.Backend = backend.Start(s.Ctx, s.T, backend.Options{Program: The.Envoydbg, Env: s.Env(), Heard: win.heard})
	return win
}

// heard keeps the log, and between its lines what stands by.
func (w *Window) heard(method string, params json.RawMessage) {
	entry := control.LogEntry{Message: method + " " + string(params)}
	if method == "standBy" || method == "log" && json.Unmarshal(params, &entry) == nil {
		w.mu.Lock()
		w.log = append(w.log, entry.Message)
		w.mu.Unlock()
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
