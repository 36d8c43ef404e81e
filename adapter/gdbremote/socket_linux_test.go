//go:build amd64 || arm64

package gdbremote

import (
	"bytes"
	"errors"
	"io"
	"net"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// sockets returns the two ends of a connection on this machine, the first as the
// relay has it.
func sockets(t *testing.T) (ours net.Conn, theirs *net.UnixConn) {
	t.Helper()
	listener, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	c, err := net.DialTimeout("unix", listener.Addr().String(), 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	peer, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = c.Close(), peer.Close() })
	for _, c := range []net.Conn{c, peer} {
		if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	ours = direct(c)
	if _, ok := ours.(*socket); !ok {
		t.Fatalf("it is a %T", ours)
	}
	return ours, peer.(*net.UnixConn)
}

// What the socket has no room for follows when there is some; what is not there is
// waited for.
func TestASocketTakesAndGivesEverything(t *testing.T) {
	ours, theirs := sockets(t)
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<18)
	echoed := make(chan error, 1)
	go func() {
		// In pieces, so that each side waits for the other one.
		_, err := io.CopyBuffer(struct{ io.Writer }{theirs}, struct{ io.Reader }{theirs}, make([]byte, 1000))
		echoed <- errors.Join(err, theirs.CloseWrite())
	}()
	wrote := make(chan error, 1)
	go func() {
		n, err := ours.Write(sent)
		if err == nil && n != len(sent) {
			err = io.ErrShortWrite
		}
		wrote <- errors.Join(err, ours.(Conn).CloseWrite())
	}()
	got, err := io.ReadAll(ours)
	if err := errors.Join(err, <-wrote, <-echoed); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d of %d bytes came back, %v", len(got), len(sent), err)
	}
	if n, err := ours.Read(nil); n != 0 || err != nil {
		t.Errorf("a read of nothing gave %d, %v", n, err)
	}
}

func TestASocketsEndIsAnError(t *testing.T) {
	t.Run("the peer's, written", func(t *testing.T) {
		ours, theirs := sockets(t)
		_ = theirs.Close()
		if n, err := ours.Write([]byte("x")); n != 0 || !errors.Is(err, syscall.EPIPE) {
			t.Errorf("got %d, %v", n, err)
		}
	})
	t.Run("the peer's with bytes unread, read", func(t *testing.T) {
		ours, theirs := sockets(t)
		if _, err := ours.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		_ = theirs.Close()
		if n, err := ours.Read(make([]byte, 1)); n != 0 || !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("got %d, %v", n, err)
		}
	})
	t.Run("a time", func(t *testing.T) {
		ours, _ := sockets(t)
		_ = ours.SetDeadline(time.Now())
		if _, err := ours.Read(make([]byte, 1)); !isTimeout(err) {
			t.Errorf("Read: %v", err)
		}
		if n, err := ours.Write(make([]byte, 4<<20)); !isTimeout(err) {
			t.Errorf("Write: %d, %v", n, err)
		}
	})
	for name, wait := range map[string]func(net.Conn) error{
		"our own, read":    func(c net.Conn) error { _, err := c.Read(make([]byte, 1)); return err },
		"our own, written": func(c net.Conn) error { _, err := c.Write(make([]byte, 4<<20)); return err },
	} {
		t.Run(name, func(t *testing.T) {
			ours, _ := sockets(t)
			ended := make(chan error, 1)
			go func() { ended <- wait(ours) }()
			_ = ours.Close()
			if err := <-ended; !errors.Is(err, net.ErrClosed) {
				t.Errorf("got %v", err)
			}
		})
	}
}
