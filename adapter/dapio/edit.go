package dapio

import (
	"slices"

	"github.com/tidwall/gjson"
)

// Edit replaces the bytes of one value.
type Edit struct {
	from, to int
	with     []byte
}

// Replace makes an edit that puts the JSON text with in place of a value that
// was read from the message by Get, or from such a value.
func Replace(v gjson.Result, with []byte) Edit { return Edit{v.Index, v.Index + len(v.Raw), with} }

// InsertInto makes an edit that puts a member in front of the members of a
// non-empty object.
func InsertInto(object gjson.Result, member []byte) Edit {
	at := object.Index + 1
	return Edit{at, at, append(slices.Clip(member), ',')}
}

// Apply returns the message with all edits made, in one pass. The edits must not
// overlap, be of values below the top level, and put JSON in place of JSON: the
// result is not parsed again.
func (m *Message) Apply(edits []Edit) *Message {
	if len(edits) == 0 {
		return m
	}
	slices.SortStableFunc(edits, func(a, b Edit) int { return a.from - b.from })
	size := len(m.Raw)
	for _, e := range edits {
		size += len(e.with) - (e.to - e.from)
	}
	out := *m
	out.Raw = make([]byte, 0, size)
	last := 0
	for _, e := range edits {
		out.Raw = append(out.Raw, m.Raw[last:e.from]...)
		out.Raw = append(out.Raw, e.with...)
		last = e.to
	}
	out.Raw = append(out.Raw, m.Raw[last:]...)
	out.seq, out.requestSeq = m.seq.after(edits), m.requestSeq.after(edits)
	return &out
}

// after is where a span stands when the edits have been made.
func (s span) after(edits []Edit) span {
	if s == (span{}) {
		return s
	}
	shift := 0
	for _, e := range edits {
		if e.from > s.from {
			break
		}
		shift += len(e.with) - (e.to - e.from)
	}
	return span{s.from + shift, s.to + shift}
}
