package sourcemap

import (
	"cmp"
	"context"
	"path"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/envoydbg/envoydbg/internal/regular"
	"github.com/envoydbg/envoydbg/sourcemap/bazel"
	"github.com/envoydbg/envoydbg/sourcemap/linetable"
)

// Pair is an entry of the user's sourceMap: what begins with From in the debug
// information is below To here.
type Pair struct{ From, To string }

// Options say where to look.
type Options struct {
	// Trees are local work trees, the first one preferred.
	Trees []bazel.Tree
	// User are the user's entries; they win.
	User []Pair
}

// How says by which rule a local file was found.
type How string

// The rules, in the order they are tried.
const (
	ByUser    How = "sourceMap"           // an entry of the user's
	ByBazel   How = "bazel"               // the path's execution root and the work tree
	ByPath    How = "same path"           // the path exists here as it is
	ByCompDir How = "comp dir"            // the compilation directory is the work tree elsewhere
	ByOutput  How = "other configuration" // a generated file, among the outputs of another configuration
	BySuffix  How = "suffix"              // the one file of the work tree that ends like it
)

// Entry is one path in the debug information.
type Entry struct {
	linetable.File
	// Root is its execution root; the zero value outside of Bazel.
	Root bazel.Root
	// Local is the file here; "" when there is none.
	Local string
	How   How
	// Tried are the places looked at in vain, for a file that was not found, and
	// "search given up: …" when the last rule could not be applied.
	Tried []string
}

// Index maps both ways.
type Index struct {
	Entries []Entry
	Trees   []bazel.Tree

	byPath  map[string]int   // path in the debug information → Entries
	byLocal map[string][]int // real path here → Entries
	// byBase has the entries by base name, to count those with a suffix.
	byBase map[string][]int
	// forward has the entries by what a debugger with the map of Forward makes
	// of their paths.
	forward map[string]int
	// others remembers what Find made of local paths: path → index or -1.
	others sync.Map
}

// Build makes the index. Files are those of one executable. The only error is
// that of ctx.
func Build(ctx context.Context, files []linetable.File, opts Options) (*Index, error) {
	x := &Index{Trees: opts.Trees, byPath: map[string]int{}, byLocal: map[string][]int{}, byBase: map[string][]int{}}
	var missing []int
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if i, ok := x.byPath[f.Path]; ok {
			// The same path again: another unit may know its checksum.
			if e := &x.Entries[i]; !e.HasMD5 {
				e.MD5, e.HasMD5 = f.MD5, f.HasMD5
			}
			continue
		}
		if strings.HasPrefix(path.Base(f.Path), "<") {
			continue // "<built-in>", "<stdin>": no files
		}
		e := entryOf(f, opts)
		x.byPath[f.Path] = len(x.Entries)
		x.Entries = append(x.Entries, e)
		if e.Local == "" {
			missing = append(missing, len(x.Entries)-1)
		}
	}
	if len(missing) > 0 {
		if err := x.bySuffix(ctx, missing, opts.Trees, maxWalk); err != nil {
			return nil, err
		}
	}
	for i, e := range x.Entries {
		x.byBase[path.Base(e.Path)] = append(x.byBase[path.Base(e.Path)], i)
		if e.Local != "" {
			key := realPath(e.Local)
			x.byLocal[key] = append(x.byLocal[key], i)
		}
	}
	return x, nil
}

// entryOf finds the local file of one path.
func entryOf(f linetable.File, opts Options) Entry {
	e := Entry{File: f}
	for _, p := range opts.User {
		if rest, ok := cutFolder(f.Path, p.From); ok {
			if e.try(filepath.Join(p.To, rest), ByUser) {
				return e
			}
		}
	}
	root, rest, inRoot := bazel.Split(f.Path)
	if inRoot = inRoot && rest != ""; inRoot {
		e.Root = root
		if e.tryTrees(opts.Trees, root, rest, ByBazel) {
			return e
		}
	}
	if e.try(f.Path, ByPath) {
		return e
	}
	// A build of the work tree in another place: what is below the compilation
	// directory is below the work tree, or where Bazel has it, for a root of a
	// kind that is not known.
	below, inCompDir := cutFolder(f.Path, f.CompDir)
	inCompDir = inCompDir && below != "" && path.IsAbs(f.CompDir)
	if inCompDir && e.tryTrees(opts.Trees, bazel.Root{}, below, ByCompDir) {
		return e
	}
	if inRoot && e.tryOutputs(opts.Trees, root, rest, ByBazel) {
		return e
	}
	if inCompDir {
		e.tryOutputs(opts.Trees, bazel.Root{}, below, ByCompDir)
	}
	return e
}

// tryTrees takes the first candidate of the work trees that is a file.
func (e *Entry) tryTrees(trees []bazel.Tree, root bazel.Root, rest string, how How) bool {
	for _, t := range trees {
		for _, c := range t.Candidates(root, rest) {
			if e.try(c, how) {
				e.Local = t.Resolve(c)
				return true
			}
		}
	}
	return false
}

