//go:build !linux

package process

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// waitExit waits until a child has ended, and leaves it to be reaped. Darwin's
// waitid returns for a stopped child as well, so kqueue is asked.
func waitExit(pid int) error {
	kq, err := unix.Kqueue()
	if err != nil {
		return os.NewSyscallError("kqueue", err)
	}
	defer unix.Close(kq)
	unix.CloseOnExec(kq)
	changes := make([]unix.Kevent_t, 1)
	unix.SetKevent(&changes[0], pid, unix.EVFILT_PROC, unix.EV_ADD|unix.EV_ONESHOT)
	changes[0].Fflags = unix.NOTE_EXIT
	for {
		n, err := unix.Kevent(kq, changes, make([]unix.Kevent_t, 1), nil)
		switch {
		case errors.Is(err, syscall.ESRCH): // it has ended before
			return nil
		case errors.Is(err, unix.EINTR):
			changes = nil // they were taken
		case err != nil:
			return os.NewSyscallError("kevent", err)
		case n > 0:
			return nil
		}
	}
}

// fionread is FIONREAD of Darwin and the BSDs: _IOR('f', 127, int).
const fionread = 0x4004667f
