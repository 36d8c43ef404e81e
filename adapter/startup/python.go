package startup

import (
	"context"

	"github.com/envoydbg/envoydbg/adapter/lldb"
)

// checkPython warns of an LLDB that cannot format the values of C++. lldb-dap runs
// commands from the attach on.
func (s *Startup) checkPython(ctx context.Context) {
	defer s.trace.Recover("the look at LLDB's Python")
	said, err := s.command(ctx, lldb.PythonCommand)
	if err != nil {
		return // the session ends
	}
	if f := lldb.CheckPython(s.opts.LLDBDap, s.opts.LLDB, said); f != nil {
		s.host.Fault(f)
	}
}
