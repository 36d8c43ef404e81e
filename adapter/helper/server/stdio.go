//go:build linux

package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/envoydbg/envoydbg/internal/tempdir"
)

// stdioMain serves one session over stdin and stdout, whose end ends everything.
func stdioMain(name string) (int, error) {
	dir, err := MakeDir()
	if err != nil {
		return 1, err
	}
	defer dir.Remove()
	return supervise(supervised{args: []string{name, wordSession, dir.Path}, files: []uintptr{0, 1, 2}, started: func() {
		_ = os.Stdin.Close()
		_ = os.Stdout.Close()
	}})
}

// stdioSession is the session's process of stdioMain.
func stdioSession(version, dir string) error {
	release, err := tempdir.Hold(dir)
	if err != nil {
		return err
	}
	defer release()
	ctx, stop := untilSignal()
	defer stop()
	in, err := take(0, "stdin")
	if err != nil {
		return err
	}
	out, err := take(1, "stdout")
	if err != nil {
		return err
	}
	return unlessCancelled(Serve(ctx, stdio{in, out}, Options{Version: version, Dir: dir}))
}

// untilSignal returns a context that ends when a signal asks for the end.
func untilSignal() (context.Context, context.CancelFunc) {
	survivePipes()
	return signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
}

// unlessCancelled leaves out the error of a session that was ended by a signal.
func unlessCancelled(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// take moves a standard stream to a descriptor of its own and leaves /dev/null
// in its place, so that a stray print cannot get between the bytes. It is
// non-blocking, so that closing it interrupts a read in progress.
func take(fd int, name string) (*os.File, error) {
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	if err := unix.Dup3(int(null.Fd()), fd, 0); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := unix.SetNonblock(own, true); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return os.NewFile(uintptr(own), name), nil
}

type stdio struct {
	io.ReadCloser
	out io.WriteCloser
}

func (s stdio) Write(b []byte) (int, error) { return s.out.Write(b) }
func (s stdio) Close() error                { return errors.Join(s.out.Close(), s.ReadCloser.Close()) }
