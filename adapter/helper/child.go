package helper

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/envoydbg/envoydbg/internal/process"
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
// stdin and stdout. When ctx ends before the helper runs, the error is that of ctx.
func Start(ctx context.Context, path string, h Handlers) (*Client, error) {
	c, err := process.Start(ctx, process.Command{Path: path, Args: []string{"stdio"}})
	if err != nil {
		return nil, fmt.Errorf("the helper %s cannot be started: %w", path, err)
	}
	return newClient(&stdio{c.Stdout, c.Stdin}, h, func(stuck bool) error { return ended(c, path, stuck) })
}

// ended waits for the end of a helper whose stream was closed, and says how it
// ended; nil for exit status 0.
func ended(c *process.Child, path string, stuck bool) error {
	wait := endWait
	if stuck {
		wait = stuckWait
	}
	killed := ""
	select {
	case <-c.Done():
	case <-time.After(wait):
		// It alone: its own end makes the kernel end what it has started.
		c.Kill()
		<-c.Done()
		killed = fmt.Sprintf("it did not end within %s of the end of its input and was killed, ", wait)
	}
	if c.State().Success() {
		return nil
	}
	text := fmt.Sprintf("the helper %s (pid %d) ended: %s%s", path, c.PID(), killed, c.Status())
	if said := c.Stderr(); said != "" {
		text += "\n" + said
	}
	return errors.New(text)
}

// stdio is a child's stdout and stdin as one stream.
type stdio struct {
	io.ReadCloser
	in io.WriteCloser
}

func (s *stdio) Write(b []byte) (int, error) { return s.in.Write(b) }

func (s *stdio) Close() error { return errors.Join(s.in.Close(), s.ReadCloser.Close()) }
