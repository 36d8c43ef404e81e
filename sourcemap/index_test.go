package sourcemap

import (
	"crypto/md5"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/envoydbg/envoydbg/sourcemap/bazel"
	"github.com/envoydbg/envoydbg/sourcemap/linetable"
)

// place is a work tree and an output base, with the files named.
func place(t *testing.T, files ...string) bazel.Tree {
	t.Helper()
	dir := t.TempDir()
	tree := bazel.Tree{WorkTree: filepath.Join(dir, "ws"), OutputBase: filepath.Join(dir, "base"), Workspace: "main"}
	for _, f := range files {
		put(t, filepath.Join(dir, f), "// "+f+"\n")
	}
	return tree
}

func put(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func compiled(paths ...string) []linetable.File {
	var out []linetable.File
	for _, p := range paths {
		out = append(out, linetable.File{Path: p, CompDir: "/proc/self/cwd"})
	}
	return out
}

const (
	cwd  = "/proc/self/cwd/"
	box7 = "/gone/sandbox/linux-sandbox/7/execroot/main/"
	box9 = "/gone/sandbox/processwrapper-sandbox/9/execroot/main/"
)

func TestManyRootsLeadToOneTree(t *testing.T) {
	tree := place(t, "ws/source/a.cc", "base/external/dep/source/a.cc")
	x := Build(compiled(cwd+"source/a.cc", box7+"source/a.cc", box9+"source/a.cc", cwd+"external/dep/source/a.cc"), Options{Trees: []bazel.Tree{tree}})
	for _, root := range []string{cwd, box7, box9} {
		if e, ok := x.Find(root + "source/a.cc"); !ok || e.Local != filepath.Join(tree.WorkTree, "source/a.cc") {
			t.Errorf("%s: %+v", root, e)
		}
	}
	if e, _ := x.Find(cwd + "external/dep/source/a.cc"); e.Local != filepath.Join(tree.OutputBase, "external/dep/source/a.cc") {
		t.Errorf("external: %+v", e)
	}
}

func TestABreakpointMeansEveryRootOfItsFileAndNoOtherFile(t *testing.T) {
	tree := place(t, "ws/source/a.cc", "ws/main.cc", "ws/x/source/b.cc", "base/external/dep/source/a.cc", "base/external/dep/main.cc")
	x := Build(compiled(cwd+"source/a.cc", box7+"source/a.cc", cwd+"external/dep/source/a.cc",
		cwd+"main.cc", box7+"main.cc", cwd+"external/dep/main.cc", cwd+"x/source/b.cc", box9+"x/source/b.cc"), Options{Trees: []bazel.Tree{tree}})
	for _, c := range []struct {
		local string
		want  []string
	}{
		// One path: literally.
		{filepath.Join(tree.OutputBase, "external/dep/source/a.cc"), []string{cwd + "external/dep/source/a.cc"}},
		// Two roots; "source/a.cc" would also mean dep's.
		{filepath.Join(tree.WorkTree, "source/a.cc"), []string{box7 + "source/a.cc", cwd + "source/a.cc"}},
		// The base name alone is all they share.
		{filepath.Join(tree.WorkTree, "main.cc"), []string{box7 + "main.cc", cwd + "main.cc"}},
		// A suffix that only this file has.
		{filepath.Join(tree.WorkTree, "x/source/b.cc"), []string{"source/b.cc"}},
	} {
		got := x.Debugger(c.local)
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("Debugger(%s) = %q, want %q", c.local, got, c.want)
		}
	}
	if got := x.Debugger(filepath.Join(tree.WorkTree, "not/in/the/program.cc")); got != nil {
		t.Errorf("a file that is not in the program: %q", got)
	}
}

func TestAnAliasOfAFileIsThatFile(t *testing.T) {
	tree := place(t, "ws/source/a.cc")
	alias := filepath.Join(t.TempDir(), "bazel-ws")
	if err := os.Symlink(tree.WorkTree, alias); err != nil {
		t.Fatal(err)
	}
	x := Build(compiled(cwd+"source/a.cc"), Options{Trees: []bazel.Tree{tree}})
	if got := x.Debugger(filepath.Join(alias, "source/a.cc")); !slices.Equal(got, []string{cwd + "source/a.cc"}) {
		t.Errorf("Debugger = %q", got)
	}
	if e, ok := x.Find(filepath.Join(alias, "source/a.cc")); !ok || e.Path != cwd+"source/a.cc" {
		t.Errorf("Find = %+v %v", e, ok)
	}
}

