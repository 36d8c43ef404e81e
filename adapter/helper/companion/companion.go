package companion

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/envoydbg/envoydbg/adapter/gdbremote"
)

// Server is a connection to the debug server.
type Server interface {
	io.ReadWriter
	// CloseWrite passes on that the relay sends no more.
	CloseWrite() error
}

// Companion carries one connection.
type Companion struct {
	near   io.Writer
	server Server

	mu sync.Mutex // held while something is written, too
	// settled is signalled when own is empty, or the server has ended.
	settled sync.Cond

	// ahead are the questions for each stop; none for nothing at all.
	ahead []string
	top   uint64 // the stack pointer at the last stop
	// running: the server has a resume, or an attach, that it has not answered.
	running bool
	// own are the companion's requests that the server has not answered, the oldest
	// first. When they are sent, nothing else is unanswered.
	own []request
	// pairs are the answers so far, and stop is what they come before, unless it is nil.
	pairs, stop []byte
	// refused: something was that the relay takes for done, and no resume was held since.
	refused bool
	ended   bool // the server has
}

// request is one of the companion's own.
type request struct {
	packet string
	kind   kind
}

// noAckMode is how the acknowledgements end.
const noAckMode = "QStartNoAckMode"

type kind int

const (
	question kind = iota // the relay gets the answer
	order                // the answer is to be OK
	dropped              // a question that came too late
)

// New returns a companion between the relay, which is written to by near, and the server.
func New(near io.Writer, server Server) *Companion {
	c := &Companion{near: near, server: server}
	c.settled.L = &c.mu
	return c
}

// Run carries the connection, what the relay sends being read from in, until the server
// ends it. The channel that it returns is closed when in has ended, too.
func (c *Companion) Run(in io.Reader) <-chan struct{} {
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		carry(gdbremote.NewReader(in), c.fromRelay)
		_ = c.server.CloseWrite()
	}()
	carry(gdbremote.NewReader(c.server), c.fromServer)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	c.settled.Broadcast()
	return sent
}

func carry(r *gdbremote.Reader, to func(gdbremote.Frame) error) {
	for {
		f, err := r.Next()
		if err != nil || to(f) != nil {
			return
		}
	}
}

// fromRelay handles one frame of the relay's.
func (c *Companion) fromRelay(f gdbremote.Frame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.Kind == gdbremote.KindNotification {
		return c.told(string(f.Payload))
	}
	if f.Kind == gdbremote.KindPacket && gdbremote.Resumes(f.Payload) {
		for len(c.own) > 0 && !c.ended {
			c.settled.Wait()
		}
		if c.refused {
			c.refused = false
			_, err := c.near.Write(gdbremote.Notification(gdbremote.MarkHeld))
			return err
		}
		c.running = true
	}
	_, err := c.server.Write(f.Raw)
	return err
}

// told does what the relay says to the companion. It knows all of it: they are of one
// version.
func (c *Companion) told(text string) error {
	if list, ok := strings.CutPrefix(text, gdbremote.MarkAhead); ok {
		c.ahead = gdbremote.Questions(list)
	}
	if list, ok := strings.CutPrefix(text, gdbremote.MarkNow); ok {
		return c.request(question, gdbremote.Questions(list)...)
	}
	if packet, ok := strings.CutPrefix(text, gdbremote.MarkDo); ok {
		if packet == noAckMode { // the server's OK is the last that is acknowledged
			c.own = append(c.own, request{packet, order})
			_, err := c.server.Write(append(gdbremote.Encode(packet), '+'))
			return err
		}
		return c.request(order, packet)
	}
	return nil
}

// request sends requests of the companion's own, all at once: the server answers one
// after the other.
func (c *Companion) request(kind kind, packets ...string) error {
	var raw []byte
	for _, packet := range packets {
		c.own = append(c.own, request{packet, kind})
		raw = append(raw, gdbremote.Encode(packet)...)
	}
	if raw == nil {
		return nil
	}
	_, err := c.server.Write(raw)
	return err
}

// fromServer handles one frame of the server's.
func (c *Companion) fromServer(f gdbremote.Frame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case f.Kind == gdbremote.KindPart && len(c.own) > 0:
		if !f.More { // too long to be sent before it is wanted
			c.own = c.own[1:]
		}
		return c.settle()
	case f.Kind == gdbremote.KindAck && len(c.own) > 0 && c.own[0].packet == noAckMode:
		return nil
	case f.Kind != gdbremote.KindPacket:
	case len(c.own) > 0:
		if isExit(c.own[0].packet, f.Payload) {
			return c.exit(f.Raw)
		}
		r := c.own[0]
		c.own = c.own[1:]
		if err := c.answered(r, f.Payload); err != nil {
			return err
		}
		return c.settle()
	case c.running:
		stop, is := gdbremote.ParseStop(f.Payload)
		if c.running = !is; is && stop.Signal != 0 && len(c.ahead) > 0 {
			c.stop = bytes.Clone(f.Raw)
			return c.request(question, c.questions(f.Payload)...)
		}
	}
	_, err := c.near.Write(f.Raw)
	return err
}

// maxAnswer bounds an answer that is sent ahead, well below what the relay reads as one
// packet.
const maxAnswer = gdbremote.MaxPacket / 4

// errAcknowledgements: nothing that was said after it can be understood.
var errAcknowledgements = errors.New("the debug server does not end the acknowledgements")

// answered takes the answer to a request of the companion's own.
func (c *Companion) answered(r request, answer []byte) error {
	switch {
	case r.kind == question && len(answer) > maxAnswer: // the client asks for it when it wants it
	case r.kind == question:
		c.pairs = append(c.pairs, gdbremote.Pair(gdbremote.MarkPair, r.packet, string(answer))...)
		return c.request(question, c.follow(r.packet, answer)...)
	case r.kind != order || string(answer) == "OK":
	case r.packet == noAckMode:
		return errAcknowledgements
	default:
		c.refused = true
		c.pairs = append(c.pairs, gdbremote.Pair(gdbremote.MarkRefused, r.packet, string(answer))...)
	}
	return nil
}

// settle sends the relay what it waits for when everything has been answered.
func (c *Companion) settle() error {
	if len(c.own) > 0 {
		return nil
	}
	c.settled.Broadcast()
	return c.flush()
}

func (c *Companion) flush() error {
	out := append(c.pairs, c.stop...)
	c.pairs, c.stop = nil, nil
	if len(out) == 0 {
		return nil
	}
	_, err := c.near.Write(out)
	return err
}

// exit passes on the end of a process that was killed meanwhile. What is answered after
// it could reach the relay too late to be true.
func (c *Companion) exit(raw []byte) error {
	if err := c.flush(); err != nil {
		return err
	}
	for i := range c.own {
		if c.own[i].kind == question {
			c.own[i].kind = dropped
		}
	}
	_, err := c.near.Write(raw)
	return err
}

// isExit tells the end of the process from an answer. Bytes of memory may look like it,
// but are as many as were asked for.
func isExit(asked string, payload []byte) bool {
	stop, ok := gdbremote.ParseStop(payload)
	if !ok || stop.Exit == nil {
		return false
	}
	if _, size, isMemory := strings.Cut(asked, ","); isMemory && asked[0] == 'x' {
		n, err := strconv.ParseUint(size, 16, 64)
		return err != nil || n != uint64(len(payload)-bytes.Count(payload, []byte{'}'}))
	}
	return true
}
