package sourcemap

import (
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
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

func build(t *testing.T, files []linetable.File, opts Options) *Index {
	t.Helper()
	x, err := Build(t.Context(), files, opts)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// local is the file found for a path of the debug information, and how.
func local(t *testing.T, x *Index, path, want string, how How) {
	t.Helper()
	e, ok := x.Find(path)
	if !ok || e.Local != want || e.How != how {
		t.Errorf("%s is %q by %q (%v), want %q by %q; tried %q", path, e.Local, e.How, ok, want, how, e.Tried)
	}
}

func link(t *testing.T, to, name string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(to, name); err != nil {
		t.Fatal(err)
	}
}

const (
	cwd  = "/proc/self/cwd/"
	box7 = "/gone/sandbox/linux-sandbox/7/execroot/main/"
	box9 = "/gone/sandbox/processwrapper-sandbox/9/execroot/main/"
)

func TestManyRootsLeadToOneTree(t *testing.T) {
	tree := place(t, "ws/source/a.cc", "base/external/dep/source/a.cc")
	x := build(t, compiled(cwd+"source/a.cc", box7+"source/a.cc", box9+"source/a.cc", cwd+"external/dep/source/a.cc"), Options{Trees: []bazel.Tree{tree}})
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
	tree := place(t, "ws/source/a.cc", "ws/main.cc", "ws/x/source/b.cc", "base/external/dep/source/a.cc", "base/external/dep/main.cc", "ws/resource/b.cc", "ws/lib/c.cc")
	x := build(t, compiled(cwd+"source/a.cc", box7+"source/a.cc", cwd+"external/dep/source/a.cc",
		cwd+"main.cc", box7+"main.cc", cwd+"external/dep/main.cc", cwd+"x/source/b.cc", box9+"x/source/b.cc",
		cwd+"resource/b.cc", cwd+"lib/c.cc", box7+"lib/c.cc", "lib/c.cc"), Options{Trees: []bazel.Tree{tree}})
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
		// A suffix that only this file has: resource/b.cc ends in it as a text
		// alone.
		{filepath.Join(tree.WorkTree, "x/source/b.cc"), []string{"source/b.cc"}},
		// One of its paths is the suffix itself.
		{filepath.Join(tree.WorkTree, "lib/c.cc"), []string{"lib/c.cc"}},
	} {
		got := x.Debugger(c.local, nil)
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("Debugger(%s) = %q, want %q", c.local, got, c.want)
		}
	}
	// LLDB would take the suffix for another file: a longer one, then the bare name,
	// then each path.
	b := filepath.Join(tree.WorkTree, "x/source/b.cc")
	for _, c := range []struct{ taken, want []string }{
		{[]string{"source/b.cc"}, []string{"x/source/b.cc"}},
		{[]string{"source/b.cc", "x/source/b.cc"}, []string{box9 + "x/source/b.cc", cwd + "x/source/b.cc"}}, // resource/b.cc has the name, too
	} {
		got := x.Debugger(b, func(suffix string) bool { return slices.Contains(c.taken, suffix) })
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("with %q taken: %q, want %q", c.taken, got, c.want)
		}
	}
	if got := x.Debugger(filepath.Join(tree.WorkTree, "lib/c.cc"), func(suffix string) bool { return strings.Contains(suffix, "/") }); !slices.Equal(got, []string{"c.cc"}) {
		t.Errorf("the bare name: %q", got)
	}
	if got := x.Debugger(filepath.Join(tree.WorkTree, "not/in/the/program.cc"), nil); got != nil {
		t.Errorf("a file that is not in the program: %q", got)
	}
}

func TestAnAliasOfAFileIsThatFile(t *testing.T) {
	tree := place(t, "ws/source/a.cc")
	alias := filepath.Join(t.TempDir(), "bazel-ws")
	if err := os.Symlink(tree.WorkTree, alias); err != nil {
		t.Fatal(err)
	}
	x := build(t, compiled(cwd+"source/a.cc"), Options{Trees: []bazel.Tree{tree}})
	if got := x.Debugger(filepath.Join(alias, "source/a.cc"), nil); !slices.Equal(got, []string{cwd + "source/a.cc"}) {
		t.Errorf("Debugger = %q", got)
	}
	if e, ok := x.Find(filepath.Join(alias, "source/a.cc")); !ok || e.Path != cwd+"source/a.cc" {
		t.Errorf("Find = %+v %v", e, ok)
	}
}

func TestTheUsersEntriesWin(t *testing.T) {
	tree := place(t, "ws/source/a.cc", "mine/source/a.cc")
	mine := filepath.Join(filepath.Dir(tree.WorkTree), "mine")
	x := build(t, compiled(cwd+"source/a.cc"), Options{Trees: []bazel.Tree{tree}, User: []Pair{{"/proc/self/cwd/", mine}}})
	if e, _ := x.Find(cwd + "source/a.cc"); e.Local != filepath.Join(mine, "source/a.cc") || e.How != ByUser {
		t.Errorf("%+v", e)
	}
}

func TestAPlainTreeBuiltElsewhereIsFoundByItsCompilationDirectory(t *testing.T) {
	tree := place(t, "ws/src/a.c")
	x := build(t, []linetable.File{{Path: "/builds/42/src/a.c", CompDir: "/builds/42"}}, Options{Trees: []bazel.Tree{tree}})
	if e, _ := x.Find("/builds/42/src/a.c"); e.Local != filepath.Join(tree.WorkTree, "src/a.c") || e.How != ByCompDir {
		t.Errorf("%+v", e)
	}
}

func TestARemoteRootOfAnUnknownKindIsItsCompilationDirectory(t *testing.T) {
	tree := place(t, "base/external/abseil~/absl/a.h")
	x := build(t, []linetable.File{{Path: "/exec/7/root/external/abseil~/absl/a.h", CompDir: "/exec/7/root"}}, Options{Trees: []bazel.Tree{tree}})
	if e, _ := x.Find("/exec/7/root/external/abseil~/absl/a.h"); e.Local != filepath.Join(tree.OutputBase, "external/abseil~/absl/a.h") {
		t.Errorf("%+v", e)
	}
}

func TestAFileThatWasEditedIsToldOnce(t *testing.T) {
	tree := place(t, "ws/a.cc", "ws/b.cc")
	text, err := os.ReadFile(filepath.Join(tree.WorkTree, "a.cc"))
	if err != nil {
		t.Fatal(err)
	}
	files := compiled(cwd+"a.cc", cwd+"b.cc", box9+"a.cc")
	files[0].MD5, files[0].HasMD5 = md5.Sum(text), true
	// Not every unit with a file knows its checksum.
	again := files[1]
	again.MD5, again.HasMD5 = md5.Sum([]byte("another text")), true
	// The same once more is no news, and what comes behind it is.
	files = append(files, again, files[0], compiled("/behind.cc")[0])
	x := build(t, files, Options{Trees: []bazel.Tree{tree}})
	if _, ok := x.Find("/behind.cc"); !ok || len(x.Entries) != 4 {
		t.Errorf("%d entries", len(x.Entries))
	}
	// The times, by which both were saved after the build, do not count.
	m := &Map{Index: x, built: firstBuild}
	same, _ := x.Find(cwd + "a.cc")
	edited, _ := x.Find(cwd + "b.cc")
	otherPath, _ := x.Find(box9 + "a.cc")
	var told []bool
	for _, e := range []Entry{same, otherPath, edited} {
		change, changed := m.Changed(e)
		told = append(told, changed)
		if change != (Change{}) {
			t.Errorf("%s: a checksum decides, not %+v", e.Path, change)
		}
	}
	if !slices.Equal(told, []bool{false, false, true}) {
		t.Errorf("%v, want: the last one", told)
	}
	// Without a checksum and the time of the build nobody knows, and without a file
	// there is nothing to say.
	unknown, absent := edited, edited
	unknown.HasMD5, unknown.Local, absent.Local = false, filepath.Join(tree.WorkTree, "c.cc"), ""
	for _, e := range []Entry{unknown, absent} {
		if _, changed := (&Map{Index: x}).Changed(e); changed {
			t.Errorf("changed: %+v", e)
		}
	}
}

// A person sees the program's /proc/self/cwd; this process has one, too.
func TestTheFolderOfThisProcessIsNobodysSourceFolder(t *testing.T) {
	tree := place(t, "here/a.cc", "here/source/a.cc", "mine/a.cc")
	here := filepath.Join(filepath.Dir(tree.WorkTree), "here")
	t.Chdir(here)
	fd, err := os.Open("a.cc")
	if err != nil {
		t.Fatal(err)
	}
	defer fd.Close()
	byFD := fmt.Sprintf("/dev/fd/%d", fd.Fd())
	paths := []string{cwd + "a.cc", "/proc/thread-self/cwd/a.cc", fmt.Sprintf("/proc/%d/cwd/a.cc", os.Getpid()), "a.cc", "./source/a.cc", byFD,
		fmt.Sprintf("/proc/self/fd/%d", fd.Fd())}
	for _, opts := range []Options{
		{},
		{Trees: []bazel.Tree{tree}},
		{Trees: []bazel.Tree{{}}},
		{User: []Pair{{"/proc/self/cwd", "."}, {"/proc/self/cwd", ""}, {"/proc/self/cwd", "/proc/self/cwd"}}},
	} {
		x := build(t, compiled(paths...), opts)
		for _, p := range paths {
			local(t, x, p, "", "")
		}
	}
	// Nor when an editor or the debugger says such a path that is not in the program.
	x := build(t, []linetable.File{{Path: filepath.Join(here, "source/a.cc")}, {Path: filepath.Join(here, "a.cc")}}, Options{})
	for _, p := range []string{cwd + "source/a.cc", "source/a.cc", byFD} {
		if e, ok := x.Find(p); ok {
			t.Errorf("Find(%s) = %+v", p, e)
		}
		if got := append(x.Debugger(p, nil), x.Paths(p)...); len(got) > 0 {
			t.Errorf("Debugger(%s) = %q", p, got)
		}
	}
}

func TestOnlyARegularFileIsASource(t *testing.T) {
	tree := place(t, "ws/source/a.cc", "ws/deep/lib/c.cc")
	fifo := filepath.Join(tree.WorkTree, "source/fifo.cc")
	for _, name := range []string{fifo, filepath.Join(tree.WorkTree, "other/lib/c.cc")} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mkfifo(name, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	link(t, "/dev/zero", filepath.Join(tree.WorkTree, "source/zero.cc"))
	put(t, filepath.Join(tree.WorkTree, "source/folder.cc/x"), "")
	names := []string{cwd + "source/fifo.cc", cwd + "source/zero.cc", cwd + "source/folder.cc", fifo, "/dev/zero", "/gone/source/fifo.cc"}
	x := build(t, append(compiled(names...), compiled("/gone/lib/c.cc", cwd+"source/a.cc")...), Options{Trees: []bazel.Tree{tree}})
	for _, name := range names {
		local(t, x, name, "", "")
	}
	local(t, x, cwd+"source/a.cc", filepath.Join(tree.WorkTree, "source/a.cc"), ByBazel)
	// The other file that ends alike is none.
	local(t, x, "/gone/lib/c.cc", filepath.Join(tree.WorkTree, "deep/lib/c.cc"), BySuffix)
	if differs(Entry{Local: fifo}) || differs(Entry{Local: "/dev/zero"}) {
		t.Error("what cannot be read differs")
	}
}

func TestExternalsOfABuildWithAnotherNameOfTheWorkspace(t *testing.T) {
	tree := place(t, "ws/source/a.cc", "base/external/dep/d.cc", "base/external/sibling/s.cc")
	box := "/gone/sandbox/linux-sandbox/7/execroot/"
	x := build(t, compiled(box+"old_name/external/dep/d.cc", box+"old_name/source/a.cc", box+"sibling/s.cc", "/gone/execroot/old_name/external/dep/d.cc"),
		Options{Trees: []bazel.Tree{tree}})
	dep := filepath.Join(tree.OutputBase, "external/dep/d.cc")
	local(t, x, box+"old_name/external/dep/d.cc", dep, ByBazel)
	local(t, x, "/gone/execroot/old_name/external/dep/d.cc", dep, ByBazel)
	local(t, x, box+"old_name/source/a.cc", filepath.Join(tree.WorkTree, "source/a.cc"), ByBazel)
	local(t, x, box+"sibling/s.cc", filepath.Join(tree.OutputBase, "external/sibling/s.cc"), ByBazel)
}

func TestGeneratedFilesOfAnotherConfigurationAreFoundAndSaid(t *testing.T) {
	tree := place(t, "base/execroot/main/bazel-out/k8-opt/bin/x/gen.cc", "base/execroot/main/bazel-out/k8-opt-ST-1a2b/bin/x/old.cc",
		"base/execroot/main/bazel-out/k8-dbg/bin/x/own.cc", "base/execroot/main/bazel-out/k8-opt/bin/x/own.cc", "ws/include/node.h")
	out := filepath.Join(tree.OutputBase, "execroot/main/bazel-out")
	link(t, filepath.Join(tree.WorkTree, "include/node.h"), filepath.Join(out, "k8-opt/bin/_virtual_includes/n/node.h"))
	dbg := "bazel-out/k8-dbg/bin/"
	files := compiled(cwd+dbg+"x/gen.cc", cwd+dbg+"x/own.cc", cwd+"bazel-out/k8-dbg-ST-9f9f/bin/x/old.cc", cwd+dbg+"_virtual_includes/n/node.h")
	// A root of a kind that is not known.
	files = append(files, linetable.File{Path: "/exec/7/" + dbg + "x/gen.cc", CompDir: "/exec/7"})
	x := build(t, files, Options{Trees: []bazel.Tree{tree}})
	local(t, x, cwd+dbg+"x/gen.cc", filepath.Join(out, "k8-opt/bin/x/gen.cc"), ByOutput)
	local(t, x, "/exec/7/"+dbg+"x/gen.cc", filepath.Join(out, "k8-opt/bin/x/gen.cc"), ByOutput)
	local(t, x, cwd+"bazel-out/k8-dbg-ST-9f9f/bin/x/old.cc", filepath.Join(out, "k8-opt-ST-1a2b/bin/x/old.cc"), ByOutput)
	local(t, x, cwd+dbg+"x/own.cc", filepath.Join(out, "k8-dbg/bin/x/own.cc"), ByBazel)
	// A link farm of any configuration leads to the source.
	local(t, x, cwd+dbg+"_virtual_includes/n/node.h", filepath.Join(tree.WorkTree, "include/node.h"), ByBazel)

	m := &Map{Index: x, ELF: "/envoy", Table: &linetable.Table{}}
	r, err := m.Report(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []FileReport{
		{Path: cwd + dbg + "x/gen.cc", Local: filepath.Join(out, "k8-opt/bin/x/gen.cc")},
		{Path: cwd + "bazel-out/k8-dbg-ST-9f9f/bin/x/old.cc", Local: filepath.Join(out, "k8-opt-ST-1a2b/bin/x/old.cc")},
		{Path: "/exec/7/" + dbg + "x/gen.cc", Local: filepath.Join(out, "k8-opt/bin/x/gen.cc")},
	}
	if !reflect.DeepEqual(r.OtherConfiguration, want) || r.Mapped[ByOutput] != 3 || r.Mapped[ByBazel] != 2 {
		t.Errorf("report %+v", r)
	}
}

// The exact file of another output base on this machine is better than what is
// like it in this one.
func TestTheFileItselfBeatsOneOfAnotherConfiguration(t *testing.T) {
	tree := place(t, "base/execroot/main/bazel-out/k8-opt/bin/gen.cc", "other/execroot/main/bazel-out/k8-dbg/bin/gen.cc")
	exact := filepath.Join(filepath.Dir(tree.WorkTree), "other/execroot/main/bazel-out/k8-dbg/bin/gen.cc")
	x := build(t, compiled(exact), Options{Trees: []bazel.Tree{tree}})
	local(t, x, exact, exact, ByPath)
}

func TestTheFirstWorkTreeIsPreferred(t *testing.T) {
	first, second := place(t, "ws/a.cc", "ws/deep/lib/s.cc"), place(t, "ws/a.cc", "ws/b.cc")
	x := build(t, compiled(cwd+"a.cc", cwd+"b.cc"), Options{Trees: []bazel.Tree{first, second}})
	local(t, x, cwd+"a.cc", filepath.Join(first.WorkTree, "a.cc"), ByBazel)
	local(t, x, cwd+"b.cc", filepath.Join(second.WorkTree, "b.cc"), ByBazel)
}

func TestRulesComeInTheirOrder(t *testing.T) {
	tree := place(t, "mine/a.cc", "ws/a.cc", "ws/b.cc", "elsewhere/b.cc", "ws/lib/c.cc", "elsewhere/lib/c.cc")
	top := filepath.Dir(tree.WorkTree)
	elsewhere := filepath.Join(top, "elsewhere")
	user := []Pair{{cwd, filepath.Join(top, "absent")}, {"/proc/self/cw", "/"}, {cwd, filepath.Join(top, "mine")}, {cwd, tree.WorkTree}}
	x := build(t, []linetable.File{
		{Path: cwd + "a.cc", CompDir: cwd},
		{Path: cwd + "b.cc", CompDir: cwd},
		{Path: filepath.Join(elsewhere, "b.cc"), CompDir: elsewhere},
		{Path: "/gone/lib/c.cc", CompDir: "/gone"},
		{Path: "/gone/b.cc", CompDir: "gone"},
		{Path: "<built-in>", CompDir: "/gone"},
		{Path: "/gone/absent.cc", CompDir: "/gone/"},
		{Path: "/gone", CompDir: "/gone"},
		{Path: "/gone", CompDir: "/gone"},
		{Path: "/proc/self/cwd", CompDir: "/gone"},
	}, Options{Trees: []bazel.Tree{tree}, User: user})
	local(t, x, cwd+"a.cc", filepath.Join(top, "mine/a.cc"), ByUser)
	local(t, x, cwd+"b.cc", filepath.Join(tree.WorkTree, "b.cc"), ByUser)
	local(t, x, filepath.Join(elsewhere, "b.cc"), filepath.Join(elsewhere, "b.cc"), ByPath)
	local(t, x, "/gone/lib/c.cc", filepath.Join(tree.WorkTree, "lib/c.cc"), ByCompDir)
	local(t, x, "/gone/b.cc", "", "")
	if _, ok := x.Find("<built-in>"); ok {
		t.Error("<built-in> counts as a file")
	}
	// A root, or a compilation directory, is no file in it.
	if e, _ := x.Find("/gone"); !slices.Equal(e.Tried, []string{"/gone"}) {
		t.Errorf("/gone: tried %q", e.Tried)
	}
	if e, _ := x.Find("/proc/self/cwd"); e.Root != (bazel.Root{}) || slices.Contains(e.Tried, filepath.Join(tree.OutputBase, "execroot/main")) {
		t.Errorf("/proc/self/cwd: %+v", e)
	}
	// Every place once, in the order in which they were tried.
	e, _ := x.Find("/gone/absent.cc")
	want := []string{"/gone/absent.cc", filepath.Join(tree.WorkTree, "absent.cc"), filepath.Join(tree.OutputBase, "execroot/main/absent.cc")}
	if !slices.Equal(e.Tried, want) {
		t.Errorf("tried %q, want %q", e.Tried, want)
	}
}

func TestTheForwardMapIsAppliedAsADebuggerDoes(t *testing.T) {
	tree := place(t, "ws/source/a.cc", "ws/WORKSPACE", "base/external/dep/d.cc", "base/external/beside/b.cc", "mine/m.cc")
	sandbox := "/gone/sandbox/linux-sandbox/7/execroot/"
	files := compiled(cwd+"source/a.cc", cwd+"external/dep/d.cc", "/proc/self/beside/b.cc", sandbox+"beside/b.cc", sandbox+"main/source/a.cc", "/usr/x.h")
	m, err := Load(t.Context(), Config{WorkTree: tree.WorkTree, Table: &linetable.Table{Files: files}, User: []Pair{{"/usr", "/mine"}},
		Cache: remembering(t, tree)})
	if err != nil {
		t.Fatal(err)
	}
	external := tree.OutputBase + "/external"
	want := []Pair{
		{"/usr", "/mine"}, // the user's own
		{sandbox + "main/external", external},
		{sandbox + "beside", external + "/beside"},
		{sandbox + "main", tree.WorkTree},
		{"/proc/self/cwd/external", external},
		{"/proc/self/cwd", tree.WorkTree},
		{"/proc/self", external},
	}
	if got := m.Forward(); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	// What LLDB prints is known again.
	for _, f := range files[:5] {
		for _, p := range want {
			rest, ok := cutFolder(f.Path, p.From)
			if !ok {
				continue
			}
			said := filepath.Join(p.To, rest)
			if e, ok := m.Find(said); !ok || e.Local != said {
				t.Errorf("%s becomes %s, which is %q", f.Path, said, e.Local)
			}
			break
		}
	}
	// Also where there is no such file: LLDB does not look.
	if e, ok := m.Find("/mine/x.h"); !ok || e.Path != "/usr/x.h" {
		t.Errorf("/mine/x.h is %+v", e)
	}
	if got, want := m.LLDB()[0], `settings set target.source-map "/usr" "/mine" "`+sandbox+`main/external" `; !strings.HasPrefix(got, want) {
		t.Errorf("%s", got)
	}
	if got := (&Map{Index: &Index{}}).LLDB(); got != nil {
		t.Errorf("nothing to map: %q", got)
	}
}

// A path that two prefixes fit is what the first of them makes of it.
func TestThePrefixThatFitsFirstSaysWhatIsMeant(t *testing.T) {
	x := build(t, compiled("/a/x/f.cc", "/a/f.cc"), Options{})
	x.expect([]Pair{{"/a/x", "/here"}, {"/a", "/here"}})
	if e, ok := x.Find("/here/f.cc"); !ok || e.Path != "/a/x/f.cc" {
		t.Errorf("%+v", e)
	}
}

func TestTheReportCountsRootsAndRulesAndReadsTheFiles(t *testing.T) {
	tree := place(t, "ws/a.cc", "ws/b.cc", "ws/deep/lib/c.cc")
	text, err := os.ReadFile(filepath.Join(tree.WorkTree, "a.cc"))
	if err != nil {
		t.Fatal(err)
	}
	files := compiled(box9+"b.cc", cwd+"a.cc", cwd+"b.cc", "/gone/lib/c.cc", "/gone/absent.cc")
	files[1].MD5, files[1].HasMD5 = md5.Sum(text), true
	files[2].MD5, files[2].HasMD5 = md5.Sum([]byte("another text")), true
	m := &Map{Index: build(t, files, Options{Trees: []bazel.Tree{tree}}), ELF: "/envoy", Table: &linetable.Table{BuildID: "0a"}}
	var steps []int
	got, err := m.Report(t.Context(), func(done int) { steps = append(steps, done) })
	if err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(tree.WorkTree, name) }
	want := Report{ELF: "/envoy", BuildID: "0a", WorkTree: tree.WorkTree, OutputBase: tree.OutputBase, Files: 5,
		Mapped:             map[How]int{ByBazel: 3, BySuffix: 1},
		Roots:              []RootReport{{strings.TrimSuffix(box9, "/"), "sandbox", 1}, {"/proc/self/cwd", "proc-self-cwd", 2}},
		OtherConfiguration: []FileReport{},
		Guessed:            []FileReport{{Path: "/gone/lib/c.cc", Local: at("deep/lib/c.cc")}},
		Changed:            []FileReport{{Path: box9 + "b.cc", Local: at("b.cc")}, {Path: cwd + "b.cc", Local: at("b.cc")}},
		SavedLater:         []FileReport{},
		Unmapped:           []FileReport{{Path: "/gone/absent.cc", Tried: []string{"/gone/absent.cc"}}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if !slices.Equal(steps, []int{0, 1, 2, 3, 4}) {
		t.Errorf("steps %v", steps)
	}
}

func TestSuffixesThatAllPathsShare(t *testing.T) {
	for _, c := range []struct{ paths, want []string }{
		{[]string{"/a/x/f.cc", "/b/x/f.cc"}, []string{"f.cc", "x/f.cc"}},
		{[]string{"f.cc", "/x/f.cc"}, []string{"f.cc"}},
		{[]string{"/x/f.cc", "f.cc"}, []string{"f.cc"}},
		{[]string{"/y/f.cc", "/y/g.cc"}, nil},
		{[]string{"/a/b/c/d", "/x/b/c/d", "/y/z/c/d"}, []string{"d", "c/d"}},
		{[]string{"/a/b/c/d", "/y/z/c/d", "/x/b/c/d"}, []string{"d", "c/d"}},
		{[]string{"/a/b", "a/b"}, []string{"b", "a/b"}},
		{[]string{"/x/a/b", "/y/c/b", "/x/a/d"}, nil},
	} {
		if got := commonSuffixes(c.paths); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.paths, got, c.want)
		}
	}
}

func TestBuildingStopsWithItsContext(t *testing.T) {
	tree := place(t, "ws/lib/a.cc")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if x, err := Build(ctx, compiled(cwd+"a.cc"), Options{}); x != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("Build: %v, %v", x, err)
	}
	x := build(t, compiled("/gone/lib/a.cc"), Options{})
	if err := x.bySuffix(ctx, []int{0}, []bazel.Tree{tree}, maxWalk); !errors.Is(err, context.Canceled) || x.Entries[0].Local != "" {
		t.Errorf("the search: %v, %+v", err, x.Entries[0])
	}
	if _, err := (&Map{Index: x, Table: &linetable.Table{}}).Report(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("the report: %v", err)
	}
}
