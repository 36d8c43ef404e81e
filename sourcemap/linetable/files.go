package linetable

import (
	"bytes"
	"cmp"
	"path"
	"slices"
	"strings"
)

// maxFiles bounds the distinct files, some fifty times those of Envoy.
const maxFiles = 1 << 20

// dir is the number of a distinct directory.
type dir uint32

// tally counts each distinct file of the headers once, by numbers alone: a
// header file is in the line tables of hundreds of units.
type tally struct {
	names *names
	dirs  []dirAt
	byDir map[uint64]dir // by comp and dir
	files []fileAt
	byAt  map[uint64]int32 // by dir and name: index into files
}

type dirAt struct{ comp, dir name }

type fileAt struct {
	dir    dir
	name   name
	next   int32 // another with the same dir and name and another MD5; 0 for none
	hasMD5 bool
	md5    [16]byte
}

func newTally(n *names) *tally {
	// Index 0 of files is nobody's, so that next may be 0.
	return &tally{names: n, byDir: map[uint64]dir{}, files: make([]fileAt, 1), byAt: map[uint64]int32{}}
}

func (t *tally) dir(comp, name name) dir {
	key := uint64(comp)<<32 | uint64(name)
	d, ok := t.byDir[key]
	if !ok {
		d = dir(len(t.dirs))
		t.dirs = append(t.dirs, dirAt{comp, name})
		t.byDir[key] = d
	}
	return d
}

// add counts a file, and returns its index.
func (t *tally) add(f fileAt) int32 {
	key := uint64(f.dir)<<32 | uint64(f.name)
	first := t.byAt[key]
	for i := first; i != 0; i = t.files[i].next {
		if t.files[i].hasMD5 == f.hasMD5 && t.files[i].md5 == f.md5 {
			return i
		}
	}
	f.next = first
	i := int32(len(t.files))
	t.byAt[key] = i
	t.files = append(t.files, f)
	return i
}

func (t *tally) full() bool { return len(t.files) > maxFiles || len(t.dirs) > maxFiles }

// files are the distinct files of a Table.
type files map[fileKey]string // to the compilation directory

type fileKey struct {
	path   string
	hasMD5 bool
	md5    [16]byte
}

// add takes over what a tally has, once its names are read.
func (fs files) add(t *tally) {
	for _, f := range t.files[1:] {
		spelled, comp, ok := t.spelled(f)
		if !ok {
			continue
		}
		key := fileKey{spelled, f.hasMD5, f.md5}
		if _, ok := fs[key]; !ok {
			fs[key] = comp
		}
	}
}

// spelled is LLDB's path of a file, and the compilation directory, once the names
// are read; not ok if one of them could not be read.
func (t *tally) spelled(f fileAt) (spelled, compDir string, ok bool) {
	list := t.names.list
	d := t.dirs[f.dir]
	comp, dir, file := list[d.comp], list[d.dir], list[f.name]
	if comp.pool == unread || dir.pool == unread || file.pool == unread {
		return "", "", false
	}
	if t.names.suffix != "" && d.comp == noName && !path.IsAbs(file.text) && !path.IsAbs(dir.text) {
		return "", "", false // a package does not say which unit's directory it is in
	}
	return spell(comp.text, dir.text, file.text), comp.text, true
}

func (fs files) table() []File {
	all := make([]File, 0, len(fs))
	for key, comp := range fs {
		all = append(all, File{Path: key.path, CompDir: comp, MD5: key.md5, HasMD5: key.hasMD5})
	}
	slices.SortFunc(all, func(a, b File) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), bytes.Compare(a.MD5[:], b.MD5[:]))
	})
	return all
}
