package breakpoints

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/paths"
)

// Table holds the breakpoints of one session.
type Table struct {
	paths *paths.Rewriter
	// sets has, by key, what each set request of the editor's stands for now.
	sets  map[string]*set
	order []string // keys, in the order they were first used
	// byLLDB finds the editor's breakpoint by LLDB's id.
	byLLDB map[int64]*breakpoint
	lastID int64 // the last id of our own making
}

// set is the outcome of the last set request of one kind and, for setBreakpoints,
// of one file.
type set struct {
	command string
	editor  string // the file, as the editor calls it; only of a setBreakpoints
	// paths are those LLDB has breakpoints under; only of a setBreakpoints.
	paths       []string
	breakpoints []*breakpoint
	// early is the request that LLDB has not seen yet.
	early *dapio.Message
}

// breakpoint is one of the editor's.
type breakpoint struct {
	id     int64 // the editor's
	places []place
	shown  string // the JSON that the editor has been shown last
}

// place is one of LLDB's breakpoints.
type place struct {
	id   int64
	json gjson.Result // as LLDB has described it last
}

// firstOwnID begins the ids of breakpoints that LLDB has not seen yet. LLDB counts
// from 1.
const firstOwnID = 1 << 30

// New returns an empty table. paths says what the editor's files are called in
// the debug information.
func New(p *paths.Rewriter) *Table {
	return &Table{paths: p, sets: map[string]*set{}, byLLDB: map[int64]*breakpoint{}, lastID: firstOwnID}
}

// IsSet reports whether a request replaces breakpoints of the editor's.
func IsSet(command string) bool {
	switch command {
	case "setBreakpoints", "setFunctionBreakpoints", "setInstructionBreakpoints", "setDataBreakpoints", "setExceptionBreakpoints":
		return true
	}
	return false
}

// key names what a set request replaces.
func key(m *dapio.Message) string {
	if m.Name != "setBreakpoints" {
		return m.Name
	}
	if p := editorPath(m); p.Type == gjson.String {
		return m.Name + " " + p.Str
	}
	return m.Name + " " + m.Get("arguments.source").Raw
}

func editorPath(m *dapio.Message) gjson.Result { return m.Get("arguments.source.path") }

func (t *Table) set(m *dapio.Message) *set {
	k := key(m)
	s := t.sets[k]
	if s == nil {
		s = &set{command: m.Name}
		if m.Name == "setBreakpoints" {
			s.editor = editorPath(m).Str
		}
		t.sets[k] = s
		t.order = append(t.order, k)
	}
	return s
}

// Requests are what LLDB must be sent for a set request of the editor's. The
// answers go to Answer, in the same order.
func (t *Table) Requests(m *dapio.Message) []*dapio.Message {
	s := t.set(m)
	s.early = nil
	if s.editor == "" {
		return []*dapio.Message{m}
	}
	at := editorPath(m)
	now := t.paths.ToDebugger(s.editor, paths.Sources.Debugger)
	var out []*dapio.Message
	for _, p := range now {
		out = append(out, withPath(m, at, p))
	}
	// Sources may have moved since: what was set under another path goes.
	for _, p := range s.paths {
		if !slices.Contains(now, p) {
			if none, err := withPath(m, at, p).Set("arguments.breakpoints", []byte("[]")); err == nil {
				if none, err = none.Delete("arguments.lines"); err == nil {
					out = append(out, none)
				}
			}
		}
	}
	s.paths = now
	return out
}

func withPath(m *dapio.Message, at gjson.Result, path string) *dapio.Message {
	if path == at.Str {
		return m
	}
	quoted, _ := json.Marshal(path) // a string never fails
	return m.Apply([]dapio.Edit{dapio.Replace(at, quoted)})
}

// Answer makes one answer for the editor of LLDB's answers to Requests. The first
// that failed is the answer to all.
func (t *Table) Answer(m *dapio.Message, answers []*dapio.Message) *dapio.Message {
	s := t.set(m)
	for _, a := range answers {
		if !a.Success {
			return a
		}
	}
	first := answers[0]
	if m.Name == "setBreakpoints" {
		answers = answers[:max(1, min(len(s.paths), len(answers)))]
	}
	t.place(s, answers)
	var edits []dapio.Edit
	i := 0
	first.Get("body.breakpoints").ForEach(func(_, v gjson.Result) bool {
		bp := s.breakpoints[i]
		if bp.shown = t.show(s, bp); bp.shown != v.Raw {
			edits = append(edits, dapio.Replace(v, []byte(bp.shown)))
		}
		i++
		return true
	})
	return first.Apply(edits)
}

