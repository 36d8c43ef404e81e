package sourcemap

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/sourcemap/bazel"
)

func TestTheLastResortIsTheOnlyFileThatEndsAlike(t *testing.T) {
	tree := place(t, "ws/deep/lib/one.cc", "ws/p/lib/two.cc", "ws/q/lib/two.cc", "ws/name.cc",
		"ws/r/x/lib/long.cc", "ws/y/lib/long.cc", "ws/mylib/part.cc",
		"ws/.git/lib/hidden.cc", "ws/node_modules/lib/hidden.cc", "ws/.cache-x/lib/hidden.cc")
	x := build(t, compiled("/elsewhere/lib/one.cc", "/elsewhere/lib/two.cc", "/elsewhere/name.cc", "/elsewhere/x/lib/long.cc",
		"/elsewhere/lib/part.cc", "/elsewhere/lib/hidden.cc"), Options{Trees: []bazel.Tree{tree}})
	local(t, x, "/elsewhere/lib/one.cc", filepath.Join(tree.WorkTree, "deep/lib/one.cc"), BySuffix)
	// The longest tail.
	local(t, x, "/elsewhere/x/lib/long.cc", filepath.Join(tree.WorkTree, "r/x/lib/long.cc"), BySuffix)
	// Two that end alike, a name alone, half a folder's name, folders that are nobody's sources.
	for _, name := range []string{"lib/two.cc", "name.cc", "lib/part.cc", "lib/hidden.cc"} {
		local(t, x, "/elsewhere/"+name, "", "")
	}
	if e, _ := x.Find("/elsewhere/name.cc"); len(e.Tried) != 1 || e.Tried[0] != "/elsewhere/name.cc" {
		t.Errorf("tried %q", e.Tried)
	}
	if e, _ := x.Find("/elsewhere/lib/one.cc"); e.Tried != nil {
		t.Errorf("found, and tried %q", e.Tried)
	}
}

func TestAWorkTreeThatIsALinkIsSearchedAndKeepsItsName(t *testing.T) {
	tree := place(t, "ws/deep/lib/one.cc")
	alias := filepath.Join(t.TempDir(), "alias")
	link(t, tree.WorkTree, alias)
	x := build(t, compiled("/elsewhere/lib/one.cc"), Options{Trees: []bazel.Tree{{WorkTree: alias}}})
	local(t, x, "/elsewhere/lib/one.cc", filepath.Join(alias, "deep/lib/one.cc"), BySuffix)
}

// With a second tree a file may no longer be the only one.
func TestEveryWorkTreeIsSearched(t *testing.T) {
	one, two := place(t, "ws/a/lib/x.cc", "ws/a/lib/y.cc"), place(t, "ws/b/lib/x.cc", "ws/b/lib/z.cc")
	x := build(t, compiled("/gone/lib/x.cc", "/gone/lib/y.cc", "/gone/lib/z.cc"), Options{Trees: []bazel.Tree{one, {}, two}})
	local(t, x, "/gone/lib/x.cc", "", "")
	local(t, x, "/gone/lib/y.cc", filepath.Join(one.WorkTree, "a/lib/y.cc"), BySuffix)
	local(t, x, "/gone/lib/z.cc", filepath.Join(two.WorkTree, "b/lib/z.cc"), BySuffix)
}

// A search that was given up has seen one file, and not that it is the only one.
func TestASearchThatIsNotCompleteFindsNothing(t *testing.T) {
	tree := place(t, "ws/a/lib/x.cc", "ws/b/1", "ws/b/2", "ws/b/3")
	search := func(left int) (*search, error) {
		x := build(t, compiled("/gone/lib/x.cc"), Options{})
		s := newSearch(x.Entries, []int{0}, left)
		return s, s.walk(t.Context(), tree)
	}
	if s, err := search(4); err != nil || s.best[0].length != 2 {
		t.Errorf("four files, four allowed: %v, %+v", err, s.best)
	}
	if s, err := search(3); err == nil || !strings.Contains(err.Error(), tree.WorkTree) || s.best[0].length != 2 {
		t.Errorf("four files, three allowed: %v, %+v", err, s.best)
	}
	x := build(t, compiled("/gone/lib/x.cc"), Options{})
	x.finish(map[int]hit{0: {local: "/x", length: 2}}, []int{0}, errors.New("too much"))
	if e := x.Entries[0]; e.Local != "" || e.Tried[len(e.Tried)-1] != "search given up: too much" {
		t.Errorf("%+v", e)
	}
}

// What the user may not read could not be shown either.
func TestAFolderThatMayNotBeReadHasNoSources(t *testing.T) {
	tree := place(t, "ws/a/lib/x.cc", "ws/closed/lib/x.cc")
	closed := filepath.Join(tree.WorkTree, "closed")
	if err := os.Chmod(closed, 0); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(closed, 0o700)
	asUser(t, func() {
		x := build(t, compiled("/gone/lib/x.cc"), Options{Trees: []bazel.Tree{tree}})
		local(t, x, "/gone/lib/x.cc", filepath.Join(tree.WorkTree, "a/lib/x.cc"), BySuffix)
	})
}

func TestSharedTails(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"/x/a/b.cc", "/y/a/b.cc", 2},
		{"/a/b.cc", "/x/a/b.cc", 2},
		{"a/b.cc", "/x/a/b.cc", 2},
		{"/a/b.cc", "/a/b.cc", 2},
		{"b.cc", "b.cc", 1},
		{"/x/ab.cc", "/x/b.cc", 0},
		{"/xa/b.cc", "/a/b.cc", 1},
		{"", "", 0},
		{"/", "/", 0},
	} {
		if got := sharedTail(c.a, c.b); got != c.want {
			t.Errorf("%q and %q: %d, want %d", c.a, c.b, got, c.want)
		}
		if got := sharedTail(c.b, c.a); got != c.want {
			t.Errorf("%q and %q: %d, want %d", c.b, c.a, got, c.want)
		}
	}
}

func TestASearchEndsWithItsContext(t *testing.T) {
	tree := place(t, "ws/a/lib/x.cc")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := newSearch(nil, nil, 1)
	if err := s.walk(ctx, tree); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
