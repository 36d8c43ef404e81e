package client

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/envoydbg/envoydbg/adapter/dapio"
)

// Entry is one message in the log.
type Entry struct {
	*dapio.Message
	// Index is the place in the log.
	Index int
	Time  time.Time
	// Sent is true for the client's own messages.
	Sent bool
}

// Client is a connection with a log of all messages, for tests. Its memory grows
// with the session.
type Client struct {
	conn *Conn

	mu      sync.Mutex
	log     []Entry
	changed chan struct{} // closed and replaced when the log grows or ends
	err     error         // why the stream ended
}

// New starts a client on the adapter's output and input.
func New(in io.Reader, out io.Writer) *Client {
	c := &Client{changed: make(chan struct{})}
	c.conn = dial(in, out, func(raw []byte) {
		if m, err := dapio.Parse(raw); err == nil {
			c.add(m, true)
		}
	})
	go c.record()
	return c
}

func (c *Client) record() {
	for m := range c.conn.Messages() {
		c.add(m, false)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = c.conn.Err()
	c.wake()
}

func (c *Client) add(m *dapio.Message, sent bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log = append(c.log, Entry{Message: m, Index: len(c.log), Time: time.Now(), Sent: sent})
	c.wake()
}

// wake lets every Wait look again. mu is held.
func (c *Client) wake() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// Close ends the sending side; the log stays.
func (c *Client) Close() { c.conn.Close() }

// Send sends a request and returns its sequence number.
func (c *Client) Send(command string, arguments any) (int64, error) {
	return c.conn.Send(command, arguments)
}

// Respond answers a request of the adapter's with success.
func (c *Client) Respond(request *dapio.Message, body any) error {
	return c.conn.Respond(request, body)
}

// Call sends a request and waits for the answer, whose body goes into result
// unless that is nil. A refusal is an *[Error].
func (c *Client) Call(ctx context.Context, command string, arguments, result any) error {
	seq, err := c.Send(command, arguments)
	if err != nil {
		return err
	}
	return c.Answer(ctx, seq, result)
}

// Answer waits for the answer to the request with that number.
func (c *Client) Answer(ctx context.Context, seq int64, result any) error {
	e, err := c.Wait(ctx, 0, func(e Entry) bool { return !e.Sent && e.Type == dapio.Response && e.RequestSeq == seq })
	if err != nil {
		return err
	}
	return Decode(e.Message, result)
}

// Wait returns the first entry from the index on that matches.
func (c *Client) Wait(ctx context.Context, from int, match func(Entry) bool) (Entry, error) {
	for {
		c.mu.Lock()
		log, changed, err := c.log, c.changed, c.err
		c.mu.Unlock()
		for ; from < len(log); from++ {
			if match(log[from]) {
				return log[from], nil
			}
		}
		if err != nil {
			return Entry{}, ended(err)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Entry{}, ctx.Err()
		}
	}
}

// Event waits for an event of that name from the index on.
func (c *Client) Event(ctx context.Context, from int, name string) (Entry, error) {
	return c.Wait(ctx, from, func(e Entry) bool { return e.Type == dapio.Event && e.Name == name })
}

// Log returns what has passed so far.
func (c *Client) Log() []Entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.log
}

// maxDumped bounds what one message takes in a Dump, in bytes.
const maxDumped = 2000

// Dump prints the log, a line each, for a person who looks for what went wrong.
func (c *Client) Dump() string {
	log := c.Log()
	var b strings.Builder
	for _, e := range log {
		arrow := "←"
		if e.Sent {
			arrow = "→"
		}
		raw := e.Raw
		if len(raw) > maxDumped {
			raw = append(append([]byte(nil), raw[:maxDumped]...), "…"...)
		}
		fmt.Fprintf(&b, "%9.3f ms %s %s\n", float64(e.Time.Sub(log[0].Time).Microseconds())/1000, arrow, raw)
	}
	return b.String()
}
