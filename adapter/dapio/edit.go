package dapio

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// Edit replaces a piece of a message's text. The zero Edit changes nothing.
type Edit struct {
	at    int    // offset in Raw
	value string // the value that stands there
	old   string // what of it is replaced, from its beginning
	with  []byte
}

// Replace makes an edit that puts the JSON text with in place of v, which was
// read from the message by Get, or from such a value.
func Replace(v gjson.Result, with []byte) Edit {
	if v.Raw == "" {
		return Edit{} // there is none
	}
	return Edit{at: v.Index, value: v.Raw, old: v.Raw, with: with}
}

// InsertInto makes an edit that puts member, a name and a value as JSON text, in
// front of the members of an object.
func InsertInto(object gjson.Result, member []byte) Edit {
	if !object.IsObject() {
		return Edit{}
	}
	e := insertInto(object.Index, strings.Trim(object.Raw, "{} \t\r\n") == "", member)
	e.value = object.Raw
	return e
}

// insertInto is for the object whose brace is at that offset.
func insertInto(brace int, empty bool, member []byte) Edit {
	with := slices.Concat([]byte("{"), member)
	if !empty {
		with = append(with, ',')
	}
	return Edit{at: brace, old: "{", with: with}
}

// Apply returns the message with the edits made, in one pass. They must put JSON
// in place of JSON: the result is not checked again. An edit is left out if its
// value does not stand in this message or overlaps that of an earlier edit.
func (m *Message) Apply(edits []Edit) *Message {
	if len(edits) == 0 {
		return m
	}
	edits = m.fitting(edits)
	out := &Message{Raw: m.splice(make([]byte, 0, m.spliced(edits)), edits)}
	out.readHeader()
	return out
}

// fitting is the edits that can be made, by their offsets.
func (m *Message) fitting(edits []Edit) []Edit {
	sorted := slices.SortedStableFunc(slices.Values(edits), func(a, b Edit) int { return cmp.Compare(a.at, b.at) })
	end := 0
	return slices.DeleteFunc(sorted, func(e Edit) bool {
		next := e.at + len(e.old)
		if e.at < end || next > len(m.Raw) || !bytes.HasPrefix(m.Raw[e.at:], []byte(e.old)) || !bytes.HasPrefix(m.Raw[e.at:], []byte(e.value)) {
			return true
		}
		end = next
		return false
	})
}

// spliced is the length of the text with the edits made.
func (m *Message) spliced(edits []Edit) int {
	size := len(m.Raw)
	for _, e := range edits {
		size += len(e.with) - len(e.old)
	}
	return size
}

// splice appends the text with the edits made. They are as fitting returns them.
func (m *Message) splice(out []byte, edits []Edit) []byte {
	last := 0
	for _, e := range edits {
		out = append(out, m.Raw[last:e.at]...)
		out = append(out, e.with...)
		last = e.at + len(e.old)
	}
	return append(out, m.Raw[last:]...)
}
