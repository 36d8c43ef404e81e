package startup

import (
	"context"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/paths"
)

// sourcesLoaded is the outcome of reading the source map.
type sourcesLoaded struct {
	sources paths.Sources
	err     error
}

// loadSources reads the source map while the other parts start.
func (r *Startup) loadSources(ctx context.Context) {
	if r.opts.Sources == nil {
		r.box.post(sourcesLoaded{})
		return
	}
	go func() {
		defer r.trace.Recover("the source map")
		sources, err := r.opts.Sources(ctx, paths.Config{Program: r.cfg.Program, WorkTree: r.cfg.WorkTree, Map: r.cfg.SourceMap,
			Warn: func(err error) { r.host.Output(important, err.Error()+"\n") }},
			r.opts.Paths.Use)
		r.box.post(sourcesLoaded{sources, err})
	}()
}

// useSources puts the source map to use. Without one the session goes on, with
// paths as lldb-dap knows them. It returns what was found.
func (r *Startup) useSources() string {
	if r.sources.err != nil {
		r.host.Output(important, fault.NoSources(r.cfg.Program, r.sources.err).Error()+"\n")
	}
	if r.sources.sources == nil {
		return ""
	}
	r.opts.Paths.Use(r.sources.sources)
	return r.sources.sources.Summary()
}
