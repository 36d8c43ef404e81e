package process

import (
	"errors"
	"os"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Subreap makes this process the parent of every orphan among its descendants, so
// that none of them gets away.
func Subreap() error {
	return os.NewSyscallError("prctl PR_SET_CHILD_SUBREAPER", unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
}

// Reaper reaps all children of this process, whoever started them: there is one in
// a process, and nothing else may wait for a child ([os/exec] would lose its
// status). The zero value is ready.
type Reaper struct {
	mu sync.Mutex // no signal while a process is reaped
}

// Next waits for the end of a child, reaps it, and says how it ended. The error is
// [syscall.ECHILD] when there is no child.
func (r *Reaper) Next() (pid int, status syscall.WaitStatus, err error) {
	for {
		pid, err := ended(0)
		if err != nil {
			return 0, 0, err
		}
		r.mu.Lock()
		got, err := syscall.Wait4(pid, &status, syscall.WNOHANG, nil)
		r.mu.Unlock()
		if err == nil && got == pid {
			return pid, status, nil
		}
	}
}

// Signal is [Handle.Signal], safe also without a pidfd: a child that ends meanwhile
// is not reaped before the signal is sent.
func (r *Reaper) Signal(h *Handle, sig syscall.Signal) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return h.Signal(sig)
}

// ended returns a child that has ended and is to be reaped. With WNOHANG in options
// it does not wait, and returns 0 when all children live.
func ended(options int) (int, error) {
	for {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_ALL, 0, &info, unix.WEXITED|unix.WNOWAIT|options, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return 0, err
		}
		return int((*childInfo)(unsafe.Pointer(&info)).child.pid), nil
	}
}

// childInfo is siginfo_t as waitid fills it, which x/sys does not spell out.
type childInfo struct {
	_, _, _ int32
	child   struct {
		_   [0]uintptr // its alignment
		pid int32
	}
}

// Childless says whether this process has no child, alive or to be reaped. Of a
// process that was made a subreaper before it started the first one, that means
// that it has no descendant either.
func Childless() bool {
	_, err := ended(unix.WNOHANG)
	return errors.Is(err, unix.ECHILD)
}
