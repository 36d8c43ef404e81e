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
// overlap.
func (m *Message) Apply(edits []Edit) (*Message, error) {
	if len(edits) == 0 {
		return m, nil
	}
	slices.SortStableFunc(edits, func(a, b Edit) int { return a.from - b.from })
	size := len(m.Raw)
	for _, e := range edits {
		size += len(e.with)
	}
	out := make([]byte, 0, size)
	last := 0
	for _, e := range edits {
		out = append(out, m.Raw[last:e.from]...)
		out = append(out, e.with...)
		last = e.to
	}
	return Parse(append(out, m.Raw[last:]...))
}
