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

// Bounds of the end of a helper whose stream was closed. It gives Envoy and the
// agent three seconds to end by themselves and kills them then. One that has left
// a request unanswered is not waited for: it is stopped, or hangs.
const (
	endWait   = 4 * time.Second
	stuckWait = 200 * time.Millisecond
)

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
	child := &process{cmd: cmd, errs: errs, exited: make(chan error, 1)}
	go func() { child.exited <- cmd.Wait() }()
	return newClient(&stdio{out, in}, h, child)
}

// process is a helper that was started as a child.
type process struct {
	cmd    *exec.Cmd
	errs   *tail.Tail
	exited chan error // gets the result of Wait, once
}

// end waits for the end of the process, whose stream is closed already, and kills
// it when that takes too long. The error says how it ended, nil for exit status 0.
// It is called once.
func (p *process) end(stuck bool) error {
	wait := endWait
	if stuck {
		wait = stuckWait
	}
	var err error
	select {
	case err = <-p.exited:
	case <-time.After(wait):
		_ = p.cmd.Process.Kill()
		<-p.exited
		err = fmt.Errorf("it did not end within %s of the end of its input and was killed", wait)
	}
	if err == nil {
		return nil
	}
	return fmt.Errorf("the helper %s (pid %d) ended: %w%s", p.cmd.Path, p.cmd.Process.Pid, err, suffix(p.errs))
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
