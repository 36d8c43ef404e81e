package dapio

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

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
	if tooDeep(raw) {
		return nil, fmt.Errorf("%w: content is nested more than %d deep", ErrNotDAP, maxDepth)
	}
	if !gjson.ValidBytes(raw) {
		return nil, fmt.Errorf("%w: content of %d bytes is not JSON", ErrNotDAP, len(raw))
	}
	root := gjson.ParseBytes(raw)
	if !root.IsObject() {
		return nil, fmt.Errorf("%w: content of %d bytes is not a JSON object", ErrNotDAP, len(raw))
	}
	m := &Message{Raw: raw, empty: true}
	for m.open < len(raw) && raw[m.open] != '{' {
		m.open++
	}
	m.open++
	var command, event string
	root.ForEach(func(key, v gjson.Result) bool {
		m.empty = false
		at := span{v.Index, v.Index + len(v.Raw)}
		switch key.Str {
		case "seq":
			m.Seq, m.seq = v.Int(), at
		case "request_seq":
			m.RequestSeq, m.requestSeq = v.Int(), at
		case "type":
			m.Type = v.String()
		case "command":
			command = v.String()
		case "event":
			event = v.String()
		case "success":
			m.Success = v.Bool()
		}
		return true
	})
	m.Name = command
	if m.Type == Event {
		m.Name = event
	}
	// Both outlive the message, and would hold all of its text.
	m.Type, m.Name = strings.Clone(m.Type), strings.Clone(m.Name)
	return m, nil
}

// tooDeep reports whether raw is nested deeper than maxDepth.
func tooDeep(raw []byte) bool {
	if bytes.Count(raw, []byte{'['})+bytes.Count(raw, []byte{'{'}) <= maxDepth {
		return false // as nearly always; counting is much faster than the scan
	}
	depth, quoted := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case quoted:
			switch c {
			case '\\':
				i++
			case '"':
				quoted = false
			}
		case c == '"':
			quoted = true
		case c == '[' || c == '{':
			if depth++; depth > maxDepth {
				return true
			}
		case c == ']' || c == '}':
			depth--
		}
	}
	return false
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
		if !m.empty {
			out = append(out, ',')
		}
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
