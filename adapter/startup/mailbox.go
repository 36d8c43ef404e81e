package startup

import (
	"context"
	"sync"
)

// mailbox holds notices in the order they came. Posting never blocks.
type mailbox struct {
	mu     sync.Mutex
	items  []any
	closed bool
	came   chan struct{} // has room for one: something has come
}

func newMailbox() *mailbox { return &mailbox{came: make(chan struct{}, 1)} }

// post adds a notice; false if nobody takes any more.
func (b *mailbox) post(notice any) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	b.items = append(b.items, notice)
	select {
	case b.came <- struct{}{}:
	default:
	}
	return true
}

// close ends the taking, and returns what was not taken.
func (b *mailbox) close() []any {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	left := b.items
	b.items = nil
	return left
}

// poll takes the next notice, if there is one.
func (b *mailbox) poll() (any, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.items) == 0 {
		return nil, false
	}
	notice := b.items[0]
	b.items = b.items[1:]
	return notice, true
}

// take waits for the next notice.
func (b *mailbox) take(ctx context.Context) (any, error) {
	for {
		if notice, ok := b.poll(); ok {
			return notice, nil
		}
		select {
		case <-b.came:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
