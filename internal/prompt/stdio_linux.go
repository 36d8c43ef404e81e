package prompt

import (
	"fmt"
	"io"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Stdin returns the program's standard input, if it is a pipe or a socket as one
// in non-blocking mode.
func Stdin() io.Reader {
	if s := nonBlocking(os.Stdin, os.O_RDONLY); s != nil {
		return s
	}
	return os.Stdin
}

// Stdout returns the program's standard output likewise.
func Stdout() io.Writer {
	if s := nonBlocking(os.Stdout, os.O_WRONLY); s != nil {
		return s
	}
	return os.Stdout
}

// nonBlocking returns nil where it cannot be had. The mode belongs to the open
// file, which other programs may share that do not expect it (open(2)), so that a
// pipe is opened anew. A socket cannot be; but nobody shares the one that an
// editor makes for its debug adapter.
func nonBlocking(f *os.File, flags int) io.ReadWriter {
	var st unix.Stat_t
	if unix.Fstat(int(f.Fd()), &st) != nil {
		return nil
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFIFO:
		if again, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", f.Fd()), flags|syscall.O_NONBLOCK, 0); err == nil {
			return again
		}
	case unix.S_IFSOCK:
		if c, err := net.FileConn(f); err == nil {
			return c
		}
	}
	return nil
}
