package sourcemap

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/envoydbg/envoydbg/sourcemap/bazel"
	"github.com/envoydbg/envoydbg/sourcemap/linetable"
)

// Map is the index of one executable with what it was made from.
type Map struct {
	*Index
	// ELF is the executable, Table its line tables.
	ELF   string
	Table *linetable.Table
	User  []Pair

	cfg   Config // what it was made from,
	state string // and the signature of that

	// built is the end of the program's build; zero if unknown.
	built time.Time
	tell  sync.Once // for told:
	told  bool      // the times tell edited files from others
}

// Config says what to load. All paths are absolute, so that nothing depends on
// the working directory.
type Config struct {
	// ELF is the executable with debug information.
	ELF string
	// WorkTree is the local source tree; found by FindWorkTree when empty, with
	// DefaultTree where nothing tells.
	WorkTree    string
	DefaultTree string
	// DebugDirs are more folders in which a separate debug file may be (linetable.Read).
	DebugDirs []string
	// Table, if set, is used in place of the executable's line tables.
	Table *linetable.Table
	// User are the user's entries. A relative To is below the work tree.
	User []Pair
	// Cache keeps what is expensive or would be forgotten; nil for none.
	Cache *Cache

	// built is when the program of Table was built.
	built time.Time
}

// Load reads the executable's line tables and makes the index. Damaged tables
// give an error and the map of what could be read.
//
// It returns as soon as ctx ends, with the error of ctx, even if the kernel does
// not come back from a file on a dead mount.
func Load(ctx context.Context, cfg Config) (*Map, error) {
	return abandonable(ctx, func() (*Map, error) { return cfg.load(ctx) })
}

func (cfg Config) load(ctx context.Context) (*Map, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	table := cfg.Table
	var damage error
	if table == nil {
		if table, damage = cfg.Cache.table(ctx, cfg.ELF, cfg.DebugDirs...); table == nil {
			return nil, damage
		}
		cfg.built = builtAt(cfg.ELF, table.Path)
	}
	named := baseOf(table.Files)
	if in, ok := bazel.In(named); ok && cfg.WorkTree == "" {
		cfg.WorkTree = in.WorkTree
	}
	// Before the places are looked at: Watch then sees what changes meanwhile.
	state := signature(cfg)
	index, err := Build(ctx, table.Files, Options{Trees: cfg.trees(named), User: cfg.User})
	if err != nil {
		return nil, err
	}
	m := &Map{Index: index, ELF: cfg.ELF, Table: table, User: cfg.User, cfg: cfg, state: state, built: cfg.built}
	m.expect(m.Forward())
	return m, damage
}

// complete checks the paths and finds the work tree.
func (cfg Config) complete() (Config, error) {
	for _, p := range []string{cfg.ELF, cfg.WorkTree, cfg.DefaultTree} {
		if p != "" && !filepath.IsAbs(p) {
			return cfg, fmt.Errorf("%q is not an absolute path", p)
		}
	}
	if cfg.WorkTree == "" {
		cfg.WorkTree = FindWorkTree(cfg.ELF, cfg.DefaultTree)
	}
	var user []Pair
	for _, p := range cfg.User {
		if !filepath.IsAbs(p.To) && cfg.WorkTree != "" {
			p.To = filepath.Join(cfg.WorkTree, p.To)
		}
		user = append(user, p)
	}
	cfg.User = user
	return cfg, nil
}

// trees are the work trees; none when neither a work tree nor an output base is
// known. named is the output base that the debug information names, or "".
func (cfg Config) trees(named string) []bazel.Tree {
	t := bazel.Find(cfg.WorkTree, cfg.ELF, cfg.Cache.outputBase(cfg.WorkTree))
	if t.OutputBase == "" && named != "" {
		t = t.WithBase(named, bazel.FromDebugPaths)
	}
	if t.Linked() {
		cfg.Cache.remember(cfg.WorkTree, t.OutputBase)
	}
	if t.WorkTree == "" && t.OutputBase == "" {
		return nil
	}
	return []bazel.Tree{t}
}

// baseOf is an output base that a path in the debug information names, as sandboxes
// and execution roots do, and that exists here.
func baseOf(files []linetable.File) string {
	seen := map[string]bool{}
	for _, f := range files {
		root, _, ok := bazel.Split(f.Path)
		if !ok || seen[root.Path] {
			continue
		}
		seen[root.Path] = true
		if base := bazel.OutputBase(root); bazel.IsOutputBase(base) {
			return base
		}
	}
	return ""
}
