package helper

import (
	"context"
	"io"
	"net"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/hashicorp/yamux"

	"github.com/envoydbg/envoydbg/adapter/helper/link"
)

// counted counts the messages of a transport.
type counted struct {
	io.ReadWriteCloser
	messages *atomic.Int64
}

func (c counted) Write(p []byte) (int, error) {
	c.messages.Add(1)
	return c.ReadWriteCloser.Write(p)
}

// overLink is a stream that comes back as it went, over a link as a pod's: its
// transport is a socket, of which the messages in both directions are counted.
func overLink(tb testing.TB) (stream *yamux.Stream, messages *atomic.Int64) {
	tb.Helper()
	messages = &atomic.Int64{}
	path := filepath.Join(tb.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = l.Close() })
	server := link.NewServer(link.ServerOptions{Session: "s", Token: "t"})
	go func() {
		c, err := l.Accept()
		if err == nil {
			_ = server.Serve(counted{c, messages})
		}
	}()
	conn, err := link.Connect(tb.Context(), link.ClientOptions{Session: "s", Token: "t",
		Dial: func(context.Context) (io.ReadWriteCloser, error) {
			c, err := net.Dial("unix", path)
			return counted{c, messages}, err
		}})
	if err != nil {
		tb.Fatal(err)
	}
	there, err := yamux.Server(server.Conn(), MuxConfig())
	if err != nil {
		tb.Fatal(err)
	}
	go func() {
		if s, err := there.AcceptStream(); err == nil {
			_, _ = io.Copy(s, s)
		}
	}()
	here, err := yamux.Client(conn, MuxConfig())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = here.Close(); _ = there.Close() })
	if stream, err = here.OpenStream(); err != nil {
		tb.Fatal(err)
	}
	return stream, messages
}

// thereAndBack sends p and reads it again.
func thereAndBack(tb testing.TB, s io.ReadWriter, p []byte) {
	tb.Helper()
	if _, err := s.Write(p); err != nil {
		tb.Fatal(err)
	}
	if _, err := io.ReadFull(s, p); err != nil {
		tb.Fatal(err)
	}
}

// BenchmarkMuxRoundTrip: 64 bytes there and back.
func BenchmarkMuxRoundTrip(b *testing.B) {
	s, messages := overLink(b)
	p := make([]byte, 64)
	before := messages.Load()
	for b.Loop() {
		thereAndBack(b, s, p)
	}
	b.ReportMetric(float64(messages.Load()-before)/float64(b.N), "messages/op")
}

// BenchmarkMuxEcho: 32 KiB at a time, there and back at once.
func BenchmarkMuxEcho(b *testing.B) {
	s, messages := overLink(b)
	const piece = 32 << 10
	b.SetBytes(piece)
	before := messages.Load()
	go func() {
		for p, n := make([]byte, piece), 0; n < b.N; n++ {
			if _, err := s.Write(p); err != nil {
				return
			}
		}
	}()
	if _, err := io.CopyN(io.Discard, s, int64(b.N)*piece); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(messages.Load()-before)/float64(b.N), "messages/op")
}
