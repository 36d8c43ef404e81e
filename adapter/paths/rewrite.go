package paths

import (
	"encoding/json"
	"sync"

	"github.com/tidwall/gjson"

	"github.com/envoydbg/envoydbg/adapter/dapio"
)

// Rewriter puts local paths in place of the debugger's, and the other way round,
// in every message that carries one. Text (output, the results of evaluate)
// stays. Its methods may be called from any goroutine.
type Rewriter struct {
	// warn is told of a local file that is not what was compiled, on a goroutine
	// of its own.
	warn func(local string, c Change)

	mu      sync.Mutex
	sources Sources
	// spelling is how the editor calls a file, by how Sources calls it: an
	// editor that opened bazel-bin/x.h must get that back, and not the file it
	// links to.
	spelling map[string]string
	// checked are the local files that were compared with what was compiled.
	checked map[string]bool
	// here remembers which paths that Sources does not know are files all the same.
	here map[string]bool
}

// NewRewriter returns a Rewriter without a map, which changes nothing until Use.
// warn is called, once for each, with local files that are not what was compiled.
func NewRewriter(warn func(local string, c Change)) *Rewriter {
	return &Rewriter{warn: warn, spelling: map[string]string{}, checked: map[string]bool{}, here: map[string]bool{}}
}

// Use sets or replaces the map.
func (w *Rewriter) Use(s Sources) {
	w.mu.Lock()
	w.sources = s
	w.mu.Unlock()
}

// Current is the map in use; nil for none.
func (w *Rewriter) Current() Sources {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sources
}

// ToDebugger is what to ask the debugger for to mean the editor's path: choose
// is one of the ways of Sources.
func (w *Rewriter) ToDebugger(editor string, choose func(Sources, string) []string) []string {
	s := w.Current()
	if s == nil || editor == "" {
		return []string{editor}
	}
	paths := choose(s, editor)
	if len(paths) == 0 {
		return []string{editor} // not in the program, as far as is known
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range s.Paths(editor) {
		if src, ok := s.Local(p); ok {
			w.spelling[src.Path] = editor
		}
	}
	return paths
}

// ToEditor is the editor's path for one of the debugger's, with the checksum of
// what was compiled.
func (w *Rewriter) ToEditor(debugPath string) (Source, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sources == nil {
		return Source{}, false
	}
	src, ok := w.sources.Local(debugPath)
	if !ok {
		return Source{}, false
	}
	local := src.Path
	if known := w.spelling[local]; known != "" {
		src.Path = known
	}
	if !w.checked[local] {
		w.checked[local] = true
		// It reads the file, and the answer can wait.
		go func(s Sources) {
			if c, changed := s.Changed(debugPath); changed {
				w.warn(src.Path, c)
			}
		}(w.sources)
	}
	return src, true
}

// Request rewrites a request other than setBreakpoints that names a source.
func (w *Rewriter) Request(m *dapio.Message) *dapio.Message {
	switch m.Name {
	case "breakpointLocations", "gotoTargets", "source":
	default:
		return m
	}
	v := m.Get("arguments.source.path")
	if v.Type != gjson.String {
		return m
	}
	// Only an exact path works here, in LLDB 22; each path of the file has the
	// same lines.
	paths := w.ToDebugger(v.Str, Sources.Paths)
	return m.Apply([]dapio.Edit{dapio.Replace(v, quoted(paths[0]))})
}

// sourcesIn lists where the sources of an answer or event are: arrays, then the
// member of each element; a plain path has no array.
var sourcesIn = map[string]struct{ array, member string }{
	"stackTrace":                {"body.stackFrames", "source"},
	"setFunctionBreakpoints":    {"body.breakpoints", "source"},
	"setInstructionBreakpoints": {"body.breakpoints", "source"},
	"setDataBreakpoints":        {"body.breakpoints", "source"},
	"setExceptionBreakpoints":   {"body.breakpoints", "source"},
	"loadedSources":             {"body.sources", ""},
	"scopes":                    {"body.scopes", "source"},
	"disassemble":               {"body.instructions", "location"},
	"locations":                 {"", "body.source"},
	"variables":                 {"body.variables", `\$__lldb_extensions.declaration`},
	"breakpoint":                {"", "body.breakpoint.source"},
	"loadedSource":              {"", "body.source"},
	"output":                    {"", "body.source"},
}

// Answer rewrites an answer (by its command) or an event (by its name).
func (w *Rewriter) Answer(m *dapio.Message) *dapio.Message {
	if m.Name == "compileUnits" {
		return m.Apply(w.compileUnits(m))
	}
	in, ok := sourcesIn[m.Name]
	if !ok || w.Current() == nil {
		return m
	}
	var edits []dapio.Edit
	if in.array == "" {
		edits = w.source(edits, m.Get(in.member))
	} else {
		m.Get(in.array).ForEach(func(_, v gjson.Result) bool {
			if m.Name == "stackTrace" {
				edits = w.subdue(edits, v)
			}
			if in.member != "" {
				v = v.Get(in.member)
			}
			edits = w.source(edits, v)
			return true
		})
	}
	return m.Apply(edits)
}

// source rewrites one Source object (or LLDB's declaration, which looks alike).
func (w *Rewriter) source(edits []dapio.Edit, source gjson.Result) []dapio.Edit {
	var p gjson.Result
	generated, checked := false, false
	source.ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "path":
			p = v
		case "sourceReference":
			generated = v.Int() != 0
		case "checksums":
			checked = true
		}
		return true
	})
	if p.Type != gjson.String || generated {
		return edits
	}
	src, ok := w.ToEditor(p.Str)
	if !ok {
		return edits
	}
	if src.Path != p.Str {
		edits = append(edits, dapio.Replace(p, quoted(src.Path)))
	}
	if src.MD5 != "" && !checked {
		edits = append(edits, dapio.InsertInto(source, []byte(`"checksums":[{"algorithm":"MD5","checksum":"`+src.MD5+`"}]`)))
	}
	return edits
}

// quoted is a string as JSON; paths seldom need more than the quotes.
func quoted(s string) []byte {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f || s[i] == '"' || s[i] == '\\' {
			b, _ := json.Marshal(s) // a string never fails
			return b
		}
	}
	out := make([]byte, 0, len(s)+2)
	return append(append(append(out, '"'), s...), '"')
}

// compileUnits is lldb-dap's own request.
func (w *Rewriter) compileUnits(m *dapio.Message) []dapio.Edit {
	var edits []dapio.Edit
	m.Get("body.compileUnits").ForEach(func(_, v gjson.Result) bool {
		p := v.Get("compileUnitPath")
		if src, ok := w.ToEditor(p.Str); ok && src.Path != p.Str {
			edits = append(edits, dapio.Replace(p, quoted(src.Path)))
		}
		return true
	})
	return edits
}

// Breakpoint is a breakpoint's JSON with the editor's own path in its source. A
// breakpoint that landed in another file keeps that file's path. editor is the path
// the breakpoint was set by; empty for one that was not set by a path.
func (w *Rewriter) Breakpoint(bp gjson.Result, editor string) string {
	p := bp.Get("source.path")
	if p.Type != gjson.String {
		return bp.Raw
	}
	path := editor
	if src, ok := w.ToEditor(p.Str); ok {
		path = src.Path // the editor's spelling, where it is the same file
	} else if editor == "" {
		return bp.Raw
	}
	at := p.Index - bp.Index
	return bp.Raw[:at] + string(quoted(path)) + bp.Raw[at+len(p.Raw):]
}
