package link

import (
	"context"
	"io"
	"net"
	"path/filepath"
	"testing"
)

// overSocket is a pair over a unix socket.
func overSocket(b *testing.B) (client, server *Conn) {
	b.Helper()
	path := filepath.Join(b.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	s := NewServer(ServerOptions{Session: session, Token: token})
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _ = s.Serve(c) }()
		}
	}()
	c, err := Connect(b.Context(), ClientOptions{Session: session, Token: token,
		Dial: func(context.Context) (io.ReadWriteCloser, error) { return net.Dial("unix", path) }})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	return c, s.Conn()
}

// BenchmarkRoundTrip: 64 bytes there and back.
func BenchmarkRoundTrip(b *testing.B) {
	client, server := overSocket(b)
	go func() { _, _ = io.Copy(server, server) }()
	p := make([]byte, 64)
	for b.Loop() {
		if _, err := client.Write(p); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(client, p); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkThroughput: one direction, 32 KiB at a time.
func BenchmarkThroughput(b *testing.B) {
	client, server := overSocket(b)
	go func() { _, _ = io.Copy(io.Discard, server) }()
	p := make([]byte, 32<<10)
	b.SetBytes(int64(len(p)))
	for b.Loop() {
		if _, err := client.Write(p); err != nil {
			b.Fatal(err)
		}
	}
}
