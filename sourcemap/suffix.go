package sourcemap

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"github.com/envoydbg/envoydbg/internal/regular"
	"github.com/envoydbg/envoydbg/sourcemap/bazel"
)

// maxWalk bounds the search of the work trees, in files.
const maxWalk = 500_000

// bySuffix looks for files that no rule found, in the work trees: the one that
// shares the longest tail of components with the path, if it is the only one
// that does. It may be wrong and is told as such. That it is the only one is
// known after a complete search alone; any other, such as one of more than so many
// files, finds nothing. The only error is that of ctx.
func (x *Index) bySuffix(ctx context.Context, missing []int, trees []bazel.Tree, files int) error {
	s := newSearch(x.Entries, missing, files)
	var incomplete error
	for _, t := range trees {
		if incomplete = s.walk(ctx, t); incomplete != nil {
			break
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, i := range missing {
		e, h := &x.Entries[i], s.best[i]
		switch {
		case incomplete != nil:
			e.Tried = append(e.Tried, "search given up: "+incomplete.Error())
		case h.length >= 2 && !h.tied:
			// A name alone is a guess that is more often wrong than right.
			e.Local, e.How, e.Tried = h.local, BySuffix, nil
		}
	}
	return nil
}

// search goes through work trees.
type search struct {
	entries []Entry
	wanted  map[string][]int // by base name
	best    map[int]hit
	left    int // files
}

func newSearch(entries []Entry, missing []int, files int) *search {
	s := &search{entries: entries, wanted: map[string][]int{}, best: map[int]hit{}, left: files}
	for _, i := range missing {
		base := path.Base(entries[i].Path)
		s.wanted[base] = append(s.wanted[base], i)
	}
	return s
}

// hit is the best file for an entry so far.
type hit struct {
	local  string
	length int
	tied   bool
}

// walk searches one work tree. It returns nil if it has seen all of it that a
// person can.
func (s *search) walk(ctx context.Context, t bazel.Tree) error {
	if t.WorkTree == "" {
		return nil
	}
	// WalkDir follows no link, not even the first.
	top := realPath(t.WorkTree)
	return filepath.WalkDir(top, func(p string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist):
			return nil // nothing that could be opened in an editor either
		case err != nil:
			return err
		case d.IsDir() && p != top && skipped(d.Name()):
			return fs.SkipDir
		case d.IsDir():
			return nil
		}
		if s.left--; s.left < 0 {
			return fmt.Errorf("%s has too many files", t.WorkTree)
		}
		wanted := s.wanted[d.Name()]
		if len(wanted) == 0 || !regular.Is(p) {
			return nil
		}
		local := filepath.Join(t.WorkTree, strings.TrimPrefix(p, top))
		for _, i := range wanted {
			n := sharedTail(s.entries[i].Path, local)
			switch h := s.best[i]; {
			case n > h.length:
				s.best[i] = hit{local: local, length: n}
			case n == h.length && h.local != local:
				h.tied = true
				s.best[i] = h
			}
		}
		return nil
	})
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
