//go:build amd64 || arm64

package gdbremote

import (
	"io"
	"net"
	"os"
	"syscall"
	"unsafe"
)

// direct returns c with a quicker Read and Write if it is a socket of this machine.
//
// When all of a Go program waits, the next system call that the scheduler is told
// of wakes its monitor thread (sysmon in runtime/proc.go), which then looks after
// the program every 20 µs for a while. Of two cores that takes one from the
// program that is to answer. A step is seven packets and their answers, and each
// finds the relay waiting: 5 % of a step in all (docs/proxy-cost.md). A call that
// cannot wait in the kernel need not be told of; to wait, the goroutine parks in
// Go's network poller, as with any connection.
func direct[C io.Closer](c C) C {
	u, ok := any(c).(*net.UnixConn)
	if !ok {
		return c
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return c
	}
	return any(&socket{u, raw}).(C)
}

type socket struct {
	*net.UnixConn
	raw syscall.RawConn
}

// Read implements io.Reader.
func (s *socket) Read(b []byte) (n int, err error) {
	if len(b) == 0 {
		return 0, nil
	}
	var errno syscall.Errno
	err = s.raw.Read(func(fd uintptr) bool {
		n, errno = transfer(syscall.SYS_RECVFROM, fd, b)
		return errno != syscall.EAGAIN
	})
	switch {
	case err != nil:
		return 0, err
	case errno != 0:
		return 0, os.NewSyscallError("recvfrom", errno)
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

// Write implements io.Writer.
func (s *socket) Write(b []byte) (n int, err error) {
	var errno syscall.Errno
	err = s.raw.Write(func(fd uintptr) bool {
		for n < len(b) {
			var more int
			if more, errno = transfer(syscall.SYS_SENDTO, fd, b[n:]); errno != 0 {
				return errno != syscall.EAGAIN
			}
			n += more
		}
		return true
	})
	if err == nil && errno != 0 {
		err = os.NewSyscallError("sendto", errno)
	}
	return n, err
}

// transfer makes a system call, recvfrom or sendto, that does not wait. b is not
// empty.
func transfer(call, fd uintptr, b []byte) (int, syscall.Errno) {
	for {
		n, _, errno := syscall.RawSyscall6(call, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
			syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0)
		switch errno {
		case 0:
			return int(n), 0
		case syscall.EINTR:
		default:
			return 0, errno
		}
	}
}
