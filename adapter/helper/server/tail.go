//go:build linux

package server

import (
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// tail reads a pipe to its end and keeps the last bytes.
type tail struct {
	mu   sync.Mutex
	buf  []byte
	done chan struct{}
}

const tailBytes = 8 << 10

// follow owns r from now on. Its goroutine ends when all writers of the pipe
// have ended.
func follow(r *os.File) *tail {
	t := &tail{done: make(chan struct{})}
	go func() {
		defer close(t.done)
		defer r.Close()
		_, _ = io.Copy(t, r)
	}()
	return t
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b...)
	if n := len(t.buf) - tailBytes; n > 0 {
		t.buf = append(t.buf[:0], t.buf[n:]...)
	}
	return len(b), nil
}

// text waits for the end of the pipe, but not long: a surviving child of the
// program may hold it open.
func (t *tail) text() string {
	select {
	case <-t.done:
	case <-time.After(200 * time.Millisecond):
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.buf))
}
