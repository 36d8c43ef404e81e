package adapter

import (
	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/lldb"
)

// checkPython warns, in a plain session, of an LLDB that cannot format the values of
// C++. lldb-dap runs commands from the launch or attach q on.
func (s *Session) checkPython(q *request) {
	prefix := "`"
	if own := q.Get("arguments.commandEscapePrefix"); own.Exists() {
		prefix = own.String()
	}
	answer, err := s.Ask(s.ctx, dapio.NewRequest("evaluate", map[string]string{"expression": prefix + lldb.PythonCommand, "context": "repl"}))
	if err != nil {
		return // the session ends
	}
	s.mu.Lock()
	p := s.peer
	s.mu.Unlock()
	if f := lldb.CheckPython(p.Path(), p.Version, answer.Get("body.result").String()); f != nil {
		s.Fault(f)
	}
}
