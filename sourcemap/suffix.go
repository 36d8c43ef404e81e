package sourcemap

import (
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"github.com/envoydbg/envoydbg/sourcemap/bazel"
)

// maxWalk bounds the search of a work tree, in files.
const maxWalk = 500_000

// bySuffix looks for files that no rule found, in the work trees: the one that
// shares the longest tail of components with the path, if it is the only one
// that does. It may be wrong and is told as such.
func (x *Index) bySuffix(missing []int, trees []bazel.Tree) {
	wanted := map[string][]int{}
	for _, i := range missing {
		base := path.Base(x.Entries[i].Path)
		wanted[base] = append(wanted[base], i)
	}
	type hit struct {
		local  string
		length int
		tied   bool
	}
	best := map[int]hit{}
	for _, t := range trees {
		walked := 0
		_ = filepath.WalkDir(t.WorkTree, func(p string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return nil // a folder that cannot be read has no candidates
			case d.IsDir() && p != t.WorkTree && skipped(d.Name()):
				return fs.SkipDir
			case d.IsDir():
				return nil
			}
			if walked++; walked > maxWalk {
				return fs.SkipAll
			}
			for _, i := range wanted[d.Name()] {
				n := sharedTail(x.Entries[i].Path, p)
				switch h := best[i]; {
				case n > h.length:
					best[i] = hit{local: p, length: n}
				case n == h.length && h.local != p:
					h.tied = true
					best[i] = h
				}
			}
			return nil
		})
	}
	for i, h := range best {
		// A name alone is a guess that is more often wrong than right.
		if h.length >= 2 && !h.tied {
			x.Entries[i].Local, x.Entries[i].How, x.Entries[i].Tried = h.local, BySuffix, nil
		}
	}
}

// skipped are folders without sources of one's own. Links, such as Bazel's, are
// not followed anyhow.
func skipped(name string) bool {
	return name == ".git" || name == "node_modules" || strings.HasPrefix(name, ".cache")
}

// sharedTail counts the components that two paths have in common at their ends.
func sharedTail(a, b string) int {
	n := 0
	for {
		ai, bi := strings.LastIndexByte(a, '/'), strings.LastIndexByte(b, '/')
		if a[ai+1:] != b[bi+1:] || a[ai+1:] == "" {
			return n
		}
		n++
		if ai < 0 || bi < 0 {
			return n
		}
		a, b = a[:ai], b[:bi]
	}
}
