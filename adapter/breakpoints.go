package adapter

import (
	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/fault"
)

// fan is one setBreakpoints of the client's that became several: one for each
// path the file has in the debug information.
type fan struct {
	editor  string // the client's path
	answers []*dapio.Message
	left    int
}

// sendBreakpoints sends a setBreakpoints for each path that the debugger must be
// asked for. routeMu is held.
func (s *Session) sendBreakpoints(b *backend, w *rewriter, m *dapio.Message) {
	at := m.Get("arguments.source.path")
	paths := w.toDebugger(at.Str, Sources.Debugger)
	f := &fan{editor: at.Str, answers: make([]*dapio.Message, len(paths)), left: len(paths)}
	for i, path := range paths {
		out := m
		if at.Exists() && path != at.Str {
			out = m.Apply([]dapio.Edit{dapio.Replace(at, quoted(path))})
		}
		err := b.toLLDB.Forward(out, 0, func(seq int64) {
			b.put(seq, pending{clientSeq: m.Seq, command: m.Name, group: group(m), fan: f, part: i})
		})
		if err != nil {
			s.refuse(m, fault.LLDBDapDied(err.Error(), ""))
			return
		}
	}
}

// gather takes one answer of a fan, and returns the one for the client when all
// have come. It runs on the lldbPump alone.
func (f *fan) gather(w *rewriter, part int, m *dapio.Message) (*dapio.Message, bool) {
	f.answers[part] = m
	if f.left--; f.left > 0 {
		return nil, false
	}
	return w.breakpointsSet(f.editor, f.answers), true
}
