package breakpoints

import (
	"encoding/json"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/paths"
)

// Table holds the breakpoints of one session.
type Table struct {
	paths *paths.Rewriter
	// sets has, by key, what each set request of the editor's stands for now.
	sets  map[string]*set
	order []string // keys, in the order they were first used
	// users are, by the paths of a file, the sets that mean it.
	users map[string][]*set
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
	// dots are what the paths have that tells them from those of another set.
	dots string
	// early is the request that LLDB has not seen yet.
	early *dapio.Message
	// columns has, by what the editor asks for, the column that LLDB is asked for
	// instead; 0 for none.
	columns map[position]int64
	// ahead is how many requests were sent before those whose answers count.
	ahead int
	// redo says that LLDB has to forget breakpoints before it is asked again.
	redo map[position]bool
	// several are the files that a relative path may mean; nil if that is clear.
	several []string
}

// breakpoint is one of the editor's.
type breakpoint struct {
	id     int64 // the editor's
	asked  Asked
	places []place
	shown  string // the JSON that the editor has been shown last
	// reason says why it has no place, if it has none; the others what has become of
	// its column and its hit condition, and that LLDB does not tell it from another.
	reason              Reason
	column, hit, shared string
}

func (b *breakpoint) verified() bool {
	return len(b.places) > 0 && b.best().json.Get("verified").Bool()
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
	return &Table{paths: p, sets: map[string]*set{}, users: map[string][]*set{}, byLLDB: map[int64]*breakpoint{}, lastID: firstOwnID}
}

// IsSet reports whether a request replaces breakpoints of the editor's.
func IsSet(command string) bool {
	switch command {
	case "setBreakpoints", "setFunctionBreakpoints", "setInstructionBreakpoints", "setDataBreakpoints", "setExceptionBreakpoints":
		return true
	}
	return false
}

// Key names what a set request replaces.
func Key(m *dapio.Message) string {
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
	k := Key(m)
	s := t.sets[k]
	if s == nil {
		s = &set{command: m.Name, columns: map[position]int64{}}
		t.sets[k] = s
		t.order = append(t.order, k)
	}
	return s
}

