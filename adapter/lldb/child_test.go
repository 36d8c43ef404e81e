package lldb

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// limit bounds every wait.
const limit = 10 * time.Second

// What lldb-dap says last can be read, with the environment it was given. How
// children start and end is tested where that is: internal/process.
func TestTheLastWordsOfAChild(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lldb-dap")
	script := "#!/bin/sh\nread line; echo \"got $line $VARIABLE\"; echo trouble >&2; exit 3\n"
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	c, err := Start(t.Context(), path, "VARIABLE=set")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Kill()
		_ = c.Stdin.Close()
		_ = c.Stdout.Close()
	})
	if _, err := io.WriteString(c.Stdin, "it\n"); err != nil {
		t.Fatal(err)
	}
	select {
	case <-c.Done():
	case <-time.After(limit):
		t.Fatal("lldb-dap has not ended")
	}
	said, err := io.ReadAll(c.Stdout)
	if err != nil || string(said) != "got it set\n" {
		t.Errorf("stdout %q, %v", said, err)
	}
	if c.Path != path || c.Stderr() != "trouble" || c.Status() != "exit status 3" {
		t.Errorf("%s: stderr %q, status %q", c.Path, c.Stderr(), c.Status())
	}
}

func TestAProgramThatCannotBeStarted(t *testing.T) {
	if c, err := Start(t.Context(), filepath.Join(t.TempDir(), "none")); err == nil {
		t.Errorf("started: %v", c.PID())
	}
}
