package breakpoints

import (
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/envoydbg/envoydbg/adapter/dapio"
)

// position is what lldb-dap tells the breakpoints of one file apart by.
type position struct{ line, column int64 }

func (a Asked) position() position { return position{a.Line, a.Column} }

// otherColumns puts into a request the columns that LLDB is to be asked for.
func (s *set) otherColumns(m *dapio.Message) *dapio.Message {
	var edits []dapio.Edit
	m.Get("arguments.breakpoints").ForEach(func(_, v gjson.Result) bool {
		column := v.Get("column")
		if instead, ok := s.columns[position{v.Get("line").Int(), column.Int()}]; ok {
			edits = append(edits, dapio.Replace(column, strconv.AppendInt(nil, instead, 10)))
		}
		return true
	})
	return m.Apply(edits)
}

// without takes breakpoints out of a request.
func (s *set) without(m *dapio.Message, out map[position]bool) *dapio.Message {
	list := m.Get("arguments.breakpoints")
	var kept []string
	list.ForEach(func(_, v gjson.Result) bool {
		if !out[position{v.Get("line").Int(), v.Get("column").Int()}] {
			kept = append(kept, v.Raw)
		}
		return true
	})
	return m.Apply([]dapio.Edit{dapio.Replace(list, []byte("["+strings.Join(kept, ",")+"]"))})
}

// dropColumns makes breakpoints of whole lines of those that have no place because no
// code begins at or before their column: VS Code puts a log point at column 1. It
// reports whether there are such. Where the line has a breakpoint of its own, lldb-dap
// would take both for one; then the column is that where the line's code begins.
// LLDB 19 has one breakpoint for a line, whose column stays as it was first; so it has
// to forget it before.
func (s *set) dropColumns(asked []Asked) (dropped bool) {
	taken := map[position]bool{}
	begins := map[int64]int64{} // by line
	for i, a := range asked {
		at := a.position()
		if instead, ok := s.columns[at]; ok {
			at.column = instead
		}
		taken[at] = true
		if at.column == 0 && i < len(s.breakpoints) && s.breakpoints[i].verified() {
			begins[at.line] = s.breakpoints[i].best().json.Get("column").Int()
		}
	}
	for _, bp := range s.breakpoints {
		a := bp.asked
		if _, done := s.columns[a.position()]; done || a.Column == 0 || bp.verified() {
			continue
		}
		instead := position{line: a.Line}
		if taken[instead] {
			instead.column = begins[a.Line]
		}
		if taken[instead] {
			continue
		}
		taken[instead], dropped = true, true
		s.columns[a.position()] = instead.column
		if s.redo == nil {
			s.redo = map[position]bool{}
		}
		s.redo[a.position()] = true
	}
	return dropped
}
