package dapio

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"
)

// Message types, the values of the field "type".
const (
	Request  = "request"
	Response = "response"
	Event    = "event"
)

// Message is one protocol message as it was received, with the header fields
// every relay of messages needs.
type Message struct {
	// Raw is the whole message. It is not modified after Parse.
	Raw []byte
	// Type is [Request], [Response], [Event], or whatever the peer wrote.
	Type string
	// Name is the command of a request or response, the event of an event.
	Name string
	// Seq and RequestSeq are 0 where the message has none.
	Seq, RequestSeq int64
	// Success is the field of a response.
	Success bool

	seq, requestSeq span
	open            int  // offset behind the object's '{'
	empty           bool // it has no fields
}

// span is a range of offsets in Raw; zero when the field is absent.
type span struct{ from, to int }

// maxDepth bounds the nesting of a message, as encoding/json does: the check of
// a text is recursive, and a hundred MiB of '[' would overflow the stack, which
// nothing can recover from.
const maxDepth = 10_000

// Parse checks that raw is a JSON object and finds its header fields. It keeps raw.
// Of a field that is there twice the last one counts, as it does for LLDB.
func Parse(raw []byte) (*Message, error) {
	m := &Message{Raw: raw, empty: true}
	var typ, command, event, success span
	s := scan{b: raw}
	if !s.members(func(key []byte, value span) {
		m.empty = false
		if bytes.IndexByte(key, '\\') >= 0 {
			key = []byte(gjson.Parse(`"` + string(key) + `"`).Str)
		}
		switch string(key) {
		case "seq":
			m.seq = value
		case "request_seq":
			m.requestSeq = value
		case "type":
			typ = value
		case "command":
			command = value
		case "event":
			event = value
		case "success":
			success = value
		}
	}) {
		return nil, fmt.Errorf("%w: content of %d bytes is not a JSON object, or is nested more than %d deep", ErrNotDAP, len(raw), maxDepth)
	}
	m.open = bytes.IndexByte(raw, '{') + 1
	m.Seq, m.RequestSeq = m.number(m.seq), m.number(m.requestSeq)
	m.Type, m.Success = m.word(typ), string(raw[success.from:success.to]) == "true"
	m.Name = m.word(command)
	if m.Type == Event {
		m.Name = m.word(event)
	}
	return m, nil
}

// NewRequest makes a request. arguments may be nil; otherwise it must be something
// that encoding/json cannot fail on. Forward gives it its number.
func NewRequest(command string, arguments any) *Message {
	raw, err := json.Marshal(struct {
		Seq       int    `json:"seq"`
		Type      string `json:"type"`
		Command   string `json:"command"`
		Arguments any    `json:"arguments,omitempty"`
	}{0, Request, command, arguments})
	if err != nil {
		panic(err)
	}
	m, err := Parse(raw)
	if err != nil {
		panic(err)
	}
	return m
}

// number is the value of a sequence number.
func (m *Message) number(at span) int64 {
	text := m.Raw[at.from:at.to]
	if len(text) == 0 || len(text) > 18 {
		return gjson.ParseBytes(text).Int()
	}
	n := int64(0)
	for _, c := range text {
		if c < '0' || c > '9' {
			return gjson.ParseBytes(text).Int()
		}
		n = n*10 + int64(c-'0')
	}
	return n
}

// word is the value of a name. It is a copy, which outlives the message: with a
// part of Raw the whole of it would stay.
func (m *Message) word(at span) string {
	text := m.Raw[at.from:at.to]
	if len(text) < 2 || text[0] != '"' || bytes.IndexByte(text, '\\') >= 0 {
		return gjson.ParseBytes(text).String()
	}
	return string(text[1 : len(text)-1])
}

// appendRenumbered appends the message with other sequence numbers and every
// other byte unchanged. requestSeq only replaces an existing request_seq.
func (m *Message) appendRenumbered(out []byte, seq, requestSeq int64) []byte {
	last := 0
	put := func(at span, n int64) {
		out = append(out, m.Raw[last:at.from]...)
		out = strconv.AppendInt(out, n, 10)
		last = at.to
	}
	hasSeq, hasRequestSeq := m.seq != (span{}), m.requestSeq != (span{})
	if !hasSeq {
		out = append(out, m.Raw[:m.open]...)
		out = append(out, `"seq":`...)
		out = strconv.AppendInt(out, seq, 10)
		if !m.empty {
			out = append(out, ',')
		}
		last = m.open
	}
	requestFirst := hasRequestSeq && m.requestSeq.from < m.seq.from
	if requestFirst {
		put(m.requestSeq, requestSeq)
	}
	if hasSeq {
		put(m.seq, seq)
	}
	if hasRequestSeq && !requestFirst {
		put(m.requestSeq, requestSeq)
	}
	return append(out, m.Raw[last:]...)
}

// Get reads the value at a gjson path such as "arguments.source.path".
func (m *Message) Get(path string) gjson.Result { return gjson.GetBytes(m.Raw, path) }

// Set returns the message with the value at path replaced by, or created as,
// the JSON text value; all other bytes stay.
func (m *Message) Set(path string, value []byte) (*Message, error) {
	raw, err := sjson.SetRawBytes(m.Raw, path, value)
	if err != nil {
		return nil, err
	}
	return Parse(raw)
}

// Delete returns the message without the value at path.
func (m *Message) Delete(path string) (*Message, error) {
	raw, err := sjson.DeleteBytes(m.Raw, path)
	if err != nil {
		return nil, err
	}
	return Parse(raw)
}
