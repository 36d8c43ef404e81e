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

// item is one notification: output, or any other.
type item struct {
	method string
	params any
	stream string // of output, else empty
	data   []byte
}

// chunk is up to how many bytes consecutive output of one stream is joined, so
// that a program that writes line by line costs no message for each line when
// the adapter is behind anyway.
const chunk = 32 << 10

func newQueue(limit int) *queue {
	q := &queue{limit: limit}
	q.ready.L = &q.mu
	return q
}

// output appends what was read from a stream; data is copied.
func (q *queue) output(stream string, data []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	q.held += len(data)
	if n := len(q.items) - 1; n >= 0 && q.items[n].stream == stream && len(q.items[n].data)+len(data) <= chunk {
		q.items[n].data = append(q.items[n].data, data...)
	} else {
		q.items = append(q.items, item{stream: stream, data: append([]byte(nil), data...)})
	}
	q.shed()
	q.ready.Signal()
}

// shed drops the oldest output while too much is held, never the newest piece.
// The few other notifications before it move up by one place.
func (q *queue) shed() {
	for q.held > q.limit {
		i := 0
		for i < len(q.items)-1 && q.items[i].stream == "" {
			i++
		}
		if i == len(q.items)-1 {
			return
		}
		n := len(q.items[i].data)
		q.held -= n
		q.lost += n
		copy(q.items[1:i+1], q.items[:i])
		q.items[0] = item{}
		q.items = q.items[1:]
	}
}

// notify appends any other notification.
func (q *queue) notify(method string, params any) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.items = append(q.items, item{method: method, params: params})
		q.ready.Signal()
	}
}

// take waits for the next notification; false when the queue is closed. Where
// output was dropped, one line that says so stands in its place.
func (q *queue) take() (string, any, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
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
			if it.stream == "" {
				return it.method, it.params, true
			}
			q.held -= len(it.data)
			return helper.NotifyOutput, helper.OutputParams{Stream: it.stream, Data: it.data}, true
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
