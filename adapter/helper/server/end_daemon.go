//go:build linux

package server

import (
	"errors"
	"flag"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/internal/process"
)

// Bounds of the end of a daemon by command.
const (
	endOrderly = endBound + time.Second // after SIGTERM
	endKilled  = endBound + time.Second // after SIGKILL to the session's process
)

// endMain ends the daemon of a place and all that it has started, also when its
// processes do not answer: for a client that cannot reach it by connect.
func endMain(args []string) (int, error) {
	survivePipes()
	set := flag.NewFlagSet(wordEnd, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	place := set.String("dir", "", "")
	session := set.String("session", "", "")
	err := set.Parse(args)
	if err == nil {
		err = endDaemon(*place, *session)
	}
	return conclude(helper.Status{}, err)
}

func endDaemon(place, session string) error {
	h, err := holderOf(place)
	if err != nil {
		return err
	}
	if h.Session != session {
		return h.taken()
	}
	lock, err := lockPlace(place)
	var taken *helper.StatusError
	switch {
	case err == nil:
	case errors.As(err, &taken) && taken.Problem == helper.ProblemTaken:
		endProcesses(h.PID)
		lock, err = lockPlace(place)
		if _, missing := os.Stat(place); errors.Is(missing, fs.ErrNotExist) {
			return nil // it had made the place, and has removed it
		}
		if err != nil {
			return problem(helper.ProblemFailed, "the daemon (pid %d) does not end", h.PID)
		}
	default:
		return err
	}
	// All that has the lock has ended, and so nobody else cleans up.
	defer lock.Close()
	err = lock.clean()
	lock.remove()
	return err
}

// endProcesses ends a daemon's two processes, of which the supervisor is given: in
// order if they can, and by force if not. Whichever is killed, the other cleans up.
func endProcesses(supervisor int) {
	var hs process.Handles
	defer func() { hs.Close() }()
	first, err := process.Open(supervisor)
	if err == nil {
		hs = append(hs, first)
	}
	all, _ := process.All()
	for _, p := range all {
		if p.Parent == supervisor && filepath.Base(exe(p.PID)) == filepath.Base(exe(os.Getpid())) {
			if h, err := p.Open(); err == nil {
				hs = append(hs, h)
			}
		}
	}
	stopped := false
	for _, h := range hs {
		if h.State == 'T' { // it would not take the signal
			stopped = true
			_ = h.Signal(syscall.SIGKILL)
		}
	}
	if first != nil && !stopped {
		_ = first.Signal(syscall.SIGTERM)
	}
	if hs.Wait(time.Now().Add(endOrderly)) {
		return
	}
	for i := len(hs) - 1; i >= 0; i-- { // the session's process first
		_ = hs[i].Signal(syscall.SIGKILL)
		if hs.Wait(time.Now().Add(endKilled)) {
			return
		}
	}
}