func TestTheUsersEntriesWin(t *testing.T) {
	tree := place(t, "ws/source/a.cc", "mine/source/a.cc")
	mine := filepath.Join(filepath.Dir(tree.WorkTree), "mine")
	x := Build(compiled(cwd+"source/a.cc"), Options{Trees: []bazel.Tree{tree}, User: []Pair{{"/proc/self/cwd/", mine}}})
	if e, _ := x.Find(cwd + "source/a.cc"); e.Local != filepath.Join(mine, "source/a.cc") || e.How != ByUser {
		t.Errorf("%+v", e)
	}
}

func TestAPlainTreeBuiltElsewhereIsFoundByItsCompilationDirectory(t *testing.T) {
	tree := place(t, "ws/src/a.c")
	x := Build([]linetable.File{{Path: "/builds/42/src/a.c", CompDir: "/builds/42"}}, Options{Trees: []bazel.Tree{tree}})
	if e, _ := x.Find("/builds/42/src/a.c"); e.Local != filepath.Join(tree.WorkTree, "src/a.c") || e.How != ByCompDir {
		t.Errorf("%+v", e)
	}
}

func TestARemoteRootOfAnUnknownKindIsItsCompilationDirectory(t *testing.T) {
	tree := place(t, "base/external/abseil~/absl/a.h")
	x := Build([]linetable.File{{Path: "/exec/7/root/external/abseil~/absl/a.h", CompDir: "/exec/7/root"}}, Options{Trees: []bazel.Tree{tree}})
	if e, _ := x.Find("/exec/7/root/external/abseil~/absl/a.h"); e.Local != filepath.Join(tree.OutputBase, "external/abseil~/absl/a.h") {
		t.Errorf("%+v", e)
	}
}

func TestTheLastResortIsTheOnlyFileThatEndsAlike(t *testing.T) {
	tree := place(t, "ws/deep/lib/one.cc", "ws/p/lib/two.cc", "ws/q/lib/two.cc", "ws/name.cc")
	x := Build(compiled("/elsewhere/lib/one.cc", "/elsewhere/lib/two.cc", "/elsewhere/name.cc"), Options{Trees: []bazel.Tree{tree}})
	if e, _ := x.Find("/elsewhere/lib/one.cc"); e.How != BySuffix || e.Local != filepath.Join(tree.WorkTree, "deep/lib/one.cc") {
		t.Errorf("one: %+v", e)
	}
	if e, _ := x.Find("/elsewhere/lib/two.cc"); e.Local != "" {
		t.Errorf("two files end alike, and one was taken: %+v", e)
	}
	if e, _ := x.Find("/elsewhere/name.cc"); e.Local != "" || len(e.Tried) == 0 {
		t.Errorf("a name alone: %+v", e)
	}
}

func TestAFileThatWasEditedIsToldOnce(t *testing.T) {
	tree := place(t, "ws/a.cc", "ws/b.cc")
	text, err := os.ReadFile(filepath.Join(tree.WorkTree, "a.cc"))
	if err != nil {
		t.Fatal(err)
	}
	files := compiled(cwd+"a.cc", cwd+"b.cc")
	files[0].MD5, files[0].HasMD5 = md5.Sum(text), true
	// Not every unit with a file knows its checksum.
	again := files[1]
	again.MD5, again.HasMD5 = md5.Sum([]byte("another text")), true
	files = append(files, again)
	x := Build(files, Options{Trees: []bazel.Tree{tree}})
	var c Checker
	same, _ := x.Find(cwd + "a.cc")
	edited, _ := x.Find(cwd + "b.cc")
	if c.Changed(same) || !c.Changed(edited) || c.Changed(edited) {
		t.Error("want: the first never, the second once")
	}
}
