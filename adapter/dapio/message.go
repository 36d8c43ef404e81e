package dapio

import (
	"bytes"
	"encoding/json"
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

	seq, requestSeq gjson.Result // where they stand in Raw
	brace           int          // offset of the object's '{'
	empty           bool         // it has no fields
}

// Parse checks that raw is a JSON object and finds its header fields. It keeps raw.
// Of a field that is there twice the last one counts, as it does for LLDB. An
// object nested more than 10,000 deep is refused.
func Parse(raw []byte) (*Message, error) {
	// Not gjson.Valid: its recursion has no limit, and a stack that overflows
	// ends the program.
	if !json.Valid(raw) {
		err := json.Unmarshal(raw, &struct{}{})
		return nil, fmt.Errorf("%w: content of %d bytes: %w", ErrNotDAP, len(raw), err)
	}
	if !bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte("{")) {
		return nil, fmt.Errorf("%w: content of %d bytes is no JSON object", ErrNotDAP, len(raw))
	}
	m := &Message{Raw: raw}
	m.readHeader()
	return m, nil
}

// readHeader sets the other fields from Raw. The strings are copies, because a
// part of the text would keep all of it in memory.
func (m *Message) readHeader() {
	object := gjson.ParseBytes(m.Raw)
	m.brace, m.empty = object.Index, true
	var command, event string
	object.ForEach(func(key, value gjson.Result) bool {
		m.empty = false
		switch key.Str {
		case "seq":
			m.seq, m.Seq = place(value), value.Int()
		case "request_seq":
			m.requestSeq, m.RequestSeq = place(value), value.Int()
		case "type":
			m.Type = strings.Clone(value.String())
		case "command":
			command = strings.Clone(value.String())
		case "event":
			event = strings.Clone(value.String())
		case "success":
			m.Success = value.Type == gjson.True
		}
		return true
	})
	m.Name = command
	if m.Type == Event {
		m.Name = event
	}
}

// place is what Replace needs of a value.
func place(v gjson.Result) gjson.Result {
	return gjson.Result{Raw: strings.Clone(v.Raw), Index: v.Index}
}

// renumber is the edits that give the message other sequence numbers. requestSeq
// only replaces an existing request_seq.
func (m *Message) renumber(seq, requestSeq int64) []Edit {
	number := Replace(m.seq, strconv.AppendInt(nil, seq, 10))
	if m.seq.Raw == "" {
		number = insertInto(m.brace, m.empty, fmt.Appendf(nil, `"seq":%d`, seq))
	}
	return m.fitting([]Edit{number, Replace(m.requestSeq, strconv.AppendInt(nil, requestSeq, 10))})
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
