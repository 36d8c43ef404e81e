//go:build linux

package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Supervise runs args, a program that calls [Stdio] with Options.Dir dir, and
// returns its exit code. The two watch each other, so that whichever of them is
// killed outright, the other ends what was started: when the program dies its
// descendants become children of this process, which kills them and removes
// dir; when this process dies the program gets SIGTERM.
func Supervise(path string, args []string, dir string) (int, error) {
	runtime.LockOSThread() // PDEATHSIG follows the thread that forked
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return 1, fmt.Errorf("PR_SET_CHILD_SUBREAPER: %w", err)
	}
	defer os.RemoveAll(dir)
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	pid, err := syscall.ForkExec(path, args, &syscall.ProcAttr{
		Env: os.Environ(), Files: []uintptr{0, 1, 2},
		Sys: &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM},
	})
	if err != nil {
		return 1, fmt.Errorf("%s cannot be started: %w", path, err)
	}
	go func() {
		for sig := range signals {
			_ = syscall.Kill(pid, sig.(syscall.Signal)) // not reaped while this runs
		}
	}()
	// Only the stream's user may hold it open, so that its end is seen.
	_ = os.Stdin.Close()
	_ = os.Stdout.Close()

	var ws syscall.WaitStatus
	for {
		got, err := syscall.Wait4(-1, &ws, 0, nil)
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return 1, err
		}
		if got == pid {
			break
		}
	}
	signal.Stop(signals)
	go func() { // reap what follows, so that no zombie looks alive
		for {
			if _, err := syscall.Wait4(-1, nil, 0, nil); err != nil && !errors.Is(err, syscall.EINTR) {
				return
			}
		}
	}()
	left := killAll(time.Now().Add(endBound))
	text, code := statusText(ws)
	switch {
	case len(left) > 0:
		return 1, fmt.Errorf("could not end: %s", describe(left))
	case code < 0:
		return 1, fmt.Errorf("the helper's process was ended (%s); what it had started is ended too", text)
	}
	return code, nil
}

// Stdio serves one session over stdin and stdout, until their other end goes
// away or SIGTERM, SIGINT or SIGHUP asks for the end.
func Stdio(opts Options) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer stop()
	// Non-blocking, so that closing them interrupts a read in progress.
	for _, fd := range []int{0, 1} {
		if err := syscall.SetNonblock(fd, true); err != nil {
			return err
		}
	}
	s := stdio{os.NewFile(0, "stdin"), os.NewFile(1, "stdout")}
	if err := Serve(ctx, s, opts); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

type stdio struct {
	io.ReadCloser
	out io.WriteCloser
}

func (s stdio) Write(b []byte) (int, error) { return s.out.Write(b) }
func (s stdio) Close() error                { return errors.Join(s.out.Close(), s.ReadCloser.Close()) }
