//go:build linux

package server

import (
	"io"
	"os"
	"time"

	"github.com/envoydbg/envoydbg/internal/tail"
)

// following reads a pipe to its end and keeps the last bytes.
type following struct {
	tail.Tail
	done chan struct{}
}

// follow owns r from now on. Its goroutine ends when all writers of the pipe
// have ended.
func follow(r *os.File) *following {
	t := &following{done: make(chan struct{})}
	go func() {
		defer close(t.done)
		defer r.Close()
		_, _ = io.Copy(t, r)
	}()
	return t
}

// text waits for the end of the pipe, but not long: a surviving child of the
// program may hold it open.
func (t *following) text() string {
	select {
	case <-t.done:
	case <-time.After(200 * time.Millisecond):
	}
	return t.String()
}
