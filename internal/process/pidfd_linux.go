package process

import (
	"errors"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func pidfdOpen(pid int) (int, error) { return unix.PidfdOpen(pid, 0) }

func pidfdSignal(fd int, sig syscall.Signal) error {
	return unix.PidfdSendSignal(fd, sig, nil, 0)
}

// pidfdPoll waits until one of the processes has ended, and says which have.
func pidfdPoll(fds []int, wait time.Duration) ([]bool, error) {
	polled := make([]unix.PollFd, len(fds))
	for i, fd := range fds {
		polled[i] = unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}
	}
	ms := int((wait + time.Millisecond - 1) / time.Millisecond)
	if _, err := unix.Poll(polled, ms); err != nil && !errors.Is(err, unix.EINTR) {
		return nil, err
	}
	ended := make([]bool, len(fds))
	for i, p := range polled {
		ended[i] = p.Revents&unix.POLLIN != 0
	}
	return ended, nil
}
