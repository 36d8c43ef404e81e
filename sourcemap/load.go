package sourcemap

import (
	"path/filepath"

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
}

// Config says what to load.
type Config struct {
	// ELF is the executable with debug information.
	ELF string
	// WorkTree is the local source tree; found by FindWorkTree when empty, with
	// DefaultTree where nothing tells.
	WorkTree    string
	DefaultTree string
	// Table, if set, is used in place of the executable's line tables.
	Table *linetable.Table
	// User are the user's entries.
	User []Pair
	// Cache keeps what is expensive or would be forgotten; nil for none.
	Cache *Cache
}

// Load reads the executable's line tables and makes the index. Damaged tables
// give an error and the map of what could be read.
func Load(cfg Config) (*Map, error) {
	tree, err := cfg.workTree()
	if err != nil {
		return nil, err
	}
	table := cfg.Table
	var damage error
	if table == nil {
		if table, damage = cfg.Cache.table(cfg.ELF); table == nil {
			return nil, damage
		}
	}
	t := bazel.Find(tree, cfg.Cache.outputBase(tree))
	if t.OutputBase == "" {
		// A sandbox or execution root in the debug information names it.
		t.OutputBase, t.From = baseOf(table.Files), "debug information"
	}
	cfg.Cache.remember(tree, t.OutputBase)
	m := &Map{Index: Build(table.Files, Options{Trees: []bazel.Tree{t}, User: cfg.User}), ELF: cfg.ELF, Table: table, User: cfg.User}
	m.expect(m.Forward())
	return m, damage
}

func (cfg Config) workTree() (string, error) {
	if cfg.WorkTree != "" {
		return filepath.Abs(cfg.WorkTree)
	}
	return FindWorkTree(cfg.ELF, cfg.DefaultTree)
}

// baseOf is an output base that a path in the debug information names and that
// exists here.
func baseOf(files []linetable.File) string {
	seen := map[string]bool{}
	for _, f := range files {
		root, _, ok := bazel.Split(f.Path)
		if !ok || seen[root.Path] {
			continue
		}
		seen[root.Path] = true
		if base := bazel.OutputBase(root); base != "" && bazel.IsOutputBase(base) {
			return base
		}
	}
	return ""
}
