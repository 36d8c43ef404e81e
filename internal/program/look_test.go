package program

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// file makes one with that mode, and returns its path.
func file(t *testing.T, dir, name string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAProgramIsFoundAsAShellWould(t *testing.T) {
	dir := t.TempDir()
	agent := file(t, dir, "bin/agent", 0o755)
	for _, name := range []string{"agent", "bin/agent", "./bin/agent", agent} {
		if got, err := Look(name, "none:bin", dir); got != agent || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// One that is there and may not be executed is not "not found", in PATH neither.
func TestAMissingExecuteBitIsTold(t *testing.T) {
	dir := t.TempDir()
	file(t, dir, "first/agent", 0o644)
	for _, name := range []string{"agent", "first/agent"} {
		_, err := Look(name, "none:first", dir)
		if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "is not executable (mode -rw-r--r--)") {
			t.Errorf("%s: %v", name, err)
		}
	}
	second := file(t, dir, "second/agent", 0o755)
	if got, err := Look("agent", "first:second", dir); got != second || err != nil {
		t.Errorf("the next one in PATH: %q, %v", got, err)
	}
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"", "agent", "bin/agent", "/nonexistent/agent"} {
		if _, err := Look(name, "bin", dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := Look("./", "", dir); !errors.Is(err, syscall.EISDIR) {
		t.Errorf("a folder: %v", err)
	}
}

func TestARefusalNamesModeAndOwner(t *testing.T) {
	path := file(t, t.TempDir(), "agent", 0o640)
	if got := Refusal(path); !strings.HasPrefix(got, "mode -rw-r-----, owner ") {
		t.Errorf("got %q", got)
	}
	if got := Refusal("/nonexistent/agent"); got != "" {
		t.Errorf("got %q", got)
	}
}
