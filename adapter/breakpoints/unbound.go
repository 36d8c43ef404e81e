package breakpoints

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"github.com/envoydbg/envoydbg/adapter/dapio"
)

// Asked is what the editor has asked for with one breakpoint.
type Asked struct {
	// File and Line are those of a breakpoint in a source; Column is 0 for none.
	File         string
	Line, Column int64
	// Function is the name of a breakpoint by name.
	Function string
	// Other is how a breakpoint of another kind is called.
	Other string
}

// String is the breakpoint as a person would type it.
func (a Asked) String() string {
	switch {
	case a.File != "":
		return path.Base(a.File) + ":" + strconv.FormatInt(a.Line, 10)
	case a.Function != "":
		return a.Function
	}
	return a.Other
}

// Reason says why a breakpoint has no place.
type Reason struct {
	Text string
	// Pending: it may find one when a library is loaded.
	Pending bool
}

// askedOf are the breakpoints of a set request.
func askedOf(m *dapio.Message, s *set) []Asked {
	var out []Asked
	m.Get("arguments.breakpoints").ForEach(func(_, v gjson.Result) bool {
		switch m.Name {
		case "setBreakpoints":
			out = append(out, Asked{File: editorPath(m).Str, Line: v.Get("line").Int(), Column: v.Get("column").Int()})
		case "setFunctionBreakpoints":
			out = append(out, Asked{Function: v.Get("name").Str})
		case "setInstructionBreakpoints":
			out = append(out, Asked{Other: v.Get("instructionReference").Str})
		case "setDataBreakpoints":
			out = append(out, Asked{Other: v.Get("dataId").Str})
		}
		return true
	})
	return out
}

// annotate notes what else the user should know of the breakpoints.
func (s *set) annotate(m *dapio.Message) {
	for i, v := range m.Get("arguments.breakpoints").Array() {
		if i == len(s.breakpoints) {
			return
		}
		bp := s.breakpoints[i]
		if _, instead := s.columns[bp.asked.position()]; instead && bp.verified() {
			bp.column = fmt.Sprintf("No code begins at or before column %d, so it is set for the whole line.", bp.asked.Column)
		}
		bp.hit = hitNote(strings.TrimSpace(v.Get("hitCondition").String()))
		for _, other := range s.breakpoints[i+1:] {
			if len(bp.places) > 0 && len(other.places) > 0 && bp.places[0].id == other.places[0].id && bp.places[0].id != 0 {
				bp.shared = "LLDB takes it and another breakpoint of this line for one, and does what the other says."
			}
		}
	}
}

// hitNote says what LLDB makes of a hit condition: it takes a decimal number, and
// ignores any other text without a word.
func hitNote(text string) string {
	switch n, err := strconv.ParseUint(text, 10, 32); {
	case text == "":
		return ""
	case err != nil:
		return fmt.Sprintf("The hit condition %q is ignored: LLDB takes a number alone, that of the first hit that stops.", text)
	case n == 0:
		return "With the hit condition 0 it never stops."
	}
	return ""
}

// withReason puts into a breakpoint's JSON why it has no place, and what else is to
// be said of it.
func withReason(raw string, b *breakpoint) string {
	v := gjson.Parse(raw)
	var said []string
	if !v.Get("verified").Bool() {
		if said = append(said, b.reason.Text); b.reason.Text == "" {
			said[0] = v.Get("message").Str
		}
		if b.reason.Text != "" && !v.Get("reason").Exists() {
			reason := "failed"
			if b.reason.Pending {
				reason = "pending"
			}
			raw, _ = sjson.Set(raw, "reason", reason)
		}
	} else if m := v.Get("message").Str; m != "" {
		said = append(said, m)
	}
	said = append(said, b.column, b.hit, b.shared)
	text := strings.Join(slices.DeleteFunc(said, func(s string) bool { return s == "" }), " ")
	if text == "" || text == v.Get("message").Str {
		return raw
	}
	quoted, _ := json.Marshal(text) // a string never fails
	with, err := sjson.SetRaw(raw, "message", string(quoted))
	if err != nil {
		return raw
	}
	return with
}

// Unbound are the breakpoints of a set request that LLDB has found no place for,
// and why, by their number in the request; one that the table can explain itself is
// explained.
func (t *Table) Unbound(m *dapio.Message) map[int]Asked {
	s := t.set(m)
	out := map[int]Asked{}
	for i, bp := range s.breakpoints {
		switch {
		case bp.verified():
		case s.several != nil:
			bp.reason = Reason{Text: fmt.Sprintf("%d files end with %s: %s. Write more of the path.", len(s.several), bp.asked.File, t.someOf(s.several))}
		case len(bp.places) > 0 && bp.best().json.Get("message").Str != "":
			bp.reason = Reason{Text: bp.best().json.Get("message").Str}
		default:
			out[i] = bp.asked
		}
	}
	return out
}

// maxTold is how many of a list are named in a message.
const maxTold = 5

func (t *Table) someOf(files []string) string {
	var named []string
	for _, f := range files[:min(maxTold, len(files))] {
		if sources := t.paths.Current(); sources != nil {
			f = sources.Short(f)
		}
		named = append(named, f)
	}
	told := strings.Join(named, ", ")
	if more := len(files) - maxTold; more > 0 {
		told += fmt.Sprintf(" and %d more", more)
	}
	return told
}

// Explain takes the reasons for what Unbound has returned.
func (t *Table) Explain(m *dapio.Message, reasons map[int]Reason) {
	for i, bp := range t.set(m).breakpoints {
		if r, ok := reasons[i]; ok {
			bp.reason = r
		}
	}
}

// State is how a breakpoint stands.
type State struct {
	Name  string // as a person would type it
	Bound bool
	// Reason says why it is not bound.
	Reason
	// Hit says what is wrong with its hit condition, Shared that LLDB does not tell it
	// from another.
	Hit, Shared string
}

// States are those of all breakpoints, in the order of the requests.
func (t *Table) States() []State {
	var out []State
	for _, k := range t.order {
		for _, bp := range t.sets[k].breakpoints {
			out = append(out, bp.state())
		}
	}
	return out
}

// StatesOf are those of the breakpoints of one set request.
func (t *Table) StatesOf(m *dapio.Message) []State {
	var out []State
	for _, bp := range t.set(m).breakpoints {
		out = append(out, bp.state())
	}
	return out
}

func (b *breakpoint) state() State {
	return State{Name: b.asked.String(), Bound: b.verified(), Reason: b.reason, Hit: b.hit, Shared: b.shared}
}
