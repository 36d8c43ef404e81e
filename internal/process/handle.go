package process

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// Handle holds on to one process: no signal through it reaches another process of
// the same number. Its zero value is not usable; it may be used by one goroutine at
// a time.
type Handle struct {
	Stat
	fd int // a pidfd; -1 where there are none
}

// Open returns a handle on the process that s was read of. The error is
// [os.ErrProcessDone] when it has ended; any other error leaves that open. The
// caller closes the handle.
func (s Stat) Open() (*Handle, error) {
	fd, err := pidfdOpen(s.PID)
	if errors.Is(err, syscall.ESRCH) {
		return nil, os.ErrProcessDone
	}
	if err != nil {
		fd = -1
	}
	h := &Handle{s, fd}
	// The descriptor may be of a later process of the number.
	if err := h.look(); err != nil {
		h.Close()
		return nil, err
	}
	return h, nil
}

// Open returns a handle on the process of that number now; see [Stat.Open].
func Open(pid int) (*Handle, error) {
	s, err := Read(pid)
	if err != nil {
		return nil, err
	}
	return s.Open()
}

// Close gives back what the handle holds; the process goes on.
func (h *Handle) Close() {
	if h.fd >= 0 {
		_ = syscall.Close(h.fd)
		h.fd = -1
	}
}

// look returns os.ErrProcessDone when the process has ended, as /proc says.
func (h *Handle) look() error {
	now, err := Read(h.PID)
	if err == nil && (!now.Is(h.Stat) || now.Dead()) {
		err = os.ErrProcessDone
	}
	return err
}

// Signal sends a signal. The error is [os.ErrProcessDone] when the process has
// ended; any other error means that it was not signalled.
func (h *Handle) Signal(sig syscall.Signal) error {
	if h.fd >= 0 {
		switch err := pidfdSignal(h.fd, sig); {
		case err == nil:
			return nil
		case errors.Is(err, syscall.ESRCH):
			return os.ErrProcessDone
		}
		// EPERM may come from the process, which then refuses kill as well, or
		// from a seccomp profile.
	}
	if err := h.look(); err != nil {
		return err
	}
	err := syscall.Kill(h.PID, sig)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return os.NewSyscallError("kill", err)
}

// Ended says whether the process is known to have ended.
func (h *Handle) Ended() bool {
	if h.fd >= 0 {
		if ready, err := pidfdPoll([]int{h.fd}, 0); err == nil {
			return ready[0]
		}
	}
	return errors.Is(h.look(), os.ErrProcessDone)
}

// Handles are closed by who opened them.
type Handles []*Handle

// Close closes all.
func (hs Handles) Close() {
	for _, h := range hs {
		h.Close()
	}
}

// glance is how often a process is looked at that cannot be waited for.
const glance = 10 * time.Millisecond

// Wait returns when all have ended (true), or at the deadline (false).
func (hs Handles) Wait(deadline time.Time) bool {
	left := append(Handles(nil), hs...)
	for {
		var fds []int
		still := left[:0]
		for _, h := range left {
			if h.Ended() {
				continue
			}
			still = append(still, h)
			if h.fd >= 0 {
				fds = append(fds, h.fd)
			}
		}
		left = still
		wait := time.Until(deadline)
		if len(left) == 0 || wait <= 0 {
			return len(left) == 0
		}
		if len(fds) < len(left) {
			wait = min(wait, glance)
		}
		if _, err := pidfdPoll(fds, wait); err != nil {
			time.Sleep(min(wait, glance))
		}
	}
}
