package dapio

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// streams are the kinds of stream a client or lldb-dap is at the end of.
var streams = map[string]func(t *testing.T) (in, out *os.File){
	"pipe": func(t *testing.T) (in, out *os.File) {
		in, out, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		return in, out
	},
	"socket": func(t *testing.T) (in, out *os.File) {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		return os.NewFile(uintptr(fds[0]), "in"), os.NewFile(uintptr(fds[1]), "out")
	},
}

func event(t *testing.T, n, padding int) *Message {
	return message(t, fmt.Sprintf(`{"seq":0,"type":"event","event":"x","n":%d,"padding":%q}`, n, strings.Repeat("a", padding)))
}

// What the peer has room for is out when the call returns.
func TestAMessageGoesOutAtOnce(t *testing.T) {
	for name, stream := range streams {
		t.Run(name, func(t *testing.T) {
			in, out := stream(t)
			defer in.Close()
			w := NewWriter(out)
			defer w.Close()
			for n := range 3 {
				if err := w.Forward(event(t, n, 6000), 0, nil); err != nil {
					t.Fatal(err)
				}
			}
			if queued := w.Queued(); queued != 0 {
				t.Errorf("%d bytes were left to the goroutine", queued)
			}
		})
	}
}

// A peer that does not read holds up nobody, and then gets everything in order,
// each message whole, whichever goroutine wrote it.
func TestTheRestOfAMessageFollowsInOrder(t *testing.T) {
	const messages = 60
	for name, stream := range streams {
		t.Run(name, func(t *testing.T) {
			in, out := stream(t)
			defer in.Close()
			w := NewWriter(out)
			sent := make(chan struct{})
			go func() {
				defer close(sent)
				for n := range messages {
					// Of sizes around those of pages and buffers.
					if err := w.Forward(event(t, n, n*997), 0, nil); err != nil {
						t.Error(err)
					}
				}
			}()
			wait(t, sent, "the sender's return from messages that nobody reads")
			if w.Queued() == 0 {
				t.Error("the stream took all of them: the test shows nothing")
			}
			r := NewReader(in)
			for n := range messages {
				m, err := r.Next()
				if err != nil {
					t.Fatal(err)
				}
				if got := m.Get("n").Int(); got != int64(n) || m.Seq != int64(n)+1 || len(m.Get("padding").Str) != n*997 {
					t.Fatalf("message %d with number %d came where %d should", got, m.Seq, n)
				}
			}
			w.Close()
			wait(t, w.Done(), "the writer's end")
		})
	}
}

// The end of the peer is an error of the next message, and ends the Writer.
func TestThePeersEndIsTold(t *testing.T) {
	for name, stream := range streams {
		t.Run(name, func(t *testing.T) {
			in, out := stream(t)
			w := NewWriter(out)
			in.Close()
			if err := w.Forward(event(t, 0, 10), 0, nil); !errors.Is(err, unix.EPIPE) {
				t.Errorf("got %v, want EPIPE", err)
			}
			wait(t, w.Done(), "the writer's end")
			if err := w.Send(func(int64) []byte { return []byte("{}") }); err == nil {
				t.Error("a second message was taken")
			}
		})
	}
}

// net.Conn, as a session behind a listener would have it.
func TestAConnectionIsWrittenToAtOnce(t *testing.T) {
	listener, err := net.Listen("unix", t.TempDir()+"/s")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	c, err := net.DialTimeout("unix", listener.Addr().String(), limit)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	peer, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	w := NewWriter(c)
	defer w.Close()
	if err := w.Forward(event(t, 7, 10), 0, nil); err != nil || w.Queued() != 0 {
		t.Fatalf("%v, %d bytes queued", err, w.Queued())
	}
	_ = peer.SetReadDeadline(time.Now().Add(limit))
	if m, err := NewReader(peer).Next(); err != nil || m.Get("n").Int() != 7 {
		t.Errorf("got %v, %v", m, err)
	}
}
