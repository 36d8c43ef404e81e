package tail

import (
	"strings"
	"sync"
)

// kept is how much is kept, in bytes.
const kept = 8 << 10

// Tail is a writer that keeps the last 8 KiB. The zero value is ready, and may
// be used from several goroutines.
type Tail struct {
	mu  sync.Mutex
	buf []byte
}

// Write implements io.Writer; it cannot fail.
func (t *Tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - kept; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	return len(p), nil
}

// String returns what is kept, without white space around it.
func (t *Tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.buf))
}
