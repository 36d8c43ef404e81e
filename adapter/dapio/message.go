package dapio

import (
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
	open            int // offset behind the object's '{'
}

// span is a range of offsets in Raw; zero when the field is absent.
type span struct{ from, to int }

// Parse checks that raw is a JSON object and finds its header fields. It keeps raw.
func Parse(raw []byte) (*Message, error) {
	if !gjson.ValidBytes(raw) {
		return nil, fmt.Errorf("%w: content of %d bytes is not JSON", ErrNotDAP, len(raw))
	}
	root := gjson.ParseBytes(raw)
	if !root.IsObject() {
		return nil, fmt.Errorf("%w: content of %d bytes is not a JSON object", ErrNotDAP, len(raw))
	}
	m := &Message{Raw: raw}
	for m.open < len(raw) && raw[m.open] != '{' {
		m.open++
	}
	m.open++
	root.ForEach(func(key, v gjson.Result) bool {
		at := span{v.Index, v.Index + len(v.Raw)}
		switch key.Str {
		case "seq":
			m.Seq, m.seq = v.Int(), at
		case "request_seq":
			m.RequestSeq, m.requestSeq = v.Int(), at
		case "type":
			m.Type = v.String()
		case "command", "event":
			m.Name = v.String()
		case "success":
			m.Success = v.Bool()
		}
		return true
	})
	return m, nil
}

// renumbered returns the message with other sequence numbers and every other
// byte unchanged. requestSeq only replaces an existing request_seq.
func (m *Message) renumbered(seq, requestSeq int64) []byte {
	out := make([]byte, 0, len(m.Raw)+32)
	last := 0
	put := func(at span, n int64) {
		out = append(out, m.Raw[last:at.from]...)
		out = strconv.AppendInt(out, n, 10)
		last = at.to
	}
	if m.seq == (span{}) {
		out = append(out, m.Raw[:m.open]...)
		out = append(out, `"seq":`...)
		out = strconv.AppendInt(out, seq, 10)
		out = append(out, ',')
		last = m.open
	}
	switch {
	case m.seq != (span{}) && m.requestSeq != (span{}) && m.requestSeq.from < m.seq.from:
		put(m.requestSeq, requestSeq)
		put(m.seq, seq)
	default:
		if m.seq != (span{}) {
			put(m.seq, seq)
		}
		if m.requestSeq != (span{}) {
			put(m.requestSeq, requestSeq)
		}
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
