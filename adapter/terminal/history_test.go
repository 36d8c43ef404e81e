package terminal

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestTheHistoryIsKeptForTheUserAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "envoydbg", "history")
	one, other := loadHistory(path), loadHistory(path)
	one.keep("b main")
	one.keep("b main") // not twice
	one.keep("  ")
	other.keep("c") // a session beside it
	one.keep("bt")
	again := loadHistory(path)
	if got := strings.Join(again.lines, "|"); got != "b main|c|bt" {
		t.Errorf("kept %s", got)
	}
	if again.Len() != 3 || again.At(0) != "bt" || again.At(2) != "b main" {
		t.Error("the last one is not the first")
	}
	for p, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		if st, err := os.Stat(p); err != nil || st.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", p, st.Mode(), err)
		}
	}
}

func TestAHistoryDoesNotGrow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history")
	h := loadHistory(path)
	for i := range 3 * maxHistory {
		h.keep(fmt.Sprint("p ", i))
	}
	if len(h.lines) > 2*maxHistory {
		t.Errorf("%d lines in memory", len(h.lines))
	}
	again := loadHistory(path)
	if again.Len() != maxHistory || again.At(0) != fmt.Sprint("p ", 3*maxHistory-1) {
		t.Errorf("%d lines, the last is %s", again.Len(), again.At(0))
	}
	kept, err := os.ReadFile(path)
	if err != nil || strings.Count(string(kept), "\n") != maxHistory {
		t.Errorf("%d lines in the file (%v)", strings.Count(string(kept), "\n"), err)
	}
}

func TestAHistoryThatCannotBeKeptIsDoneWithout(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"", pipe, dir, "/proc/nothing/history"} {
		h := loadHistory(path)
		h.keep("bt")
		if h.Len() != 1 {
			t.Errorf("%q: %d lines", path, h.Len())
		}
	}
}

func TestWhereTheHistoryIs(t *testing.T) {
	t.Setenv("HOME", "/home/somebody")
	for state, want := range map[string]string{
		"/state":   "/state/envoydbg/history",
		"":         "/home/somebody/.local/state/envoydbg/history",
		"relative": "/home/somebody/.local/state/envoydbg/history",
	} {
		t.Setenv("XDG_STATE_HOME", state)
		if got := historyPath(); got != want {
			t.Errorf("%q: %s", state, got)
		}
	}
}
