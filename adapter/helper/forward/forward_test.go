//go:build linux

package forward

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// pair is a client whose other side is this process.
func pair(t *testing.T) *Client {
	t.Helper()
	here, there := net.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- Serve(there, func(inode uint64) (int, []Envoy, error) {
			return 1, []Envoy{{PID: 7, Program: "/usr/local/bin/envoy", Has: inode == 42}}, nil
		})
	}()
	c, err := New(here)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Close()
		select {
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(10 * time.Second):
			t.Error("it serves on without a client")
		}
	})
	return c
}

func listener(t *testing.T) *net.TCPListener {
	t.Helper()
	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// The kernel shows the other end of a connection from its beginning to its end: before
// somebody takes it, what is not read yet, and that it was closed.
func TestTheOtherEndOfAConnectionIsFollowed(t *testing.T) {
	c, l := pair(t), listener(t)
	conn, err := c.Dial(t.Context(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if conn.Remote() != l.Addr().String() {
		t.Errorf("connected to %s", conn.Remote())
	}
	if _, err := conn.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	peer := func(is func(Peer) bool) Peer {
		t.Helper()
		for late := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) { // the bytes are on their way
			p, err := c.Peer(t.Context(), conn)
			if err != nil {
				t.Fatal(err)
			}
			if is(p) {
				return p
			}
			if time.Now().After(late) {
				t.Fatalf("it stays %+v", p)
			}
		}
	}
	p := peer(func(p Peer) bool { return p.Unread == 5 })
	if p.Accepted || p.Closed || p.Inode != 0 || p.Local != l.Addr().String() || p.Listener == 0 {
		t.Errorf("nobody has taken it: %+v", p)
	}
	taken, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if p := peer(func(p Peer) bool { return p.Accepted }); p.Inode == 0 || p.Unread != 5 {
		t.Errorf("it was taken, and nothing read: %+v", p)
	}
	if _, err := io.ReadFull(taken, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	if p := peer(func(Peer) bool { return true }); p.Unread != 0 {
		t.Errorf("all was read: %+v", p)
	}
	_ = taken.Close()
	if n, err := conn.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("%d, %v at the end", n, err)
	}
}

func TestTheOtherEndOfAClosedConnectionIsNotTakenForOneThatWaits(t *testing.T) {
	for text, want := range map[string][2]bool{ // accepted, over
		"0: 0100007F:3A99 0C00F40A:A8CA 01 00000000:00000005 00:00000000 00000000     0        0 0 1":       {false, false},
		"0: 0100007F:3A99 0C00F40A:A8CA 08 00000000:00000005 00:00000000 00000000     0        0 0 1":       {false, false},
		"0: 0100007F:3A99 0C00F40A:A8CA 01 00000000:00000000 00:00000000 00000000  1337        0 42 1":      {true, false},
		"0: 0100007F:3A99 0C00F40A:A8CA 06 00000000:00000000 03:00001770 00000000     0        0 0 3":       {false, true},
		"0: 0000000000000000FFFF00000100007F:3A99 0000000000000000FFFF00000C00F40A:A8CA 05 0:0 0:0 0 0 0 0": {false, true},
	} {
		s, err := parseSocket(text)
		if err != nil {
			t.Fatal(err)
		}
		if s.local.String() != "127.0.0.1:15001" || s.remote.String() != "10.244.0.12:43210" {
			t.Errorf("%s → %s in %s", s.local, s.remote, text)
		}
		if got := [2]bool{s.inode != 0, s.over()}; got != want {
			t.Errorf("%v, want %v: %s", got, want, text)
		}
	}
	for _, text := range []string{"", "0: 0100007F:3A99", "0: x:1 y:2 01 0:0 0:0 0 0 0 0", strings.Repeat("z ", 10)} {
		if s, err := parseSocket(text); err == nil {
			t.Errorf("%q is %+v", text, s)
		}
	}
}

func TestWhyThereIsNoConnection(t *testing.T) {
	c, l := pair(t), listener(t)
	address := l.Addr().String()
	port := l.Addr().(*net.TCPAddr).Port
	if look, err := c.Look(t.Context(), port, 42); err != nil || !look.Listening || look.Agents != 1 || !look.Envoys[0].Has {
		t.Errorf("%+v, %v", look, err)
	}
	_ = l.Close()
	if look, err := c.Look(t.Context(), port, 0); err != nil || look.Listening || look.Envoys[0].Has {
		t.Errorf("%+v, %v", look, err)
	}
	for address, kind := range map[string]string{address: Refused, "no-such-host.invalid:80": NoName} {
		var f *DialError
		if _, err := c.Dial(t.Context(), address); !errors.As(err, &f) || f.Kind != kind {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// Who goes away in the middle of a connection ends it.
func TestTheEndOfTheStreamEndsConnections(t *testing.T) {
	c, l := pair(t), listener(t)
	if _, err := c.Dial(t.Context(), l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	taken, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	_ = taken.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := taken.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("%v", err)
	}
}
