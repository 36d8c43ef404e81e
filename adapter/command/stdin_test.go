package command

import (
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func blocks(t *testing.T, fd uintptr) bool {
	t.Helper()
	flags, err := unix.FcntlInt(fd, unix.F_GETFL, 0)
	if err != nil {
		t.Fatal(err)
	}
	return flags&unix.O_NONBLOCK == 0
}

// inherited are the ends of a stream as a program finds them that an editor starts:
// its input in blocking mode.
func inherited(t *testing.T, kind string) (in, theirs *os.File) {
	t.Helper()
	var fds [2]int
	var err error
	if kind == "pipe" {
		err = unix.Pipe2(fds[:], unix.O_CLOEXEC)
	} else {
		fds, err = unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	in, theirs = os.NewFile(uintptr(fds[0]), "in"), os.NewFile(uintptr(fds[1]), "theirs")
	t.Cleanup(func() { _, _ = in.Close(), theirs.Close() })
	return in, theirs
}

func TestInputIsReadWithoutBlockingInTheKernel(t *testing.T) {
	for _, kind := range []string{"pipe", "socket"} {
		t.Run(kind, func(t *testing.T) {
			in, theirs := inherited(t, kind)
			r := nonBlocking(in, os.Stderr)
			if r == io.Reader(in) {
				t.Fatal("it is read as it is")
			}
			t.Cleanup(func() { _ = r.(io.Closer).Close() })
			raw, err := r.(syscall.Conn).SyscallConn()
			if err != nil {
				t.Fatal(err)
			}
			if err := raw.Control(func(fd uintptr) {
				if blocks(t, fd) {
					t.Error("it blocks")
				}
			}); err != nil {
				t.Fatal(err)
			}
			if _, err := theirs.WriteString("text"); err != nil {
				t.Fatal(err)
			}
			_ = theirs.Close()
			if got, err := io.ReadAll(r); err != nil || string(got) != "text" {
				t.Errorf("read %q, %v", got, err)
			}
		})
	}
}

// What others may share stays as it is.
func TestASharedInputKeepsItsMode(t *testing.T) {
	pipe, _ := inherited(t, "pipe")
	_ = nonBlocking(pipe)
	socket, _ := inherited(t, "socket")
	if nonBlocking(socket, os.Stderr, socket) != io.Reader(socket) {
		t.Error("a socket that is the output, too, is read in another mode")
	}
	for name, f := range map[string]*os.File{"pipe": pipe, "socket": socket} {
		if !blocks(t, f.Fd()) {
			t.Errorf("the %s itself was put into non-blocking mode", name)
		}
	}
}

func TestAFileIsReadAsItIs(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	if nonBlocking(f) != io.Reader(f) {
		t.Error("a file was opened anew")
	}
	_ = f.Close()
	if nonBlocking(f) != io.Reader(f) {
		t.Error("a closed file is another one")
	}
}
