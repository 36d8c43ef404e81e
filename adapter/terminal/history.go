package terminal

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// maxHistory is how many commands are kept.
const maxHistory = 1000

// history is what has been typed, the oldest first. It implements term.History.
// Commands are appended to the file one by one, so that sessions side by side
// keep each other's. A file that cannot be used is done without.
type history struct {
	path string // empty: nothing is kept

	mu    sync.Mutex
	lines []string
}

// historyPath is where the history is kept, by the XDG Base Directory
// Specification; empty if the user has no home.
func historyPath() string {
	state := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(state) { // a relative one is to be ignored
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		state = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(state, "envoydbg", "history")
}

// loadHistory reads the file's last commands, and shortens a file that has grown.
func loadHistory(path string) *history {
	h := &history{path: path}
	st, err := os.Stat(path)
	if err != nil || !st.Mode().IsRegular() {
		if err == nil {
			h.path = "" // a pipe of that name would hold up everything
		}
		return h
	}
	file, err := os.Open(path)
	if err != nil {
		return h
	}
	defer file.Close()
	sc := bufio.NewScanner(file)
	for sc.Scan() {
		h.lines = append(h.lines, sc.Text())
		if len(h.lines) > 2*maxHistory {
			h.lines = append(h.lines[:0], h.lines[maxHistory:]...)
		}
	}
	if len(h.lines) > maxHistory {
		h.lines = h.lines[len(h.lines)-maxHistory:]
		h.rewrite()
	}
	return h
}

// rewrite replaces the file; who reads it sees the old or the new one.
func (h *history) rewrite() {
	temporary, err := os.CreateTemp(filepath.Dir(h.path), ".history-*") // with mode 0600
	if err != nil {
		return
	}
	_, err = temporary.WriteString(strings.Join(h.lines, "\n") + "\n")
	if closed := temporary.Close(); err == nil && closed == nil {
		err = os.Rename(temporary.Name(), h.path)
	}
	if err != nil {
		_ = os.Remove(temporary.Name())
	}
}

// Add implements term.History, which adds every line that is typed; what is to
// be kept is added by keep.
func (h *history) Add(string) {}

// keep adds a command.
func (h *history) keep(command string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	command = strings.TrimSpace(command)
	if command == "" || len(h.lines) > 0 && h.lines[len(h.lines)-1] == command {
		return
	}
	h.lines = append(h.lines, command)
	if len(h.lines) > 2*maxHistory {
		h.lines = append(h.lines[:0], h.lines[maxHistory:]...)
	}
	if h.path == "" || os.MkdirAll(filepath.Dir(h.path), 0o700) != nil {
		return
	}
	file, err := os.OpenFile(h.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return
	}
	_, _ = file.WriteString(command + "\n")
	_ = file.Close()
}

// Len implements term.History.
func (h *history) Len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.lines)
}

// At implements term.History; 0 is the last one.
func (h *history) At(i int) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lines[len(h.lines)-1-i]
}
