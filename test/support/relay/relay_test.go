package relay_test

import (
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/test/support/relay"
)

const limit = 10 * time.Second

// between starts a relay from TCP to a unix socket, and returns both ends of one
// connection through it.
func between(t *testing.T) (r *relay.Relay, near, far net.Conn) {
	t.Helper()
	target, err := net.Listen("unix", filepath.Join(t.TempDir(), "socket"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { target.Close() })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r = relay.Start(listener, func() (net.Conn, error) { return net.Dial("unix", target.Addr().String()) })
	t.Cleanup(r.Close)
	if near, err = net.Dial("tcp", r.Addr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close() })
	if far, err = target.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close() })
	for _, c := range []net.Conn{near, far} {
		if err := c.SetDeadline(time.Now().Add(limit)); err != nil {
			t.Fatal(err)
		}
	}
	return r, near, far
}

func TestOneDirectionEndsAloneAndTheOtherGoesOn(t *testing.T) {
	_, near, far := between(t)
	if _, err := near.Write([]byte("question")); err != nil {
		t.Fatal(err)
	}
	near.(*net.TCPConn).CloseWrite()
	if text, err := io.ReadAll(far); err != nil || string(text) != "question" {
		t.Fatalf("%q, %v", text, err)
	}
	if _, err := far.Write([]byte("answer")); err != nil {
		t.Fatal(err)
	}
	far.Close()
	if text, err := io.ReadAll(near); err != nil || string(text) != "answer" {
		t.Fatalf("%q, %v", text, err)
	}
}

func TestACutIsSeenAtBothEnds(t *testing.T) {
	r, near, far := between(t)
	r.Cut()
	for _, c := range []net.Conn{near, far} {
		if n, err := c.Read(make([]byte, 1)); err == nil {
			t.Errorf("%v still gives %d bytes", c.LocalAddr(), n)
		}
	}
	if _, err := net.Dial("tcp", r.Addr().String()); err != nil {
		t.Errorf("no connection after the cut: %v", err)
	}
}
