package lldb

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// limit bounds every wait.
const limit = 10 * time.Second

// start runs a shell script as lldb-dap.
func start(t *testing.T, script string, env ...string) *Child {
	t.Helper()
	path := filepath.Join(t.TempDir(), "lldb-dap")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	c, err := Start(t.Context(), Program{Path: path, Env: env})
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

// What lldb-dap says last can be read, with the environment it was given. How
// children start and end is tested where that is: internal/process.
func TestTheLastWordsOfAChild(t *testing.T) {
	c := start(t, "read line; echo \"got $line $VARIABLE\"; echo trouble >&2; exit 3", "VARIABLE=set")
	if _, err := io.WriteString(c.Stdin, "it\n"); err != nil {
		t.Fatal(err)
	}
	ended(t, c)
	said, err := io.ReadAll(c.Stdout)
	if err != nil || string(said) != "got it set\n" {
		t.Errorf("stdout %q, %v", said, err)
	}
	if c.Stderr() != "trouble" || c.Status() != "exit status 3" {
		t.Errorf("%s: stderr %q, status %q", c.Path, c.Stderr(), c.Status())
	}
}

func TestAProgramThatCannotBeStarted(t *testing.T) {
	if c, err := Start(t.Context(), Program{Path: filepath.Join(t.TempDir(), "none")}); err == nil {
		t.Errorf("started: %v", c.PID())
	}
}

// LLDB leaves what it has compiled when it crashes or is killed.
func TestWhatLLDBLeavesIsRemoved(t *testing.T) {
	const script = "mkdir -p $TMPDIR/lldb/$$ && echo x >$TMPDIR/lldb/$$/lldb-1.expr && kill -6 $$"
	for _, other := range []bool{false, true} {
		tmp := t.TempDir()
		if other { // somebody else's LLDB
			if err := os.MkdirAll(filepath.Join(tmp, "lldb", "1"), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		c := start(t, script, "TMPDIR="+tmp)
		ended(t, c)
		left, err := filepath.Glob(filepath.Join(tmp, "lldb*"))
		deeper, err2 := filepath.Glob(filepath.Join(tmp, "lldb", "*"))
		if err != nil || err2 != nil || len(left) > 0 != other || len(deeper) > 0 != other || len(deeper) > 1 {
			t.Errorf("left %v %v, %v, %v", left, deeper, err, err2)
		}
	}
}

func TestTheFolderOfTemporaryFilesIsLLVMs(t *testing.T) {
	for _, test := range []struct {
		env  string
		want string
	}{
		{"", "/tmp"},
		{"TMPDIR=/a TMP=/b", "/a"},
		{"TEMP=/c TMP=/b", "/b"},
		{"TMPDIR= TEMPDIR=/d", "/d"},
		{"TMPDIR=/a TMPDIR=/session", "/session"},
		{"MYTMPDIR=/a", "/tmp"},
	} {
		if got := tempDir(strings.Fields(test.env)); got != test.want {
			t.Errorf("%q: %s, want %s", test.env, got, test.want)
		}
	}
}
