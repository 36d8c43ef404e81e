package sourcemap

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/envoydbg/envoydbg/sourcemap/bazel"
)

func TestTheLastResortIsTheOnlyFileThatEndsAlike(t *testing.T) {
	tree := place(t, "ws/deep/lib/one.cc", "ws/p/lib/two.cc", "ws/q/lib/two.cc", "ws/name.cc",
		"ws/r/x/lib/long.cc", "ws/y/lib/long.cc", "ws/mylib/part.cc",
		"ws/.git/lib/git.cc", "ws/node_modules/lib/node.cc", "ws/.cache-x/lib/cache.cc")
	x := build(t, compiled("/elsewhere/lib/one.cc", "/elsewhere/lib/two.cc", "/elsewhere/name.cc", "/elsewhere/x/lib/long.cc",
		"/elsewhere/lib/part.cc", "/elsewhere/lib/git.cc", "/elsewhere/lib/node.cc", "/elsewhere/lib/cache.cc"), Options{Trees: []bazel.Tree{tree}})
	local(t, x, "/elsewhere/lib/one.cc", filepath.Join(tree.WorkTree, "deep/lib/one.cc"), BySuffix)
	// The longest tail.
	local(t, x, "/elsewhere/x/lib/long.cc", filepath.Join(tree.WorkTree, "r/x/lib/long.cc"), BySuffix)
	// Two that end alike, a name alone, half a folder's name, folders that are nobody's sources.
	for _, name := range []string{"lib/two.cc", "name.cc", "lib/part.cc", "lib/git.cc", "lib/node.cc", "lib/cache.cc"} {
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
	for _, c := range []struct {
		files int
		found string
	}{{4, filepath.Join(tree.WorkTree, "a/lib/x.cc")}, {3, ""}, {1, ""}} {
		x := build(t, compiled("/gone/lib/x.cc"), Options{})
		if err := x.bySuffix(t.Context(), []int{0}, []bazel.Tree{tree, {}}, c.files); err != nil {
			t.Fatal(err)
		}
		e := x.Entries[0]
		if e.Local != c.found {
			t.Errorf("four files, %d allowed: %q", c.files, e.Local)
		}
		if want := "search given up: " + tree.WorkTree + " has too many files"; c.found == "" && e.Tried[len(e.Tried)-1] != want {
			t.Errorf("four files, %d allowed: tried %q", c.files, e.Tried)
		}
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
