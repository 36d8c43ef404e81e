//go:build linux

package server

import (
	"fmt"
	"sync"

	"github.com/envoydbg/envoydbg/adapter/helper"
)

// queue holds what is to be told to the adapter, in order, so that neither the
// agent nor Envoy ever waits for an adapter that reads slowly. Output beyond
// limit bytes pushes out the oldest output; other notifications are few and are
// never dropped.
type queue struct {
	limit int // bytes of output held

	mu     sync.Mutex
	ready  sync.Cond
	items  []item
	held   int
	lost   int // bytes dropped since the last report of it
	closed bool
}

// item is one notification: output when its bytes are counted, else any.
type item struct {
	method string
	params any
	bytes  int
}

func newQueue(limit int) *queue {
	q := &queue{limit: limit}
	q.ready.L = &q.mu
	return q
}

// output appends one chunk, which it takes over.
func (q *queue) output(stream string, data []byte) {
	q.put(item{helper.NotifyOutput, helper.OutputParams{Stream: stream, Data: data}, len(data)})
}

func (q *queue) notify(method string, params any) { q.put(item{method, params, 0}) }

func (q *queue) put(it item) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	q.items = append(q.items, it)
	q.held += it.bytes
	for i := 0; q.held > q.limit && i < len(q.items)-1; i++ {
		if n := q.items[i].bytes; n > 0 {
			q.held -= n
			q.lost += n
			q.items[i] = item{}
		}
	}
	q.ready.Signal()
}

// take waits for the next notification; false when the queue is closed. Where
// output was dropped, one line that says so stands in its place.
func (q *queue) take() (string, any, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		for len(q.items) > 0 && q.items[0].method == "" {
			q.items = q.items[1:]
		}
		if q.closed {
			return "", nil, false
		}
		if q.lost > 0 {
			text := fmt.Sprintf("\nenvoydbg: %d bytes of output are missing here: the client read too slowly.\n", q.lost)
			q.lost = 0
			return helper.NotifyOutput, helper.OutputParams{Stream: "stderr", Data: []byte(text)}, true
		}
		if len(q.items) > 0 {
			it := q.items[0]
			q.items[0] = item{}
			q.items = q.items[1:]
			q.held -= it.bytes
			return it.method, it.params, true
		}
		q.ready.Wait()
	}
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed, q.items = true, nil
	q.ready.Broadcast()
}
