//go:build linux

package processtest

import (
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Refuse makes the kernel answer the given system calls with errno, in this process
// from its next exec on and in all its descendants, as a seccomp profile of a
// container does. It does not return: it execs the same program with args and env.
func Refuse(errno syscall.Errno, calls []uint32, args, env []string) error {
	// seccomp_data begins with the number of the system call (seccomp(2)).
	filter := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}}
	for i, call := range calls {
		filter = append(filter, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: call, Jt: uint8(len(calls) - i)})
	}
	filter = append(filter,
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(errno)})
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}

	runtime.LockOSThread() // the filter is this thread's, and so the new program's
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return os.NewSyscallError("PR_SET_NO_NEW_PRIVS", err)
	}
	if err := unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0); err != nil {
		return os.NewSyscallError("PR_SET_SECCOMP", err)
	}
	runtime.KeepAlive(filter)
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	return syscall.Exec(exe, args, env)
}

// Pidfds are the system calls of pidfds.
func Pidfds() []uint32 { return []uint32{unix.SYS_PIDFD_OPEN, unix.SYS_PIDFD_SEND_SIGNAL} }

// Exhaust opens files until no descriptor is left, and returns the function that
// closes them.
func Exhaust() (release func(), err error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return nil, err
	}
	// Few are enough, and quick. syscall's own Setrlimit, since package os would
	// restore the old limit in children otherwise.
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: min(limit.Cur, 256), Max: limit.Max}); err != nil {
		return nil, err
	}
	var fds []int
	for {
		fd, err := unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err == unix.EMFILE {
			return func() {
				for _, fd := range fds {
					_ = unix.Close(fd)
				}
			}, nil
		}
		if err != nil {
			return nil, err
		}
		fds = append(fds, fd)
	}
}
