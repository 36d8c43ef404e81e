package tail

import (
	"bytes"
	"strings"
	"sync"
)

// What is kept, in bytes: the beginning too, since a program that crashes says why
// first and then dumps its stacks.
const (
	keptFirst = 2 << 10
	keptLast  = 8 << 10
)

// Tail is a writer that keeps the last 8 KiB, and the first 2. The zero value is
// ready, and may be used from several goroutines.
type Tail struct {
	mu    sync.Mutex
	first []byte
	last  []byte
	gap   bool // something between the two was dropped
}

// Write implements io.Writer; it cannot fail.
func (t *Tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(p)
	room := min(keptFirst-len(t.first), n)
	t.first = append(t.first, p[:room]...)
	t.last = append(t.last, p[room:]...)
	if over := len(t.last) - keptLast; over > 0 {
		t.last = append(t.last[:0], t.last[over:]...)
		t.gap = true
	}
	return n, nil
}

// String returns what is kept, without white space around it. Where something was
// dropped, a line with … stands in its place.
func (t *Tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := [][]byte{t.first, t.last}
	if t.gap {
		all = [][]byte{t.first, []byte("\n…\n"), t.last}
	}
	return strings.TrimSpace(string(bytes.Join(all, nil)))
}
