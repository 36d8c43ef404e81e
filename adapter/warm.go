package adapter

import (
	"cmp"
	"os"

	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/lldb"
	"github.com/envoydbg/envoydbg/adapter/lldb/warm"
	"github.com/envoydbg/envoydbg/adapter/startup"
	"github.com/envoydbg/envoydbg/internal/version"
)

// takeWarm returns an lldb-dap that stands by and has the symbols of the session's program,
// and its answer to initialize; nil where there is none that fits and is well.
func (s *Session) takeWarm(wanted string, cfg *config.Config) (*peer, *dapio.Message) {
	if s.opts.Warm == nil || cfg == nil || !cfg.Warm {
		return nil, nil
	}
	path, err := lldb.FindDAP(wanted)
	if err != nil {
		return nil, nil // startDebugger says it
	}
	s.mu.Lock()
	s.warms = !s.over
	warms := s.warms
	s.mu.Unlock()
	if !warms {
		return nil, nil
	}
	process, why := s.opts.Warm.Take(s.want(path, cfg))
	if process == nil {
		s.trace.Line("warm", "no lldb-dap stands by for this session: %s", why)
		return nil, nil
	}
	p := &peer{s: s, warm: process}
	var answer *dapio.Message
	if p.DAP, answer, err = process.Open(s.ctx, s.hello, p, s.trace); err != nil {
		s.trace.Line("warm", "the lldb-dap that stood by (pid %d) is ill: %v", process.PID(), err)
		process.Close()
		return nil, nil
	}
	s.trace.Line("warm", "lldb-dap (pid %d) has the symbols of %s", process.PID(), cfg.Program)
	return p, answer
}

// want is what the session's lldb-dap has to be.
func (s *Session) want(path string, cfg *config.Config) warm.Want {
	return warm.Want{Adapter: version.String(), Program: cfg.Program, LLDBDap: path, Folder: s.folder, Environment: warm.Obeyed(os.Environ()), Hello: cmp.Or(s.hello.Get("arguments").Raw, "{}"),
		InitCommands: cfg.InitCommands, WorkTree: cfg.WorkTree, IndexCache: startup.UsesIndexCache(cfg)}
}

// nextWarm returns what is told once the session has found what it needs of its program: the
// next one will want the same.
func (s *Session) nextWarm(cfg *config.Config) func(warm.Found) {
	w := s.want(s.peer.Path(), cfg)
	return func(f warm.Found) {
		if s.opts.Warm != nil && cfg.Warm {
			w.Found = f
			s.opts.Warm.Next(w)
		}
	}
}

// leaveWarm ends what is left of a warm lldb-dap, and lets the next one be warmed. It comes
// behind the end of all else: they would compete.
func (s *Session) leaveWarm(p *peer) {
	if p != nil && p.warm != nil {
		p.warm.Close()
	}
	s.mu.Lock()
	warms := s.warms
	s.mu.Unlock()
	if warms {
		s.opts.Warm.Done()
	}
}
