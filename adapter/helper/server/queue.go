//go:build linux

package server

import "sync"

// queue holds what is to be told to the adapter, in order, so that nothing here
// ever waits for an adapter that reads slowly. It has no bound: these
// notifications are a few for each process.
type queue struct {
	mu     sync.Mutex
	ready  sync.Cond
	items  []notification
	closed bool
}

type notification struct {
	method string
	params any
}

func newQueue() *queue {
	q := &queue{}
	q.ready.L = &q.mu
	return q
}

func (q *queue) notify(method string, params any) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.items = append(q.items, notification{method, params})
		q.ready.Signal()
	}
}

// take waits for the next notification; false when the queue is closed.
func (q *queue) take() (notification, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for !q.closed && len(q.items) == 0 {
		q.ready.Wait()
	}
	if q.closed {
		return notification{}, false
	}
	n := q.items[0]
	q.items = q.items[1:]
	return n, true
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed, q.items = true, nil
	q.ready.Broadcast()
}
