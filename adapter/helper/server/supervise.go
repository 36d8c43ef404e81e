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

	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/helper/bundle"
	"github.com/envoydbg/envoydbg/internal/process"
	"github.com/envoydbg/envoydbg/internal/tempdir"
)

// Main is the helper's command line, for which it returns the exit code: serve
// is what adapters start, session what serve starts in turn.
func Main(args []string, version string) (int, error) {
	switch {
	case len(args) == 2 && args[1] == "version":
		fmt.Println(version)
		return 0, nil
	case len(args) == 2 && args[1] == "serve":
		dir, err := MakeDir()
		if err != nil {
			return 1, err
		}
		return supervise("/proc/self/exe", []string{args[0], "session", dir.Path}, dir)
	case len(args) == 3 && args[1] == "session":
		release, err := tempdir.Hold(args[2])
		if err != nil {
			return 1, err
		}
		defer release()
		if err := overStdio(Options{Version: version, Dir: args[2]}); err != nil {
			return 1, err
		}
		return 0, nil
	case len(args) == 3 && args[1] == "unpack":
		if err := bundle.Unpack(os.Stdin, args[2], "/proc/self/exe"); err != nil {
			return 1, err
		}
		fmt.Println(helper.EndMark)
		return 0, nil
	case len(args) == 2 && args[1] == "trace": // see ptrace.go, and the next
		return traceChild(args[0])
	case len(args) == 2 && args[1] == "rest":
		rest()
		return 0, nil
	}
	return 2, fmt.Errorf("usage: %s serve | version", args[0])
}

// supervise runs args, a program that holds dir and calls overStdio with it as
// Options.Dir, and returns its exit code. The two watch each other, so that whichever of them is
// killed outright, the other ends what was started: when the program dies its
// descendants become children of this process, which kills them and removes
// dir; when this process dies the program gets SIGTERM.
func supervise(path string, args []string, dir *tempdir.Dir) (int, error) {
	defer dir.Remove()
	runtime.LockOSThread() // PDEATHSIG follows the thread that forked
	if err := errors.Join(process.Subreap(), process.Reserve()); err != nil {
		return 1, err
	}
	survivePipes()
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	pid, err := syscall.ForkExec(path, args, &syscall.ProcAttr{
		Env: os.Environ(), Files: []uintptr{0, 1, 2},
		Sys: &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM},
	})
	if err != nil {
		return 1, fmt.Errorf("%s cannot be started: %w", path, err)
	}
	var reaper process.Reaper
	session, err := process.Open(pid)
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		_ = syscall.Kill(pid, syscall.SIGKILL) // not reaped yet
		return 1, err
	}
	go func() {
		for sig := range signals {
			if session != nil {
				_ = reaper.Signal(session, sig.(syscall.Signal))
			}
		}
	}()
	// Only the stream's user may hold it open, so that its end is seen.
	_ = os.Stdin.Close()
	_ = os.Stdout.Close()

	var ws syscall.WaitStatus
	for got := 0; got != pid; {
		if got, ws, err = reaper.Next(); err != nil {
			return 1, err
		}
	}
	go func() { // reap what follows, so that no zombie looks alive
		for {
			if _, _, err := reaper.Next(); err != nil {
				return
			}
		}
	}()
	left, err := killAll(&reaper, time.Now().Add(endBound))
	text, code := statusText(ws)
	switch {
	case len(left) > 0 || err != nil:
		return 1, leftError(left, err)
	case code < 0:
		return 1, fmt.Errorf("the helper's process was ended (%s); what it had started is ended too", text)
	}
	return code, nil
}

// leftError says what is left running, or why that is not known; it is nil when
// nothing is.
func leftError(left []int, err error) error {
	if err != nil {
		err = fmt.Errorf("it is not known whether all has ended: %w", err)
	}
	if len(left) > 0 {
		err = errors.Join(fmt.Errorf("could not end: %s", describe(left)), err)
	}
	return err
}

// overStdio serves one session over stdin and stdout, until their other end goes
// away or SIGTERM, SIGINT or SIGHUP asks for the end.
func overStdio(opts Options) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer stop()
	survivePipes()
	in, err := take(0, "stdin")
	if err != nil {
		return err
	}
	out, err := take(1, "stdout")
	if err != nil {
		return err
	}
	s := stdio{in, out}
	if err := Serve(ctx, s, opts); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// survivePipes keeps this process alive when it writes to a standard stream
// whose reader has gone: Go ends it then, unless it asks for SIGPIPE.
func survivePipes() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

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
