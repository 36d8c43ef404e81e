package command

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/envoydbg/envoydbg/adapter/paths"
	"github.com/envoydbg/envoydbg/sourcemap"
	"github.com/envoydbg/envoydbg/sourcemap/linetable"
)

// loadSources gives a session the source map of its program, and follows the
// work tree for as long as the session lasts. The line tables stay those of the
// program as it was: a rebuild does not change what runs.
func loadSources(defaultTree string) paths.Load {
	return func(ctx context.Context, c paths.Config, changed func(paths.Sources)) (paths.Sources, error) {
		cfg := sourcemap.Config{ELF: c.Program, WorkTree: c.WorkTree, DefaultTree: defaultTree, Cache: sourcemap.UserCache()}
		for _, p := range c.Map {
			cfg.User = append(cfg.User, sourcemap.Pair{From: p[0], To: p[1]})
		}
		m, err := sourcemap.Load(cfg)
		switch {
		case errors.Is(err, linetable.ErrNoLineTables):
			return nil, nil // stripped: nothing to map, and no error
		case m == nil:
			return nil, err
		}
		cfg.Table = m.Table
		go func() {
			// Without a watch the map is that of the start: still right for
			// all that does not move.
			_ = sourcemap.Watch(ctx, cfg, func(m *sourcemap.Map) { changed(&sources{Map: m}) })
		}()
		return &sources{Map: m}, err
	}
}

// sources is a sourcemap.Map as the adapter knows it.
type sources struct {
	*sourcemap.Map
	checker sourcemap.Checker
}

// Local implements paths.Sources.
func (s *sources) Local(debugPath string) (paths.Source, bool) {
	e, ok := s.Find(debugPath)
	if !ok || e.Local == "" {
		return paths.Source{}, false
	}
	src := paths.Source{Path: e.Local}
	if e.HasMD5 {
		src.MD5 = hex.EncodeToString(e.MD5[:])
	}
	return src, true
}

// Changed implements paths.Sources.
func (s *sources) Changed(debugPath string) bool {
	e, ok := s.Find(debugPath)
	return ok && s.checker.Changed(e)
}

// Forward implements paths.Sources.
func (s *sources) Forward() [][2]string {
	var out [][2]string
	for _, p := range s.Map.Forward() {
		out = append(out, [2]string{p.From, p.To})
	}
	return out
}

// DebugDir implements paths.Sources.
func (s *sources) DebugDir() string {
	if len(s.Trees) == 0 {
		return ""
	}
	return s.Trees[0].WorkTree
}

// Summary implements paths.Sources.
func (s *sources) Summary() string {
	found, roots := 0, map[string]bool{}
	for _, e := range s.Entries {
		if e.Local != "" {
			found++
		}
		if e.Root.Path != "" {
			roots[e.Root.Path] = true
		}
	}
	out := fmt.Sprintf("%d of %d source files", found, len(s.Entries))
	if len(roots) > 0 {
		out += fmt.Sprintf(", Bazel roots: %d", len(roots))
	}
	if len(s.Trees) > 0 {
		out += " → " + filepath.Clean(s.Trees[0].WorkTree)
	}
	return out
}
