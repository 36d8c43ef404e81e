package startup

import (
	"context"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/lldb/warm"
	"github.com/envoydbg/envoydbg/adapter/paths"
)

// sourcesLoaded is the outcome of reading the source map.
type sourcesLoaded struct {
	sources paths.Sources
	err     error
}

// loadSources reads the source map while the other parts start.
func (s *Startup) loadSources(ctx context.Context) {
	if s.opts.Sources == nil {
		s.box.post(sourcesLoaded{})
		return
	}
	go func() {
		defer s.trace.Recover("the source map")
		sources, err := s.opts.Sources(ctx, paths.Config{Program: s.cfg.Program, WorkTree: s.cfg.WorkTree, DebugDirs: s.opts.DebugDirs, Map: s.cfg.SourceMap,
			Warn: func(err error) { s.host.Fault(fault.From(err)) }},
			s.opts.Paths.Use)
		s.box.post(sourcesLoaded{sources, err})
	}()
}

// useSources puts the source map to use. Without one the session goes on, with
// paths as lldb-dap knows them. It returns what was found.
func (s *Startup) useSources() string {
	if s.sources.err != nil {
		s.host.Fault(fault.NoSources(s.cfg.Program, s.sources.err))
	}
	if s.sources.sources == nil {
		return ""
	}
	s.opts.Paths.Use(s.sources.sources)
	return s.sources.sources.Summary()
}

// foundForNext is what a session of the same program need not find again.
func (s *Startup) foundForNext() warm.Found {
	found := warm.Found{Version: s.opts.LLDB}
	if sources := s.sources.sources; sources != nil {
		found.DebugDir, found.SymbolFile = sources.DebugDir(), sources.SymbolFile()
	}
	return found
}
