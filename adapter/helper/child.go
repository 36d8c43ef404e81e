package helper

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/envoydbg/envoydbg/internal/tail"
)

// endWait bounds the end of a helper whose stream was closed: it ends all it
// has started within 5 s.
const endWait = 8 * time.Second

// FindBinary returns the path of the helper for goarch in dir, or, when dir is
// empty, beside the running executable.
func FindBinary(dir, goarch string) (string, error) {
	if dir == "" {
		exe, err := os.Executable()
		if err != nil {
			return "", err
		}
		if exe, err = filepath.EvalSymlinks(exe); err != nil {
			return "", err
		}
		dir = filepath.Dir(exe)
	}
	path := filepath.Join(dir, "envoydbg-helper-linux-"+goarch)
	if _, err := os.Stat(path); err != nil {
		return "", err
	}
	return path, nil
}

// Start runs the helper at path as a child, in a session of its own so that
// Ctrl-C in a terminal reaches only the adapter, and speaks to it over its
// stdin and stdout.
func Start(path string, h Handlers) (*Client, error) {
	cmd := exec.Command(path, "serve")
	return start(cmd, h)
}

func start(cmd *exec.Cmd, h Handlers) (*Client, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	errs := &tail.Tail{}
	cmd.Stderr = errs
	cmd.WaitDelay = time.Second // for a stderr that something else holds open
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	// Not StdoutPipe: Wait would close it while its last bytes are unread.
	out, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.Stdout = w
	err = cmd.Start()
	w.Close()
	if err != nil {
		out.Close()
		return nil, fmt.Errorf("the helper %s cannot be started: %w", cmd.Path, err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	return newClient(&stdio{out, in}, h, func() error {
		var err error
		select {
		case err = <-exited:
		case <-time.After(endWait):
			_ = cmd.Process.Kill()
			<-exited
			err = fmt.Errorf("it did not end within %s of the end of its input and was killed", endWait)
		}
		if err == nil {
			return nil
		}
		return fmt.Errorf("the helper %s (pid %d) ended: %w%s", cmd.Path, cmd.Process.Pid, err, suffix(errs))
	})
}

// stdio is a child's stdout and stdin as one stream.
type stdio struct {
	io.ReadCloser
	in io.WriteCloser
}

func (s *stdio) Write(b []byte) (int, error) { return s.in.Write(b) }

func (s *stdio) Close() error { return errors.Join(s.in.Close(), s.ReadCloser.Close()) }

// suffix is what a program wrote, for the end of an error.
func suffix(t *tail.Tail) string {
	if s := t.String(); s != "" {
		return "\n" + s
	}
	return ""
}
