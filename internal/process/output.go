package process

import (
	"errors"
	"io"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// output is the reading end of a pipe that a child writes to. It ends with the
// child, and not only when the last process that holds the other end has ended.
type output struct {
	f *os.File
	// left is -1 while the child lives; then how many bytes of it are still to be
	// read, at most.
	left atomic.Int64
}

func newOutput(f *os.File) *output {
	o := &output{f: f}
	o.left.Store(-1)
	return o
}

// end is called once, when the child has ended.
func (o *output) end() {
	var held int
	conn, err := o.f.SyscallConn()
	if err == nil {
		err = conn.Control(func(fd uintptr) { held, _ = unix.IoctlGetInt(int(fd), fionread) })
	}
	if err != nil {
		held = 0 // closed already
	}
	o.left.Store(int64(held))
	_ = o.f.SetReadDeadline(time.Unix(1, 0)) // wakes a Read that waits
}

// Read implements io.Reader, for one goroutine at a time.
func (o *output) Read(p []byte) (int, error) {
	left := o.left.Load()
	if left < 0 {
		n, err := o.f.Read(p)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		left = o.left.Load()
	}
	n, err := o.take(p[:min(int64(len(p)), left)])
	if err == nil && n == 0 && len(p) > 0 {
		err = io.EOF
	}
	o.left.Add(int64(-n))
	return n, err
}

// take reads what is in the pipe, without waiting; 0 when that is nothing.
func (o *output) take(p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, nil
	}
	conn, err := o.f.SyscallConn()
	if err != nil {
		return 0, err
	}
	var failed error
	err = conn.Control(func(fd uintptr) {
		for {
			if n, failed = unix.Read(int(fd), p); !errors.Is(failed, syscall.EINTR) {
				return
			}
		}
	})
	switch {
	case err != nil:
		return 0, err
	case errors.Is(failed, syscall.EAGAIN):
		return 0, nil
	case failed != nil:
		return 0, os.NewSyscallError("read", failed)
	}
	return n, nil
}

// Close implements io.Closer.
func (o *output) Close() error { return o.f.Close() }
