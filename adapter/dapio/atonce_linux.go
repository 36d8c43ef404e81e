package dapio

import (
	"errors"
	"io"
	"syscall"

	"golang.org/x/sys/unix"
)

// atOnce writes to a pipe or a socket what it takes without blocking, on the
// caller's goroutine: waking another one for it costs more than all else that
// is done for a message.
type atOnce struct {
	conn   syscall.RawConn
	socket bool
}

// newAtOnce returns nil for a writer of another kind.
func newAtOnce(w io.Writer) *atOnce {
	c, ok := w.(syscall.Conn)
	if !ok {
		return nil
	}
	conn, err := c.SyscallConn()
	if err != nil {
		return nil
	}
	var st unix.Stat_t
	if err2 := conn.Control(func(fd uintptr) { err = unix.Fstat(int(fd), &st) }); err != nil || err2 != nil {
		return nil
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFIFO:
		return &atOnce{conn, false}
	case unix.S_IFSOCK:
		return &atOnce{conn, true}
	}
	return nil
}

// pipeBuf is PIPE_BUF: a pipe that can be written to takes so many bytes, even
// one that would block for more.
const pipeBuf = 4096

// write returns how many of the bytes are written; with fewer than all and no
// error the peer is behind.
func (a *atOnce) write(b []byte) (n int, err error) {
	closed := a.conn.Write(func(fd uintptr) bool {
		for n < len(b) && err == nil {
			var more int
			if a.socket {
				more, err = unix.SendmsgN(int(fd), b[n:], nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
			} else {
				more, err = writePipe(int(fd), b[n:min(len(b), n+pipeBuf)])
			}
			n += max(more, 0)
			if errors.Is(err, unix.EINTR) {
				err = nil
			}
		}
		return true // do not wait until there is room
	})
	if errors.Is(err, unix.EAGAIN) {
		err = nil
	}
	return n, errors.Join(closed, err)
}

func writePipe(fd int, b []byte) (int, error) {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	ready, err := unix.Poll(fds, 0)
	if err == nil && ready == 0 {
		err = unix.EAGAIN
	}
	if err != nil {
		return 0, err
	}
	// With the reader gone this is EPIPE.
	return unix.Write(fd, b)
}
