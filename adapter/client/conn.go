package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/envoydbg/envoydbg/adapter/dapio"
)

// Conn is a connection to an adapter. It keeps no message.
type Conn struct {
	w        *dapio.Writer
	messages chan *dapio.Message
	err      error // why messages was closed
}

// Dial starts a connection on the adapter's output and input. The caller must
// receive from Messages until that is closed.
func Dial(in io.Reader, out io.Writer) *Conn { return dial(in, out, nil) }

// dial also has sent called with each request before it goes out.
func dial(in io.Reader, out io.Writer, sent func(raw []byte)) *Conn {
	c := &Conn{w: dapio.NewWriter(out), messages: make(chan *dapio.Message)}
	c.w.Sent = sent
	go c.read(dapio.NewReader(in))
	return c
}

func (c *Conn) read(r *dapio.Reader) {
	defer close(c.messages)
	for {
		m, err := r.Next()
		if err != nil {
			c.err = err
			return
		}
		c.messages <- m
	}
}

// Messages are the adapter's messages in their order. The channel has no buffer:
// a receiver that is slow holds the adapter back. It is closed when the adapter's
// stream has ended.
func (c *Conn) Messages() <-chan *dapio.Message { return c.messages }

// Err says why Messages was closed; io.EOF is the orderly end. Call it after that.
func (c *Conn) Err() error { return c.err }

// Close ends the sending side.
func (c *Conn) Close() { c.w.Close() }

// Send sends a request and returns its sequence number. It does not wait for a
// slow adapter.
func (c *Conn) Send(command string, arguments any) (int64, error) {
	var seq int64
	err := c.w.Send(func(n int64) []byte {
		seq = n
		raw, err := json.Marshal(struct {
			Seq       int64  `json:"seq"`
			Type      string `json:"type"`
			Command   string `json:"command"`
			Arguments any    `json:"arguments,omitempty"`
		}{n, dapio.Request, command, arguments})
		if err != nil {
			panic(err) // arguments are plain data
		}
		return raw
	})
	return seq, err
}

// Respond answers a request of the adapter's with success.
func (c *Conn) Respond(request *dapio.Message, body any) error {
	return c.w.Send(func(n int64) []byte {
		raw, err := json.Marshal(map[string]any{"seq": n, "type": dapio.Response, "request_seq": request.Seq, "success": true,
			"command": request.Name, "body": body})
		if err != nil {
			panic(err) // a body is plain data
		}
		return raw
	})
}

// Error is a response with success: false.
type Error struct {
	Command string
	// Code is the error's id; 0 when the adapter gave none.
	Code int
	// Text is what the user should read.
	Text string
}

// Error returns the text.
func (e *Error) Error() string { return e.Text }

// Decode reads a response: its body goes into result, unless that is nil or
// there is no body. A refusal is an *[Error].
func Decode(response *dapio.Message, result any) error {
	if !response.Success {
		text := response.Get("body.error.format").String()
		if text == "" {
			text = response.Get("message").String()
		}
		return &Error{Command: response.Name, Code: int(response.Get("body.error.id").Int()), Text: text}
	}
	if result == nil || !response.Get("body").Exists() {
		return nil
	}
	return json.Unmarshal([]byte(response.Get("body").Raw), result)
}

// ErrEnded is returned when the adapter's stream has ended before what was
// waited for.
var ErrEnded = errors.New("the adapter ended the connection")

// ended is ErrEnded with its reason.
func ended(why error) error { return fmt.Errorf("%w: %w", ErrEnded, why) }