// Requests are what LLDB must be sent for a set request of the editor's, none if the
// answer is clear without it. The answers go to Place, in the same order.
func (t *Table) Requests(m *dapio.Message) []*dapio.Message {
	s := t.set(m)
	s.early = nil
	at := editorPath(m)
	if m.Name != "setBreakpoints" || at.Str == "" {
		return []*dapio.Message{m}
	}
	now := t.locate(s, at.Str)
	var out []*dapio.Message
	if s.redo != nil {
		first := s.without(m, s.redo)
		for _, p := range now {
			out = append(out, withPath(first, editorPath(first), p))
		}
		s.redo = nil
	}
	s.ahead = len(out)
	m = s.otherColumns(m)
	at = editorPath(m)
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

// locate finds the file that the editor means, and what LLDB is to be asked for. A
// relative path means the only file that ends with it; where there is none it is asked
// for as it is, because a library that comes later may have it.
func (t *Table) locate(s *set, editor string) []string {
	s.editor, s.several = editor, nil
	if sources := t.paths.Current(); sources != nil && !path.IsAbs(editor) {
		files := sources.Ending(editor)
		if len(files) > 1 {
			s.several = files
			return nil
		}
		if len(files) == 1 {
			s.editor = files[0]
		}
	}
	return t.apart(s, t.paths.ToDebugger(s.editor, paths.Sources.Debugger))
}

// apart spells the paths of a file in another way for each set that means the file: a
// client may call it server.cc and /src/server.cc. LLDB takes them for the same, but
// lldb-dap replaces the breakpoints of one path, by its text, and must not replace those
// of another set.
func (t *Table) apart(s *set, names []string) []string {
	key := strings.Join(names, "\n")
	if !slices.Contains(t.users[key], s) {
		t.users[key] = append(t.users[key], s)
	}
	s.dots = strings.Repeat("./", slices.Index(t.users[key], s))
	out := make([]string, len(names))
	for i, name := range names {
		at := strings.LastIndexByte(name, '/') + 1
		out[i] = name[:at] + s.dots + name[at:]
	}
	return out
}

func withPath(m *dapio.Message, at gjson.Result, path string) *dapio.Message {
	if path == at.Str {
		return m
	}
	quoted, _ := json.Marshal(path) // a string never fails
	return m.Apply([]dapio.Edit{dapio.Replace(at, quoted)})
}

// Place takes LLDB's answers to Requests. It reports whether LLDB must be asked
// again: Requests then asks for something else.
func (t *Table) Place(m *dapio.Message, answers []*dapio.Message) (again bool) {
	s := t.set(m)
	for _, a := range answers {
		if !a.Success {
			return false
		}
	}
	if m.Name == "setBreakpoints" && s.editor != "" {
		// Those of this request, and not those that take something away.
		answers = answers[min(s.ahead, len(answers)):]
		answers = answers[:min(len(s.paths), len(answers))]
	}
	asked := askedOf(m, s)
	t.place(s, asked, answers)
	again = m.Name == "setBreakpoints" && s.dropColumns(asked)
	s.annotate(m)
	return again
}

// Answer makes one answer for the editor of LLDB's answers, once they are placed.
// The first that failed is the answer to all.
func (t *Table) Answer(m *dapio.Message, answers []*dapio.Message) *dapio.Message {
	s := t.set(m)
	for _, a := range answers {
		if !a.Success {
			return a
		}
	}
	if s.several != nil {
		return t.ownAnswer(m, s)
	}
	first := answers[min(s.ahead, len(answers)-1)]
	var edits []dapio.Edit
	i := 0
	first.Get("body.breakpoints").ForEach(func(_, v gjson.Result) bool {
		if i == len(s.breakpoints) {
			return false
		}
		bp := s.breakpoints[i]
		if bp.shown = t.show(s, bp); bp.shown != v.Raw {
			edits = append(edits, dapio.Replace(v, []byte(bp.shown)))
		}
		i++
		return true
	})
	return first.Apply(edits)
}

// ownAnswer is the answer to what LLDB has not been asked.
func (t *Table) ownAnswer(m *dapio.Message, s *set) *dapio.Message {
	var list []string
	for _, bp := range s.breakpoints {
		bp.shown = withReason(unplaced(bp.id, bp.asked), bp)
		list = append(list, bp.shown)
	}
	name, _ := json.Marshal(m.Name) // a string never fails
	answer, _ := dapio.Parse([]byte(`{"seq":0,"type":"response","request_seq":0,"success":true,"command":` + string(name) + `,"body":{"breakpoints":[` + strings.Join(list, ",") + `]}}`))
	return answer
}

// unplaced is a breakpoint that LLDB knows nothing of.
func unplaced(id int64, asked Asked) string {
	text := `{"id":` + strconv.FormatInt(id, 10) + `,"verified":false`
	if asked.Line > 0 {
		text += `,"line":` + strconv.FormatInt(asked.Line, 10)
	}
	return text + "}"
}

// place puts LLDB's answers in the set: of each breakpoint of the editor's, one
// place from each answer.
func (t *Table) place(s *set, asked []Asked, answers []*dapio.Message) {
	lists := make([][]gjson.Result, len(answers))
	for i, a := range answers {
		lists[i] = a.Get("body.breakpoints").Array()
	}
	earlier := s.breakpoints
	s.breakpoints = nil
	for i, a := range asked {
		bp := &breakpoint{asked: a}
		for _, l := range lists {
			if i < len(l) {
				bp.places = append(bp.places, place{l[i].Get("id").Int(), s.withoutDots(l[i])})
			}
		}
		switch {
		case len(bp.places) > 0:
			bp.id = bp.places[0].id
		case len(lists) > 0:
			continue // an answer that LLDB has cut short
		}
		if known := t.byLLDB[bp.id]; known != nil && bp.id != 0 {
			bp.id = known.id
		} else if i < len(earlier) && len(earlier[i].places) == 0 {
			bp.id = earlier[i].id // the editor knows it from before the attach
		}
		if bp.id == 0 && len(lists) == 0 {
			t.lastID++
			bp.id = t.lastID
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
// path; a breakpoint that landed in another file keeps that file's. It says why it
// has no place.
func (t *Table) show(s *set, b *breakpoint) string {
	p := b.best()
	raw := t.paths.Breakpoint(p.json, s.editor)
	if p.id != b.id {
		v := gjson.Parse(raw)
		id := v.Get("id")
		raw = raw[:id.Index] + strconv.FormatInt(b.id, 10) + raw[id.Index+len(id.Raw):]
	}
	return withReason(raw, b)
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
	for _, a := range askedOf(m, s) {
		t.lastID++
		bp := &breakpoint{id: t.lastID, asked: a, reason: Reason{Text: "The program is not loaded yet.", Pending: true}}
		s.breakpoints = append(s.breakpoints, bp)
		list = append(list, withReason(unplaced(bp.id, a), bp))
	}
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
		out = append(out, bp.shown)
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
			bp.places[i].json = withSource(v, bp.places[i].json)
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

// withoutDots is a breakpoint whose path LLDB 19 gives back as it was asked for.
func (s *set) withoutDots(b gjson.Result) gjson.Result {
	p := b.Get("source.path").Str
	if s.dots == "" || !slices.Contains(s.paths, p) {
		return gjson.Parse(b.Raw)
	}
	at := strings.LastIndexByte(p, '/') + 1
	raw, err := sjson.Set(b.Raw, "source.path", strings.TrimSuffix(p[:at], s.dots)+p[at:])
	if err != nil {
		return gjson.Parse(b.Raw)
	}
	return gjson.Parse(raw)
}

// withSource is a breakpoint of an event, with the source that was known before if it
// has none: LLDB 22 leaves it out of events.
func withSource(now, before gjson.Result) gjson.Result {
	raw := now.Raw
	if source := before.Get("source"); source.Exists() && !now.Get("source").Exists() {
		if with, err := sjson.SetRaw(raw, "source", source.Raw); err == nil {
			raw = with
		}
	}
	return gjson.Parse(raw)
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
