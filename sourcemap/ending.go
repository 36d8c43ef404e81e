package sourcemap

import (
	"cmp"
	"context"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/envoydbg/envoydbg/internal/nearest"
	"github.com/envoydbg/envoydbg/sourcemap/linetable"
)

// Ending are the files that end with a relative path, at whole elements: the local
// one, or where there is none the path in the debug information. A file that has
// exactly this path below the work tree is the only one meant.
func (x *Index) Ending(relative string) []string {
	relative = path.Clean(relative)
	var files []string
	for _, i := range x.byBase[path.Base(relative)] {
		e := x.Entries[i]
		if !endsWith(e.Path, relative) && !endsWith(e.Local, relative) {
			continue
		}
		if len(x.Trees) > 0 && e.Local == filepath.Join(x.Trees[0].WorkTree, relative) {
			return []string{e.Local}
		}
		files = append(files, e.file())
	}
	slices.Sort(files)
	return slices.Compact(files)
}

// file is what a person calls the file.
func (e Entry) file() string { return cmp.Or(e.Local, e.Path) }

func endsWith(p, suffix string) bool {
	rest, ok := strings.CutSuffix(p, suffix)
	return ok && (rest == "" || strings.HasSuffix(rest, "/"))
}

// Nearest are at most n files whose names resemble a path that no file has, the
// nearest first: for an absolute path the files themselves, for an ending the
// shortest endings that mean one file.
func (x *Index) Nearest(name string, n int) []string {
	name = path.Clean(name)
	var out []string
	for _, base := range nearest.Among(path.Base(name), slices.Sorted(maps.Keys(x.byBase)), n) {
		same := slices.Clone(x.byBase[base])
		slices.SortStableFunc(same, func(a, b int) int {
			return cmp.Compare(sharedTail(path.Dir(x.Entries[b].Path), path.Dir(name)), sharedTail(path.Dir(x.Entries[a].Path), path.Dir(name)))
		})
		for _, i := range same {
			said := x.Entries[i].file()
			if !path.IsAbs(name) {
				said = x.shortest(said, strings.Count(name, "/"))
			}
			if len(out) < n && !slices.Contains(out, said) {
				out = append(out, said)
			}
		}
	}
	return out
}

// Short is the shortest ending of a file's path that means it alone.
func (x *Index) Short(file string) string { return x.shortest(file, 0) }

// shortest is the shortest ending of a file's path that means it alone, with so many
// slashes at least.
func (x *Index) shortest(file string, slashes int) string {
	parts := strings.Split(strings.TrimLeft(file, "/"), "/")
	for k := slashes + 1; k < len(parts); k++ {
		ending := strings.Join(parts[len(parts)-k:], "/")
		if len(x.Ending(ending)) == 1 {
			return ending
		}
	}
	return file
}

// Lines are the lines that have code in a file, ascending. What was found before an
// error comes with it.
func (m *Map) Lines(ctx context.Context, file string) ([]int, error) {
	paths := m.Paths(file)
	if len(paths) == 0 {
		paths = []string{file} // as the debug information has it
	}
	return linetable.Lines(ctx, m.Table.Path, paths)
}