// tryOutputs takes a generated file from the outputs of another configuration. A
// link farm there leads to a source, which no configuration changes: that is
// found by the usual rule.
func (e *Entry) tryOutputs(trees []bazel.Tree, root bazel.Root, rest string, how How) bool {
	for _, t := range trees {
		for _, c := range t.OtherConfigurations(root, rest) {
			if !e.try(c, how) {
				continue
			}
			if e.Local = t.Resolve(c); strings.Contains(e.Local, "/bazel-out/") {
				e.How = ByOutput
			}
			return true
		}
	}
	return false
}

// try takes a local path if it is a file.
func (e *Entry) try(local string, how How) bool {
	if !path.IsAbs(local) || ofProcess(local) {
		return false
	}
	if regular.Is(local) {
		e.Local, e.How, e.Tried = local, how, nil
		return true
	}
	if !slices.Contains(e.Tried, local) {
		e.Tried = append(e.Tried, local)
	}
	return false
}

// expect notes what a debugger with these prefixes will say for each path: that
// of the first prefix that fits, unless there is no such file.
func (x *Index) expect(pairs []Pair) {
	x.forward = map[string]int{}
	for _, p := range pairs {
		for i, e := range x.Entries {
			if rest, ok := cutFolder(e.Path, p.From); ok {
				said := filepath.Join(p.To, rest)
				if _, taken := x.forward[said]; !taken {
					x.forward[said] = i
				}
			}
		}
	}
}

// Find is what is known of a path: one of the debug information, or a local one
// that a debugger with a source map of its own has made of it.
func (x *Index) Find(p string) (Entry, bool) {
	if i, ok := x.byPath[p]; ok {
		return x.Entries[i], true
	}
	if i, ok := x.forward[p]; ok {
		return x.Entries[i], true
	}
	// Links are followed once for each path: frames come by the hundred.
	i, ok := x.others.Load(p)
	if !ok {
		i = -1
		if mine := x.byLocal[keyOf(p)]; len(mine) > 0 {
			i = mine[0]
		}
		x.others.Store(p, i)
	}
	if i.(int) < 0 {
		return Entry{}, false
	}
	return x.Entries[i.(int)], true
}

// Debugger is what to ask the debugger for to mean a local file, under whatever
// name the editor knows it: one path that LLDB resolves to exactly the paths of
// that file. LLDB takes an absolute path literally and a relative one as a
// suffix of whole components; taken, if not nil, says of which suffixes it would
// not. Where no single path does, the file's own paths are all returned, each to be
// asked for.
func (x *Index) Debugger(local string, taken func(suffix string) bool) []string {
	mine := x.byLocal[keyOf(local)]
	switch len(mine) {
	case 0:
		return nil
	case 1:
		return []string{x.Entries[mine[0]].Path}
	}
	var paths []string
	for _, i := range mine {
		paths = append(paths, x.Entries[i].Path)
	}
	sort.Strings(paths)
	suffixes := commonSuffixes(paths)
	// A bare base name only if there is nothing else: LLDB reads the line tables of
	// every file of that name before it filters.
	slices.SortStableFunc(suffixes, func(a, b string) int {
		return cmp.Compare(bare(a), bare(b))
	})
	for _, suffix := range suffixes {
		if x.countSuffix(suffix) == len(mine) && (taken == nil || !taken(suffix)) {
			return []string{suffix}
		}
	}
	return paths
}

func bare(suffix string) int {
	if strings.Contains(suffix, "/") {
		return 0
	}
	return 1
}

// Paths are all paths in the debug information that stand for a local file.
func (x *Index) Paths(local string) []string {
	var out []string
	for _, i := range x.byLocal[keyOf(local)] {
		out = append(out, x.Entries[i].Path)
	}
	sort.Strings(out)
	return out
}

// commonSuffixes are the suffixes of whole components that all paths share,
// shortest first.
func commonSuffixes(paths []string) []string {
	first := strings.Split(strings.TrimLeft(paths[0], "/"), "/")
	n := len(first)
	for _, p := range paths[1:] {
		parts := strings.Split(strings.TrimLeft(p, "/"), "/")
		n = min(n, len(parts))
		for k := 1; k <= n; k++ {
			if parts[len(parts)-k] != first[len(first)-k] {
				n = k - 1
				break
			}
		}
	}
	var out []string
	for k := 1; k <= n; k++ {
		out = append(out, strings.Join(first[len(first)-k:], "/"))
	}
	return out
}

// countSuffix counts the paths that end in the suffix at a slash.
func (x *Index) countSuffix(suffix string) int {
	n := 0
	for _, i := range x.byBase[path.Base(suffix)] {
		p := x.Entries[i].Path
		if p == suffix || strings.HasSuffix(p, "/"+suffix) {
			n++
		}
	}
	return n
}
