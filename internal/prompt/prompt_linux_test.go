package prompt

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// limit bounds every wait.
const limit = 10 * time.Second

// streams are what messages and packets come from.
var streams = map[string]struct {
	open   func(t *testing.T) (io.ReadCloser, io.WriteCloser)
	prompt bool
}{
	"pipe": {func(t *testing.T) (io.ReadCloser, io.WriteCloser) {
		in, out, err := os.Pipe()
		check(t, err)
		return in, out
	}, true},
	"unix socket": {func(t *testing.T) (io.ReadCloser, io.WriteCloser) {
		l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
		check(t, err)
		return connection(t, l)
	}, true},
	"TCP": {func(t *testing.T) (io.ReadCloser, io.WriteCloser) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		check(t, err)
		return connection(t, l)
	}, true},
	"blocking pipe":        {func(t *testing.T) (io.ReadCloser, io.WriteCloser) { return blockingPipe(t) }, false},
	"a stream of Go's own": {func(*testing.T) (io.ReadCloser, io.WriteCloser) { return io.Pipe() }, false},
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// blockingPipe is as the standard streams of a process are.
func blockingPipe(t *testing.T) (in, out *os.File) {
	var fds [2]int
	check(t, unix.Pipe2(fds[:], unix.O_CLOEXEC))
	return os.NewFile(uintptr(fds[0]), "in"), os.NewFile(uintptr(fds[1]), "out")
}

func connection(t *testing.T, l net.Listener) (io.ReadCloser, io.WriteCloser) {
	defer l.Close()
	c, err := net.DialTimeout(l.Addr().Network(), l.Addr().String(), limit)
	check(t, err)
	peer, err := l.Accept()
	check(t, err)
	return c, peer
}

// each tells a story of every kind of stream that is prompt, or of every kind.
func each(t *testing.T, all bool, story func(t *testing.T, in io.ReadCloser, out io.WriteCloser, prompt bool)) {
	for name, s := range streams {
		if !s.prompt && !all {
			continue
		}
		t.Run(name, func(t *testing.T) {
			in, out := s.open(t)
			defer in.Close()
			defer out.Close()
			story(t, in, out, s.prompt)
		})
	}
}

// within waits for what f starts.
func within(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(limit):
		t.Fatalf("%s did not come to an end", what)
	}
}

// Everything arrives, in order, whether there is room for it at once or not, and
// then the end does.
func TestEverythingArrives(t *testing.T) {
	each(t, true, func(t *testing.T, in io.ReadCloser, out io.WriteCloser, prompt bool) {
		r, w := Reader(in), NewWriter(out)
		if _, ours := r.(*reader); ours != prompt {
			t.Fatalf("is read without telling the scheduler: %t, want %t", ours, prompt)
		}
		var want strings.Builder
		for n := range 100 {
			want.WriteString(strings.Repeat("0123456789abcdef", n*n) + "\n")
		}
		go func() {
			defer out.Close()
			for part := range strings.SplitAfterSeq(want.String(), "\n") {
				if n, err := w.Write([]byte(part)); err != nil || n != len(part) {
					t.Errorf("%d of %d bytes, %v", n, len(part), err)
					return
				}
			}
		}()
		within(t, "the stream", func() {
			b, err := io.ReadAll(r)
			if err != nil || string(b) != want.String() {
				t.Errorf("%d bytes of %d, %v", len(b), want.Len(), err)
			}
		})
	})
}

// A peer that does not read gets what it has room for.
func TestWriteNowDoesNotWait(t *testing.T) {
	each(t, true, func(t *testing.T, in io.ReadCloser, out io.WriteCloser, prompt bool) {
		w := NewWriter(out)
		b := make([]byte, 64<<20)
		within(t, "WriteNow", func() {
			n, err := w.WriteNow(b)
			if err != nil || n == len(b) || (n > 0) != prompt {
				t.Errorf("%d bytes, %v", n, err)
			}
			for n > 0 {
				// Until it is full to the brim.
				if n, err = w.WriteNow(b); err != nil {
					t.Error(err)
				}
			}
		})
	})
}

// A Read ends when another goroutine closes the stream, and fails ever after.
func TestCloseEndsARead(t *testing.T) {
	each(t, false, func(t *testing.T, in io.ReadCloser, _ io.WriteCloser, _ bool) {
		r := Reader(in)
		time.AfterFunc(10*time.Millisecond, func() { _ = in.Close() })
		for range 2 {
			within(t, "the Read", func() {
				if n, err := r.Read(make([]byte, 1)); n != 0 || err == nil {
					t.Errorf("%d bytes, %v", n, err)
				}
			})
		}
	})
}

// Deadlines hold.
func TestADeadlineEndsARead(t *testing.T) {
	in, out, err := os.Pipe()
	check(t, err)
	defer in.Close()
	defer out.Close()
	check(t, in.SetReadDeadline(time.Now().Add(10*time.Millisecond)))
	within(t, "the Read", func() {
		if _, err := Reader(in).Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
	})
}

// The end of the peer is an error.
func TestTheReadersEndIsTold(t *testing.T) {
	each(t, false, func(t *testing.T, in io.ReadCloser, out io.WriteCloser, _ bool) {
		check(t, in.Close())
		w := NewWriter(out)
		within(t, "the error", func() {
			for {
				// A TCP peer says so only in answer to a first packet.
				if _, err := w.WriteNow([]byte("x")); err != nil {
					if !errors.Is(err, unix.EPIPE) && !errors.Is(err, unix.ECONNRESET) {
						t.Error(err)
					}
					return
				}
			}
		})
	})
}

// Standard streams become prompt, and the open file that another program may
// share stays in the mode it is in.
func TestStandardStreamsBecomePrompt(t *testing.T) {
	in, out := blockingPipe(t)
	defer in.Close()
	defer out.Close()
	r, w := nonBlocking(in, os.O_RDONLY), nonBlocking(out, os.O_WRONLY)
	if descriptorOf(r) == nil || descriptorOf(w) == nil {
		t.Fatal("a pipe has not become prompt")
	}
	for _, f := range []*os.File{in, out} {
		if flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0); err != nil || flags&unix.O_NONBLOCK != 0 {
			t.Errorf("flags of the original %#x, %v", flags, err)
		}
	}
	within(t, "the pipe", func() {
		_, err := NewWriter(w).Write([]byte("hello"))
		check(t, err)
		b := make([]byte, 10)
		if n, err := Reader(r).Read(b); err != nil || string(b[:n]) != "hello" {
			t.Errorf("%q, %v", b[:n], err)
		}
	})

	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	check(t, err)
	socket, peer := os.NewFile(uintptr(fds[0]), "socket"), os.NewFile(uintptr(fds[1]), "peer")
	defer socket.Close()
	defer peer.Close()
	if descriptorOf(nonBlocking(socket, os.O_RDONLY)) == nil {
		t.Error("a socket has not become prompt")
	}
	null, err := os.Open(os.DevNull)
	check(t, err)
	defer null.Close()
	if s := nonBlocking(null, os.O_RDONLY); s != nil {
		t.Error("a device is no stream to be prompt with")
	}
}
