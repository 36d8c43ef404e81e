package echo

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"time"
)

// Serve sends back what it receives, until the listener ends.
func Serve(l net.Listener) error {
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			_, _ = io.Copy(c, c)
		}()
	}
}

// Speed is that of one connection.
type Speed struct {
	P50, P99 time.Duration // of 64 bytes there and back
	MiB      float64       // a second, there and back at the same time
}

// Measure measures one connection.
func Measure(c io.ReadWriter, rounds, bytes int) (Speed, error) {
	var s Speed
	p := make([]byte, 64)
	var took []time.Duration
	for range rounds {
		began := time.Now()
		if _, err := c.Write(p); err != nil {
			return s, err
		}
		if _, err := io.ReadFull(c, p); err != nil {
			return s, err
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	s.P50, s.P99 = took[len(took)/2], took[len(took)*99/100]
	began := time.Now()
	sent := make(chan error, 1)
	go func() {
		p := make([]byte, 32<<10)
		for left := bytes; left > 0; left -= len(p) {
			if _, err := c.Write(p[:min(left, len(p))]); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	if _, err := io.CopyN(io.Discard, c, int64(bytes)); err != nil {
		return s, err
	}
	s.MiB = float64(bytes) / (1 << 20) / time.Since(began).Seconds()
	return s, <-sent
}

// Stream is an endless stream of bytes that are never the same for long.
func Stream() io.Reader { return rand.NewChaCha8([32]byte{}) }

// Checked compares what it is given with Stream.
type Checked struct {
	want io.Reader
	n    int64
}

// NewChecked begins at the begin of the stream.
func NewChecked() *Checked { return &Checked{want: Stream()} }

// Write implements io.Writer. It fails at the first byte that is not the next one.
func (c *Checked) Write(p []byte) (int, error) {
	want := make([]byte, len(p))
	_, _ = io.ReadFull(c.want, want)
	for i := range p {
		if p[i] != want[i] {
			return i, fmt.Errorf("byte %d is not the one that was sent", c.n+int64(i))
		}
	}
	c.n += int64(len(p))
	return len(p), nil
}
