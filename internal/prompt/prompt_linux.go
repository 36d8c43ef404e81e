package prompt

import (
	"io"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// descriptor is a pipe or socket in non-blocking mode.
type descriptor struct {
	conn   syscall.RawConn
	socket bool
	// The call under way. They are fields and not variables of a closure, which
	// would take memory each time.
	call  func(fd uintptr) bool
	b     []byte
	n     int
	errno syscall.Errno
}

// descriptorOf returns nil for anything else.
func descriptorOf(stream any) *descriptor {
	c, ok := stream.(syscall.Conn)
	if !ok {
		return nil
	}
	conn, err := c.SyscallConn()
	if err != nil {
		return nil
	}
	var st unix.Stat_t
	blocks := true
	if err := conn.Control(func(fd uintptr) {
		flags, err1 := unix.FcntlInt(fd, unix.F_GETFL, 0)
		err2 := unix.Fstat(int(fd), &st)
		blocks = err1 != nil || err2 != nil || flags&unix.O_NONBLOCK == 0
	}); err != nil || blocks {
		return nil
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFIFO:
		return &descriptor{conn: conn}
	case unix.S_IFSOCK:
		return &descriptor{conn: conn, socket: true}
	}
	return nil // a disk knows no non-blocking mode
}

// try makes a system call once. Of a pipe that is read or write; a socket, whose
// mode another program that shares it might change, is told not to wait.
func (d *descriptor) try(pipe, socket, fd uintptr) {
	b, length := unsafe.Pointer(unsafe.SliceData(d.b)), uintptr(len(d.b))
	for {
		var n uintptr
		var errno syscall.Errno
		if d.socket {
			n, _, errno = syscall.RawSyscall6(socket, fd, uintptr(b), length, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
		} else {
			n, _, errno = syscall.RawSyscall(pipe, fd, uintptr(b), length)
		}
		if errno == syscall.EINTR {
			continue
		}
		if d.errno = errno; errno != 0 {
			n = 0
		}
		d.n = int(n)
		return
	}
}

type reader struct {
	d    *descriptor
	from io.Reader
}

// Reader returns the way to read from r. It is for one goroutine at a time; r may
// be closed by any, which ends a Read, and its deadlines hold.
func Reader(r io.Reader) io.Reader {
	d := descriptorOf(r)
	if d == nil {
		return r
	}
	d.call = func(fd uintptr) bool {
		d.try(syscall.SYS_READ, syscall.SYS_RECVFROM, fd)
		return d.errno != syscall.EAGAIN
	}
	return &reader{d, r}
}

// Read implements io.Reader.
func (r *reader) Read(b []byte) (int, error) {
	d := r.d
	if len(b) == 0 {
		return 0, nil
	}
	d.b = b
	err := d.conn.Read(d.call)
	d.b = nil
	switch {
	case err != nil:
		return 0, err
	case d.errno != 0:
		return 0, os.NewSyscallError("read", d.errno)
	case d.n == 0:
		return 0, io.EOF
	}
	return d.n, nil
}

// Writer writes to a stream. It is for one goroutine at a time.
type Writer struct {
	d *descriptor
	w io.Writer
}

// NewWriter returns a Writer on w.
func NewWriter(w io.Writer) *Writer {
	d := descriptorOf(w)
	if d != nil {
		d.call = func(fd uintptr) bool {
			// Of a pipe whose reader is gone this gives EPIPE; the signal SIGPIPE
			// is the program's to catch, as with any write.
			d.try(syscall.SYS_WRITE, syscall.SYS_SENDTO, fd)
			return true // do not wait until there is room
		}
	}
	return &Writer{d, w}
}

// WriteNow writes what the peer takes without waiting, and returns how many bytes
// that was.
func (w *Writer) WriteNow(b []byte) (int, error) {
	d := w.d
	if d == nil || len(b) == 0 {
		return 0, nil
	}
	d.b = b
	err := d.conn.Write(d.call)
	d.b = nil
	switch {
	case err != nil:
		return 0, err
	case d.errno == syscall.EAGAIN:
		return 0, nil
	case d.errno != 0:
		return 0, os.NewSyscallError("write", d.errno)
	}
	return d.n, nil
}