// place puts LLDB's answers in the set: of each breakpoint of the editor's, one
// place from each answer.
func (t *Table) place(s *set, answers []*dapio.Message) {
	lists := make([][]gjson.Result, len(answers))
	for i, a := range answers {
		lists[i] = a.Get("body.breakpoints").Array()
	}
	earlier := s.breakpoints
	s.breakpoints = nil
	for line := range lists[0] {
		bp := &breakpoint{}
		for _, l := range lists {
			if line < len(l) {
				bp.places = append(bp.places, place{l[line].Get("id").Int(), gjson.Parse(l[line].Raw)})
			}
		}
		bp.id = bp.places[0].id
		if known := t.byLLDB[bp.id]; known != nil {
			bp.id = known.id
		} else if line < len(earlier) && len(earlier[line].places) == 0 {
			bp.id = earlier[line].id // the editor knows it from before the attach
		}
		s.breakpoints = append(s.breakpoints, bp)
	}
	for _, bp := range earlier {
		for _, p := range bp.places {
			if t.byLLDB[p.id] == bp {
				delete(t.byLLDB, p.id)
			}
		}
	}
	for _, bp := range s.breakpoints {
		for _, p := range bp.places {
			if p.id != 0 {
				t.byLLDB[p.id] = bp
			}
		}
	}
}

// best is the first place that LLDB has verified, else the first.
func (b *breakpoint) best() place {
	for _, p := range b.places {
		if p.json.Get("verified").Bool() {
			return p
		}
	}
	return b.places[0]
}

// show is a breakpoint's JSON for the editor, with its own id and the editor's
// path; a breakpoint that landed in another file keeps that file's.
func (t *Table) show(s *set, b *breakpoint) string {
	p := b.best()
	raw := t.paths.Breakpoint(p.json, s.editor)
	if p.id == b.id {
		return raw
	}
	v := gjson.Parse(raw)
	id := v.Get("id")
	return raw[:id.Index] + strconv.FormatInt(b.id, 10) + raw[id.Index+len(id.Raw):]
}

// Early takes a set request that comes before there is a program and returns the
// body of its answer: nothing is verified yet. Replay hands the request out again.
func (t *Table) Early(m *dapio.Message) []byte {
	s := t.set(m)
	s.early, s.breakpoints = m, nil
	if m.Name == "setExceptionBreakpoints" {
		return []byte("{}")
	}
	var list []string
	m.Get("arguments.breakpoints").ForEach(func(_, v gjson.Result) bool {
		t.lastID++
		s.breakpoints = append(s.breakpoints, &breakpoint{id: t.lastID})
		text := `{"id":` + strconv.FormatInt(t.lastID, 10) + `,"verified":false,"message":"The program is not loaded yet."`
		if line := v.Get("line"); line.Type == gjson.Number {
			text += `,"line":` + line.Raw
		}
		list = append(list, text+"}")
		return true
	})
	return []byte(`{"breakpoints":[` + strings.Join(list, ",") + "]}")
}

// Replay returns the requests that LLDB has not seen, in the order they came.
func (t *Table) Replay() []*dapio.Message {
	var out []*dapio.Message
	for _, k := range t.order {
		if m := t.sets[k].early; m != nil {
			out = append(out, m)
		}
	}
	return out
}

// Changed is the JSON, for an event each, of the breakpoints of a replayed request
// after its answer.
func (t *Table) Changed(m *dapio.Message) []string {
	var out []string
	for _, bp := range t.set(m).breakpoints {
		if len(bp.places) > 0 {
			out = append(out, bp.shown)
		}
	}
	return out
}

// Event is a breakpoint event of LLDB's for the editor; nil if it tells the editor
// nothing new.
func (t *Table) Event(m *dapio.Message) *dapio.Message {
	v := m.Get("body.breakpoint")
	id := v.Get("id").Int()
	bp := t.byLLDB[id]
	if bp == nil {
		return t.paths.Answer(m)
	}
	for i := range bp.places {
		if bp.places[i].id == id {
			bp.places[i].json = gjson.Parse(v.Raw)
		}
	}
	if m.Get("body.reason").Str == "removed" {
		bp.places = slices.DeleteFunc(bp.places, func(p place) bool { return p.id == id })
		delete(t.byLLDB, id)
		if len(bp.places) > 0 {
			return nil
		}
		return m.Apply([]dapio.Edit{dapio.Replace(v.Get("id"), strconv.AppendInt(nil, bp.id, 10))})
	}
	shown := t.show(t.setOf(bp), bp)
	if shown == bp.shown && len(bp.places) > 1 {
		return nil
	}
	bp.shown = shown
	return m.Apply([]dapio.Edit{dapio.Replace(v, []byte(shown))})
}

func (t *Table) setOf(bp *breakpoint) *set {
	for _, s := range t.sets {
		if slices.Contains(s.breakpoints, bp) {
			return s
		}
	}
	return &set{}
}

// Stopped gives a stopped event the editor's ids.
func (t *Table) Stopped(m *dapio.Message) *dapio.Message {
	var edits []dapio.Edit
	m.Get("body.hitBreakpointIds").ForEach(func(_, v gjson.Result) bool {
		if bp := t.byLLDB[v.Int()]; bp != nil && bp.id != v.Int() {
			edits = append(edits, dapio.Replace(v, strconv.AppendInt(nil, bp.id, 10)))
		}
		return true
	})
	return m.Apply(edits)
}

// Count says how many of the editor's breakpoints LLDB has verified.
func (t *Table) Count() (verified, all int) {
	for _, s := range t.sets {
		for _, bp := range s.breakpoints {
			all++
			if len(bp.places) > 0 && bp.best().json.Get("verified").Bool() {
				verified++
			}
		}
	}
	return verified, all
}
