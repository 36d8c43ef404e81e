package lldb

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// limit bounds every wait.
const limit = 10 * time.Second

// start runs a shell script as lldb-dap.
func start(t *testing.T, script string, env ...string) *Child {
	t.Helper()
	path := filepath.Join(t.TempDir(), "lldb-dap")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	c, err := Start(t.Context(), path, env...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Kill()
		_ = c.Stdin.Close()
		_ = c.Stdout.Close()
	})
	return c
}

func ended(t *testing.T, c *Child) {
	t.Helper()
	select {
	case <-c.Done():
	case <-time.After(limit):
		t.Fatal("lldb-dap has not ended")
	}
}

// What it wrote last is there after its end, as is how it ended.
func TestTheLastWordsOfAChild(t *testing.T) {
	c := start(t, "read line; echo \"got $line $VARIABLE\"; echo trouble >&2; exit 3\n", "VARIABLE=set")
	if _, err := io.WriteString(c.Stdin, "it\n"); err != nil {
		t.Fatal(err)
	}
	ended(t, c)
	said, err := io.ReadAll(c.Stdout)
	if err != nil || string(said) != "got it set\n" {
		t.Errorf("stdout %q, %v", said, err)
	}
	if c.Stderr() != "trouble" || c.Status() != "exit status 3" {
		t.Errorf("stderr %q, status %q", c.Stderr(), c.Status())
	}
}

// A Ctrl-C in a terminal goes to the terminal's process group.
func TestAChildHasAGroupOfItsOwn(t *testing.T) {
	c := start(t, "read line\n")
	group, err := syscall.Getpgid(c.PID())
	if err != nil || group != c.PID() {
		t.Errorf("group %d of process %d, %v", group, c.PID(), err)
	}
}

// Kill ends the processes of the child, too, and one that keeps stderr open
// does not delay the end.
func TestKillEndsTheGroup(t *testing.T) {
	c := start(t, "sleep 1000 & echo $!; wait\n")
	line, err := bufio.NewReader(c.Stdout).ReadString('\n')
	if err != nil || strings.TrimSpace(line) == "" {
		t.Fatalf("read %q, %v", line, err)
	}
	c.Kill()
	ended(t, c)
	if c.Status() != "signal: killed" {
		t.Errorf("status %q", c.Status())
	}
	// The pipe ends when the last process that has it does.
	end := make(chan error, 1)
	go func() { _, err := io.Copy(io.Discard, c.Stdout); end <- err }()
	select {
	case <-end:
	case <-time.After(limit):
		t.Error("a process of the group lives on")
	}
}

func TestAProgramThatCannotBeStarted(t *testing.T) {
	if c, err := Start(t.Context(), filepath.Join(t.TempDir(), "none")); err == nil {
		t.Errorf("started: %v", c.PID())
	}
}
