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
	return apart(t, 0)
}

// apart is between with a delay.
func apart(t *testing.T, delay time.Duration) (r *relay.Relay, near, far net.Conn) {
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
	r = relay.StartFar(listener, func() (net.Conn, error) { return net.Dial("unix", target.Addr().String()) }, delay)
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

// Bytes and the end come late, in both directions, and what was sent together comes
// together.
func TestAFarPlaceAnswersLate(t *testing.T) {
	const delay = 30 * time.Millisecond
	_, near, far := apart(t, delay)
	go func() {
		for b := make([]byte, 1); ; {
			if _, err := io.ReadFull(far, b); err != nil {
				far.Close()
				return
			}
			if _, err := far.Write(b); err != nil {
				return
			}
		}
	}()
	began := time.Now()
	if _, err := near.Write(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(near, make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	if took < 2*delay || took > 50*delay { // 100 round trips would take 200
		t.Errorf("100 bytes there and back took %v", took)
	}
	began = time.Now()
	near.(*net.TCPConn).CloseWrite()
	if n, err := near.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("%d bytes, %v", n, err)
	}
	if took := time.Since(began); took < 2*delay {
		t.Errorf("the end came after %v", took)
	}
}

// A cut throws away what is on its way.
func TestACutTakesWhatIsOnItsWay(t *testing.T) {
	r, near, far := apart(t, 200*time.Millisecond)
	time.AfterFunc(300*time.Millisecond, func() {
		_, _ = near.Write([]byte("lost"))
		r.Cut()
	})
	if b, err := io.ReadAll(far); len(b) > 0 {
		t.Errorf("%q, %v", b, err)
	}
}
