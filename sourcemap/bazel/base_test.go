package bazel

import (
	"crypto/md5"
	"encoding/hex"
	"os"
	"os/user"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func expect(t *testing.T, got Tree, base, workspace, from string) {
	t.Helper()
	if got.OutputBase != base || got.Workspace != workspace || got.From != from {
		t.Errorf("Find = %+v, want the base %q, the workspace %q, from %q", got, base, workspace, from)
	}
}

func TestTheLinksOfABuildTellTheOutputBase(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	tree, base := workspace(t)
	got := Find(tree, "", "")
	expect(t, got, base, "main", "bazel-out")
	if got.WorkTree != tree || !got.Linked() {
		t.Errorf("%+v, linked %v", got, got.Linked())
	}
	remove(t, filepath.Join(tree, "bazel-out"))
	expect(t, Find(tree, "", ""), base, "main", "bazel-ws")
	remove(t, filepath.Join(tree, "bazel-ws"))
	expect(t, Find(tree, "", ""), "", "", "")
	// Whatever has the name: a folder, a link to somewhere else.
	write(t, filepath.Join(tree, "bazel-out/x"))
	link(t, t.TempDir(), filepath.Join(tree, "bazel-ws"))
	expect(t, Find(tree, "", ""), "", "", "")
}

// A link may be relative to the work tree, or lead to another link; never is it
// relative to the folder this process runs in.
func TestALinkMayBeWrittenInOtherWays(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	tree, base := workspace(t)
	remove(t, filepath.Join(tree, "bazel-ws"), filepath.Join(tree, "bazel-out"))
	link(t, "../base/execroot/main/bazel-out", filepath.Join(tree, "bazel-out"))
	expect(t, Find(tree, "", ""), base, "main", "bazel-out")
	remove(t, filepath.Join(tree, "bazel-out"))
	alias := filepath.Join(t.TempDir(), "alias")
	link(t, filepath.Join(base, "execroot/main/bazel-out"), alias)
	link(t, alias, filepath.Join(tree, "bazel-out"))
	expect(t, Find(tree, "", ""), base, "main", "bazel-out")
}

func TestALinkThatLeadsNowhereIsNotTrusted(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	tree, base := workspace(t)
	remove(t, filepath.Join(tree, "bazel-out"), filepath.Join(tree, "bazel-ws"))
	link(t, "/gone/execroot/main/bazel-out", filepath.Join(tree, "bazel-out"))
	link(t, "/gone/execroot/main", filepath.Join(tree, "bazel-ws"))
	got := Find(tree, "", base)
	expect(t, got, base, "main", FromMemory)
	if got.Linked() {
		t.Error("a link that leads nowhere counts as one")
	}
	expect(t, Find(tree, "", ""), "", "", "")
}

func TestAfterACleanTheOutputBaseIsRemembered(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	tree, base := workspace(t)
	remove(t, filepath.Join(tree, "bazel-out"), filepath.Join(tree, "bazel-ws"))
	expect(t, Find(tree, "", base), base, "main", FromMemory)
	remove(t, filepath.Join(base, "execroot"))
	expect(t, Find(tree, "", base), base, "", FromMemory)
	expect(t, Find(tree, "", "/nonexistent"), "", "", "")
	remove(t, filepath.Join(base, "external"))
	expect(t, Find(tree, "", base), "", "", "")
}

// Who has neither a cache folder nor a home has no output base: least of all one
// in the folder that this process runs in.
func TestWithoutAHomeNothingIsComputed(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", "")
	t.Setenv("USER", "me")
	tree := filepath.Join(t.TempDir(), "ws")
	write(t, filepath.Join(tree, "WORKSPACE"))
	sum := md5.Sum([]byte(tree))
	here := t.TempDir()
	write(t, filepath.Join(here, "bazel/_bazel_me", hex.EncodeToString(sum[:]), "external/dep/d.cc"))
	t.Chdir(here)
	expect(t, Find(tree, "", ""), "", "", "")
}

// Bazel computes the name from the path without links.
func TestWithoutAnythingTheOutputBaseIsComputed(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("USER", "me")
	tree := filepath.Join(t.TempDir(), "ws")
	write(t, filepath.Join(tree, "WORKSPACE"))
	alias := filepath.Join(t.TempDir(), "alias")
	link(t, tree, alias)
	sum := md5.Sum([]byte(tree))
	base := filepath.Join(cache, "bazel/_bazel_me", hex.EncodeToString(sum[:]))
	expect(t, Find(tree, "", ""), "", "", "")
	write(t, filepath.Join(base, "external/dep/d.cc"))
	for _, name := range []string{tree, alias} {
		expect(t, Find(name, "", ""), base, "", FromDefault)
	}
	// Without $USER it is the user's name in the system's list.
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("USER", "")
	expect(t, Find(tree, "", ""), "", "", "")
	base = filepath.Join(cache, "bazel/_bazel_"+me.Username, hex.EncodeToString(sum[:]))
	write(t, filepath.Join(base, "external/dep/d.cc"))
	expect(t, Find(tree, "", ""), base, "", FromDefault)
}

func TestAWorkTreeReachedByALinkHasTheLinksOfItsOwnName(t *testing.T) {
	tree, base := workspace(t)
	remove(t, filepath.Join(tree, "bazel-out"))
	alias := filepath.Join(t.TempDir(), "alias")
	link(t, tree, alias)
	got := Find(alias, "", "")
	expect(t, got, base, "main", "bazel-ws")
	if got.WorkTree != alias {
		t.Errorf("the work tree became %s", got.WorkTree)
	}
}

// --output_base, --symlink_prefix: the links say nothing, or are those of
// another build. Where the program lies is beyond doubt.
func TestTheProgramsOwnOutputBaseWins(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	tree, base := workspace(t)
	_, other := workspace(t)
	program := filepath.Join(other, "execroot/main/bazel-out/k8-dbg/bin/envoy")
	expect(t, Find(tree, program, base), other, "main", FromProgram)
	alias := filepath.Join(t.TempDir(), "envoy")
	link(t, program, alias)
	expect(t, Find(tree, alias, ""), other, "main", FromProgram)
	// Where both agree it is the link's word.
	expect(t, Find(tree, filepath.Join(base, "execroot/main/bazel-out/k8-dbg/bin/envoy"), ""), base, "main", "bazel-out")
	// A program elsewhere, or none, says nothing.
	elsewhere := filepath.Join(t.TempDir(), "envoy")
	write(t, elsewhere)
	for _, program := range []string{elsewhere, "/nonexistent", ""} {
		expect(t, Find(tree, program, ""), base, "main", "bazel-out")
	}
	if got := Find("", program, ""); got.OutputBase != other || got.WorkTree != "" || got.Linked() {
		t.Errorf("without a work tree: %+v", got)
	}
}

// Nothing is relative to the folder that this process happens to run in.
func TestWithoutAWorkTreeNothingIsFoundHere(t *testing.T) {
	tree, _ := workspace(t)
	t.Chdir(tree)
	if got := Find("", "", ""); got != (Tree{}) {
		t.Errorf("Find = %+v, want nothing", got)
	}
}

func TestAnOutputBaseNamesItsWorkTree(t *testing.T) {
	tree, base := workspace(t)
	program := filepath.Join(base, "execroot/main/bazel-out/k8-dbg/bin/envoy")
	if got, ok := In(program); !ok || got != (Tree{tree, base, "main", FromProgram}) {
		t.Errorf("In = %+v, %v", got, ok)
	}
	// By a link in the work tree.
	if got, ok := In(filepath.Join(tree, "bazel-out/k8-dbg/bin/envoy")); !ok || got.OutputBase != base {
		t.Errorf("by the link: %+v, %v", got, ok)
	}
	// Outside of the execution root, the name is that of the folder with outputs.
	if got, ok := In(filepath.Join(base, "external/dep/d.cc")); !ok || got.Workspace != "main" || got.WorkTree != tree {
		t.Errorf("below external: %+v, %v", got, ok)
	}
	t.Chdir(base) // of no importance
	for _, name := range []string{tree, filepath.Dir(base), "", ".", "execroot", "/nonexistent"} {
		if got, ok := In(name); ok {
			t.Errorf("In(%q) = %+v", name, got)
		}
	}
	// A work tree that has gone, or a marker that is none.
	for _, text := range []string{"/gone/ws", "relative", ""} {
		if err := os.WriteFile(filepath.Join(base, marker), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got, ok := In(program); !ok || got.WorkTree != "" || got.OutputBase != base {
			t.Errorf("%q in the marker: %+v, %v", text, got, ok)
		}
	}
}

// An execution root has links to all files of the work tree.
func TestAnExecutionRootIsNoWorkTree(t *testing.T) {
	tree, base := workspace(t)
	if !IsWorkTree(tree) || IsWorkTree(filepath.Join(base, "execroot/main")) || IsWorkTree(base) || IsWorkTree("/nonexistent") {
		t.Error("want the work tree alone")
	}
	for _, name := range []string{"MODULE.bazel", "WORKSPACE.bazel", "WORKSPACE", "REPO.bazel"} {
		dir := t.TempDir()
		if err := syscall.Mkfifo(filepath.Join(dir, name), 0o600); err != nil {
			t.Fatal(err)
		}
		if IsWorkTree(dir) {
			t.Errorf("a FIFO %s makes a work tree", name)
		}
		remove(t, filepath.Join(dir, name))
		write(t, filepath.Join(dir, name))
		if !IsWorkTree(dir) {
			t.Errorf("%s makes no work tree", name)
		}
	}
}

// After the workspace's name has changed, two folders have outputs.
func TestTheWorkspaceBuiltLastCounts(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	tree, base := workspace(t)
	remove(t, filepath.Join(tree, "bazel-out"), filepath.Join(tree, "bazel-ws"))
	write(t, filepath.Join(base, "execroot/_main/bazel-out/x"))
	write(t, filepath.Join(base, "execroot/zoo/no-outputs"))
	for i, last := range []string{"_main", "main"} {
		when := time.Now().Add(time.Duration(i+1) * time.Hour)
		if err := os.Chtimes(filepath.Join(base, "execroot", last, "bazel-out"), when, when); err != nil {
			t.Fatal(err)
		}
		expect(t, Find(tree, "", base), base, last, FromMemory)
	}
}
