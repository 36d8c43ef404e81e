package process

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// waitExit waits until a child has ended, and leaves it to be reaped.
func waitExit(pid int) error {
	for {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return os.NewSyscallError("waitid", err)
		}
	}
}

const fionread = unix.TIOCINQ // FIONREAD by its other name
