//go:build linux

package gate

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"golang.org/x/sys/unix"
)

// helperConn is the raw socket to the helper. It is not a net.Conn, whose
// poller would bring threads and descriptors of its own.
type helperConn int

func dial(path string) (helperConn, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		return -1, err
	}
	return helperConn(fd), nil
}

// permit allows the helper's descendants to attach. Where Yama restricts ptrace,
// only an ancestor may, and the debug server is none. Without Yama this fails
// with EINVAL, which is as good.
func (h helperConn) permit() {
	if cred, err := unix.GetsockoptUcred(int(h), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
		_ = unix.Prctl(unix.PR_SET_PTRACER, uintptr(cred.Pid), 0, 0, 0)
	}
}

// withdraw takes that permission back: Envoy must not inherit it.
func (helperConn) withdraw() { _ = unix.Prctl(unix.PR_SET_PTRACER, 0, 0, 0, 0) }

// write sends one line of JSON. Its failure shows in the next read.
func (h helperConn) write(v any) {
	b, _ := json.Marshal(v)
	_, _ = unix.Write(int(h), append(b, '\n'))
}

// read waits for one line of JSON. The helper sends no second one.
func (h helperConn) read(v any) error {
	var line []byte
	buf := make([]byte, 4096)
	for !bytes.HasSuffix(line, []byte("\n")) {
		n, err := unix.Read(int(h), buf)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return err
		case n == 0:
			return io.ErrUnexpectedEOF
		default:
			line = append(line, buf[:n]...)
		}
	}
	return json.Unmarshal(line, v)
}
