package adapter

import (
	"context"

	"github.com/envoydbg/envoydbg/adapter/fault"
)

// Sources maps source paths between the debug information of one program and
// this machine. It may be asked from several goroutines.
type Sources interface {
	// Local is the file here that a path in the debug information stands for.
	Local(debugPath string) (Source, bool)
	// Debugger is what to ask the debugger for to mean a local file, under any
	// of its names: mostly one path, several where no single one means all
	// places of the file, none for a file that is not in the program.
	Debugger(local string) []string
	// Paths are all paths in the debug information that stand for the file.
	Paths(local string) []string
	// Changed reports, once for each file, that it is not what was compiled.
	// It may read the file.
	Changed(debugPath string) bool
	// Forward is the map as far as prefixes can say it, for what the debugger
	// itself prints: pairs of a folder in the debug information and one here,
	// the first that fits counts.
	Forward() [][2]string
	// DebugDir is the folder below which the program's .dwo files are, by the
	// names in the debug information; "" when unknown.
	DebugDir() string
	// Summary is what was found, in a few words.
	Summary() string
}

// Source is a local file.
type Source struct {
	Path string
	// MD5 is that of the compiled file, in hex; "" when unknown.
	MD5 string
}

// LoadSources makes the Sources of a program; nil for one without debug
// information, and with an error as far as a damaged one can be read. changed,
// which may be called at any time until ctx ends, gives new ones when the program
// or its sources' places have changed.
type LoadSources func(ctx context.Context, c SourcesConfig, changed func(Sources)) (Sources, error)

// SourcesConfig is what the launch attributes say of sources.
type SourcesConfig struct {
	Program  string
	WorkTree string
	// Map is the user's sourceMap: pairs of a folder in the debug information
	// and one here.
	Map [][2]string
	// Warn is told, at any time until ctx ends, of what will not work from then
	// on; nil if nobody wants to know.
	Warn func(error)
}

// sourcesLoaded is the outcome of LoadSources.
type sourcesLoaded struct {
	sources Sources
	err     error
}

// loadSources reads the source map while the other parts start.
func (r *startup) loadSources() {
	if r.s.opts.Sources == nil {
		r.sources <- sourcesLoaded{}
		return
	}
	go func() {
		sources, err := r.s.opts.Sources(r.s.ctx, SourcesConfig{Program: r.cfg.Program, WorkTree: r.cfg.WorkTree,
			Map: r.cfg.SourceMap, Warn: func(err error) { r.s.output(important, err.Error()+"\n") }}, r.rewrite.use)
		r.sources <- sourcesLoaded{sources, err}
	}()
}

// takeSources waits for the source map and puts it to use. Without one the
// session goes on, with paths as lldb-dap knows them.
func (r *startup) takeSources(ctx context.Context) (string, error) {
	select {
	case loaded := <-r.sources:
		if loaded.err != nil {
			r.s.output(important, fault.NoSources(r.cfg.Program, loaded.err).Error()+"\n")
		}
		if loaded.sources == nil {
			return "", nil
		}
		r.rewrite.use(loaded.sources)
		return loaded.sources.Summary(), nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
