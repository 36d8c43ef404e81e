//go:build linux

package server

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/envoydbg/envoydbg/internal/process"
)

// supervised is a session's process as its supervisor starts it.
type supervised struct {
	args  []string
	files []uintptr // from descriptor 0 on
	// started is called when the process runs. What it has inherited and this process
	// does not need is closed here: the end of a stream is seen only when nobody else
	// holds it open.
	started func()
}

// supervise runs this program again as a session's process, and returns its exit
// code. The two watch each other, so that whichever of them is killed outright, the
// other ends what was started: when the session's process dies its descendants become
// children of this process, which kills them; when this process dies the session's
// gets SIGTERM.
func supervise(run supervised) (int, error) {
	runtime.LockOSThread() // PDEATHSIG follows the thread that forked
	if err := errors.Join(process.Subreap(), process.Reserve()); err != nil {
		return 1, err
	}
	survivePipes()
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	pid, err := syscall.ForkExec("/proc/self/exe", run.args, &syscall.ProcAttr{
		Env: os.Environ(), Files: run.files,
		Sys: &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM},
	})
	if err != nil {
		return 1, fmt.Errorf("the session's process cannot be started: %w", err)
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
	run.started()

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

// survivePipes keeps this process alive when it writes to a standard stream
// whose reader has gone: Go ends it then, unless it asks for SIGPIPE.
func survivePipes() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }
