package bazel

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// workspace lays out a work tree "ws" and its output base as a build leaves them.
func workspace(t *testing.T) (tree, base string) {
	t.Helper()
	dir := t.TempDir()
	tree, base = filepath.Join(dir, "ws"), filepath.Join(dir, "base")
	write(t, filepath.Join(tree, "WORKSPACE"))
	write(t, filepath.Join(tree, "source/a.cc"))
	write(t, filepath.Join(base, "external/dep/d.cc"))
	write(t, filepath.Join(base, "execroot/main/bazel-out/k8-dbg/bin/gen.cc"))
	write(t, filepath.Join(base, "execroot/main/bazel-out/k8-dbg/bin/envoy"))
	for _, dir := range []string{base, filepath.Join(base, "execroot")} {
		if err := os.WriteFile(filepath.Join(dir, marker), []byte(tree), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	link(t, filepath.Join(base, "execroot/main/bazel-out"), filepath.Join(tree, "bazel-out"))
	link(t, filepath.Join(base, "execroot/main"), filepath.Join(tree, "bazel-ws"))
	link(t, filepath.Join(tree, "WORKSPACE"), filepath.Join(base, "execroot/main/WORKSPACE"))
	// a link farm of strip_include_prefix: to the execution root, and on to the work tree
	link(t, filepath.Join(tree, "source"), filepath.Join(base, "execroot/main/source"))
	link(t, filepath.Join(base, "execroot/main/source/a.cc"), filepath.Join(base, "execroot/main/bazel-out/k8-dbg/bin/_virtual_includes/t/x/a.cc"))
	return tree, base
}

func write(t *testing.T, name string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte("//\n"), 0o644); err != nil {
		t.Fatal(err)
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

func remove(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := os.RemoveAll(name); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhereAFileMayBe(t *testing.T) {
	tree := Tree{WorkTree: "/ws", OutputBase: "/base", Workspace: "main"}
	sandbox := Root{"/o/sandbox/linux-sandbox/3/execroot/main", Sandbox}
	dep := Root{"/o/sandbox/linux-sandbox/3/execroot/dep", Sandbox}
	depLocal := Root{"/base/execroot/dep", Execroot}
	for _, c := range []struct {
		what string
		tree Tree
		root Root
		rest string
		want []string
	}{
		{"a source", tree, Root{}, "a/b.cc", []string{"/ws/a/b.cc", "/base/execroot/main/a/b.cc"}},
		{"a source, in a sandbox", tree, sandbox, "a/b.cc", []string{"/ws/a/b.cc", "/base/execroot/main/a/b.cc"}},
		{"an external source", tree, sandbox, "external/dep/d.cc",
			[]string{"/base/external/dep/d.cc", "/ws/bazel-external/dep/d.cc", "/ws/external/dep/d.cc", "/ws/bazel-ws/external/dep/d.cc"}},
		{"a generated file", tree, sandbox, "bazel-out/k8-dbg/bin/gen.cc",
			[]string{"/base/execroot/main/bazel-out/k8-dbg/bin/gen.cc", "/ws/bazel-out/k8-dbg/bin/gen.cc"}},
		{"a generated file, deep", tree, Root{}, "bazel-out/k8-dbg/bin/a/b/gen.cc",
			[]string{"/base/execroot/main/bazel-out/k8-dbg/bin/a/b/gen.cc", "/ws/bazel-out/k8-dbg/bin/a/b/gen.cc"}},

		// Repositories beside each other, or a build that called the workspace "dep".
		{"another root's source", tree, dep, "d.cc", []string{"/base/external/dep/d.cc", "/ws/d.cc", "/base/execroot/main/d.cc"}},
		{"another root's source, no sandbox", tree, depLocal, "d.cc", []string{"/base/external/dep/d.cc", "/ws/d.cc", "/base/execroot/main/d.cc"}},
		{"another root's external source", tree, dep, "external/x/d.cc",
			[]string{"/base/external/dep/external/x/d.cc", "/base/external/x/d.cc", "/ws/bazel-external/x/d.cc", "/ws/external/x/d.cc", "/ws/bazel-ws/external/x/d.cc"}},
		{"another root's generated file", tree, dep, "bazel-out/k8-dbg/bin/gen.cc",
			[]string{"/base/execroot/dep/bazel-out/k8-dbg/bin/gen.cc", "/base/execroot/main/bazel-out/k8-dbg/bin/gen.cc", "/ws/bazel-out/k8-dbg/bin/gen.cc"}},

		// A library's own build works in a copy of its sources, which is gone
		// afterwards: the sources first. What such a build made is no copy.
		{"a copy of sources", tree, Root{}, "bazel-out/k8-dbg/bin/external/crc/crc.build_tmpdir/src/crc.c", []string{
			"/base/external/crc/src/crc.c", "/base/external/crc/crc.c",
			"/base/execroot/main/bazel-out/k8-dbg/bin/external/crc/crc.build_tmpdir/src/crc.c", "/ws/bazel-out/k8-dbg/bin/external/crc/crc.build_tmpdir/src/crc.c"}},
		{"a copy of sources, sibling layout", tree, Root{}, "bazel-out/crc/k8-dbg/bin/crc.build_tmpdir/src/crc.c", []string{
			"/base/external/crc/src/crc.c", "/base/external/crc/crc.c",
			"/base/execroot/main/bazel-out/crc/k8-dbg/bin/crc.build_tmpdir/src/crc.c", "/ws/bazel-out/crc/k8-dbg/bin/crc.build_tmpdir/src/crc.c"}},
		{"what a library's build made", tree, Root{}, "bazel-out/k8-dbg/bin/external/crc/include/crc.h", []string{
			"/base/execroot/main/bazel-out/k8-dbg/bin/external/crc/include/crc.h", "/ws/bazel-out/k8-dbg/bin/external/crc/include/crc.h",
			"/base/external/crc/crc.h"}},

		// With less known, less is tried, and nothing that depends on a working directory.
		{"no output base", Tree{WorkTree: "/ws"}, dep, "external/x/d.cc",
			[]string{"/ws/bazel-external/x/d.cc", "/ws/external/x/d.cc", "/ws/bazel-ws/external/x/d.cc"}},
		{"no output base, generated", Tree{WorkTree: "/ws"}, sandbox, "bazel-out/k8-dbg/bin/gen.cc", []string{"/ws/bazel-out/k8-dbg/bin/gen.cc"}},
		{"no workspace's name", Tree{WorkTree: "/ws", OutputBase: "/base"}, sandbox, "a.cc", []string{"/base/external/main/a.cc", "/ws/a.cc"}},
		{"no work tree", Tree{OutputBase: "/base", Workspace: "main"}, sandbox, "external/x/d.cc", []string{"/base/external/x/d.cc"}},
		{"no work tree, a source", Tree{OutputBase: "/base", Workspace: "main"}, sandbox, "a.cc", []string{"/base/execroot/main/a.cc"}},
		{"nothing", Tree{}, sandbox, "a.cc", nil},
	} {
		got := c.tree.Candidates(c.root, c.rest)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s:\ngot  %q\nwant %q", c.what, got, c.want)
		}
	}
}

func TestLinkFarmsLeadToTheFileOneEdits(t *testing.T) {
	tree, base := workspace(t)
	found := Find(tree, "", "")
	farm := filepath.Join(base, "execroot/main/bazel-out/k8-dbg/bin/_virtual_includes/t/x/a.cc")
	if got, want := found.Resolve(farm), filepath.Join(tree, "source/a.cc"); got != want {
		t.Errorf("Resolve(%s) = %s, want %s", farm, got, want)
	}
	// What is not in the work tree is called by its real name.
	for _, name := range []string{"execroot/main/bazel-out/k8-dbg/bin/gen.cc", "external/dep/d.cc"} {
		if got := found.Resolve(filepath.Join(base, name)); got != filepath.Join(base, name) {
			t.Errorf("Resolve(%s) = %s", name, got)
		}
	}
	if got := found.Resolve("/absent/a.cc"); got != "/absent/a.cc" {
		t.Errorf("what is absent: %s", got)
	}
	if got := (Tree{}).Resolve(farm); got != filepath.Join(tree, "source/a.cc") {
		t.Errorf("without a work tree: %s", got)
	}
}

func TestTheWorkTreeKeepsItsSpelling(t *testing.T) {
	tree, base := workspace(t)
	alias := filepath.Join(t.TempDir(), "alias")
	link(t, tree, alias)
	found := Tree{WorkTree: alias}
	if got, want := found.Resolve(filepath.Join(alias, "source/a.cc")), filepath.Join(alias, "source/a.cc"); got != want {
		t.Errorf("Resolve = %s, want %s", got, want)
	}
	if got, want := found.Resolve(filepath.Join(base, "external/dep/d.cc")), filepath.Join(base, "external/dep/d.cc"); got != want {
		t.Errorf("Resolve = %s, want %s", got, want)
	}
}

// A map of prefixes, for the debugger's own messages.
func TestPrefixes(t *testing.T) {
	tree, base := workspace(t)
	found := Find(tree, "", "")
	cwd := Root{"/proc/self/cwd", ProcSelfCwd}
	want := [][2]string{{"/proc/self/cwd/external", base + "/external"}, {"/proc/self/cwd", tree}}
	if got := found.Prefixes(cwd); !slices.Equal(got, want) {
		t.Errorf("the root: %q, want %q", got, want)
	}
	// Beside the root are the other repositories.
	if got := found.Prefixes(Root{"/proc/self", Sibling}); !slices.Equal(got, [][2]string{{"/proc/self", base + "/external"}}) {
		t.Errorf("beside /proc/self/cwd: %q", got)
	}
	for _, root := range []Root{{"/o/sandbox/linux-sandbox/3/execroot/dep", Sandbox}, {base + "/execroot/dep", Execroot}} {
		if got := found.Prefixes(root); !slices.Equal(got, [][2]string{{root.Path, base + "/external/dep"}}) {
			t.Errorf("beside the execution root: %q", got)
		}
	}
	// A workspace by another name is no repository.
	other := Root{"/o/execroot/old_name", Execroot}
	want = [][2]string{{other.Path + "/external", base + "/external"}, {other.Path, tree}}
	if got := found.Prefixes(other); !slices.Equal(got, want) {
		t.Errorf("another name: %q, want %q", got, want)
	}
	// Without the link, or with one that leads elsewhere, outputs need a pair.
	outputs := [2]string{"/proc/self/cwd/bazel-out", base + "/execroot/main/bazel-out"}
	remove(t, filepath.Join(tree, "bazel-out"))
	if got := found.Prefixes(cwd); len(got) != 3 || got[0] != outputs {
		t.Errorf("no link: %q, want %q first", got, outputs)
	}
	want = [][2]string{{other.Path + "/bazel-out", outputs[1]}, {other.Path + "/external", base + "/external"}, {other.Path, tree}}
	if got := found.Prefixes(other); !slices.Equal(got, want) {
		t.Errorf("no link, another name: %q, want %q", got, want)
	}
	// Outputs of that name are better.
	write(t, filepath.Join(base, "execroot/old_name/bazel-out/x"))
	want[0][1] = base + "/execroot/old_name/bazel-out"
	if got := found.Prefixes(other); !slices.Equal(got, want) {
		t.Errorf("no link, outputs of another name: %q, want %q", got, want)
	}
	link(t, t.TempDir(), filepath.Join(tree, "bazel-out"))
	if got := found.Prefixes(cwd); len(got) != 3 || got[0] != outputs {
		t.Errorf("a link elsewhere: %q, want %q first", got, outputs)
	}
	if got := (Tree{WorkTree: tree}).Prefixes(cwd); !slices.Equal(got, [][2]string{{"/proc/self/cwd", tree}}) {
		t.Errorf("no output base: %q", got)
	}
	if got := (Tree{}).Prefixes(cwd); len(got) != 0 {
		t.Errorf("nothing: %q", got)
	}
}
