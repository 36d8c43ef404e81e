package regular

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestARegularFileIsOpenedByAnyOfItsNames(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := os.WriteFile(file, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{file, link} {
		f, err := Open(name)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(f); string(b) != "text" || err != nil {
			t.Errorf("%s: %q, %v", name, b, err)
		}
		_ = f.Close()
		if !Is(name) {
			t.Errorf("Is(%s) = false", name)
		}
	}
}

// Nobody writes into the FIFO: an open that waited for it would end this test by
// its time limit.
func TestNothingElseIsOpened(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink("/dev/zero", link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{fifo, "/dev/null", link, dir} {
		var at *os.PathError
		if _, err := Open(name); !errors.Is(err, ErrNot) || !errors.As(err, &at) || at.Path != name {
			t.Errorf("%s: %v, want ErrNot", name, err)
		}
		if Is(name) {
			t.Errorf("Is(%s) = true", name)
		}
	}
	absent := filepath.Join(dir, "absent")
	if _, err := Open(absent); !errors.Is(err, os.ErrNotExist) || Is(absent) {
		t.Errorf("an absent file: %v", err)
	}
}
