package sourcemap

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/envoydbg/envoydbg/internal/regular"
	"github.com/envoydbg/envoydbg/sourcemap/bazel"
	"github.com/envoydbg/envoydbg/sourcemap/linetable"
)

// bazelBuild lays out a work tree and an output base as a build leaves them, in
// which each knows the other.
func bazelBuild(t *testing.T, files ...string) bazel.Tree {
	t.Helper()
	tree := place(t, append([]string{"ws/WORKSPACE", "base/external/dep/d.cc", "base/execroot/main/bazel-out/k8-dbg/bin/envoy"}, files...)...)
	for _, dir := range []string{tree.OutputBase, filepath.Join(tree.OutputBase, "execroot")} {
		put(t, filepath.Join(dir, "DO_NOT_BUILD_HERE"), tree.WorkTree)
	}
	main := filepath.Join(tree.OutputBase, "execroot/main")
	link(t, filepath.Join(tree.WorkTree, "WORKSPACE"), filepath.Join(main, "WORKSPACE"))
	link(t, filepath.Join(main, "bazel-out"), filepath.Join(tree.WorkTree, "bazel-out"))
	link(t, filepath.Join(main, "bazel-out/k8-dbg/bin"), filepath.Join(tree.WorkTree, "bazel-bin"))
	return tree
}

func TestTheWorkTreeOfAProgram(t *testing.T) {
	tree := bazelBuild(t, "ws/pkg/x.cc", "git/.git/config", "git/build/out/envoy", "open/here/x", "elsewhere/envoy", "bzl/MODULE.bazel", "bzl/here/x", "bzl/.git/config")
	top := filepath.Dir(tree.WorkTree)
	in := func(name string) string { return filepath.Join(top, name) }
	alias := in("alias")
	link(t, tree.WorkTree, alias)
	link(t, filepath.Join(tree.WorkTree, "bazel-bin/envoy"), in("elsewhere/link"))
	t.Chdir(in("bzl")) // of no importance
	for _, c := range []struct{ what, elf, folder, want string }{
		{"as one writes it", in("ws/bazel-bin/envoy"), in("bzl/here"), tree.WorkTree},
		{"as one writes it, the tree being a link", filepath.Join(alias, "bazel-bin/envoy"), "", alias},
		{"by its real path", in("base/execroot/main/bazel-out/k8-dbg/bin/envoy"), in("bzl/here"), tree.WorkTree},
		{"by a link to it", in("elsewhere/link"), in("bzl/here"), tree.WorkTree},
		{"elsewhere, a Bazel tree above the folder", in("elsewhere/envoy"), in("bzl/here"), in("bzl")},
		{"elsewhere, a Git tree above the folder", in("elsewhere/envoy"), in("git/build"), in("git")},
		{"elsewhere, nothing above the folder", in("elsewhere/envoy"), in("open/here"), in("open/here")},
		{"elsewhere, no folder", in("elsewhere/envoy"), "", ""},
		{"in a Git tree", in("git/build/out/envoy"), "", in("git")},
		{"in a Git tree, but the folder is said", in("git/build/out/envoy"), in("open/here"), in("open/here")},
	} {
		if got := FindWorkTree(c.elf, c.folder); got != c.want {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
	// An output base whose work tree has gone tells none.
	put(t, filepath.Join(tree.OutputBase, "DO_NOT_BUILD_HERE"), "/gone/ws")
	if got := FindWorkTree(in("base/execroot/main/bazel-out/k8-dbg/bin/envoy"), in("open/here")); got != in("open/here") {
		t.Errorf("a work tree that has gone: %q", got)
	}
}

func load(t *testing.T, cfg Config) *Map {
	t.Helper()
	m, err := Load(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A program named by its real path, without a word about the work tree.
func TestAProgramInItsOutputBaseNeedsNoWorkTree(t *testing.T) {
	tree := bazelBuild(t, "ws/a.cc", "base/execroot/main/bazel-out/k8-dbg/bin/gen.cc")
	for _, name := range []string{"bazel-out", "bazel-bin"} { // --symlink_prefix=/
		if err := os.Remove(filepath.Join(tree.WorkTree, name)); err != nil {
			t.Fatal(err)
		}
	}
	bin := filepath.Join(tree.OutputBase, "execroot/main/bazel-out/k8-dbg/bin")
	cache := NewCache(t.TempDir())
	m := load(t, Config{ELF: filepath.Join(bin, "envoy"), Cache: cache,
		Table: &linetable.Table{Files: compiled(cwd+"a.cc", cwd+"external/dep/d.cc", cwd+"bazel-out/k8-dbg/bin/gen.cc")}})
	local(t, m.Index, cwd+"a.cc", filepath.Join(tree.WorkTree, "a.cc"), ByBazel)
	local(t, m.Index, cwd+"external/dep/d.cc", filepath.Join(tree.OutputBase, "external/dep/d.cc"), ByBazel)
	local(t, m.Index, cwd+"bazel-out/k8-dbg/bin/gen.cc", filepath.Join(bin, "gen.cc"), ByBazel)
	if m.Trees[0].From != bazel.FromProgram || cache.outputBase(tree.WorkTree) != "" {
		t.Errorf("%+v, remembered %q: want the program's word, not remembered", m.Trees[0], cache.outputBase(tree.WorkTree))
	}
}

// The program has been moved, and the path of a sandbox is all that is left.
func TestADebugPathLeadsToTheWorkTree(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	tree := bazelBuild(t, "ws/a.cc", "away/envoy", "mine/a.cc")
	box := filepath.Join(tree.OutputBase, "sandbox/linux-sandbox/7/execroot/main")
	cfg := Config{ELF: filepath.Join(filepath.Dir(tree.WorkTree), "away/envoy"), Table: &linetable.Table{Files: compiled(cwd+"a.cc", box+"/b.cc")}}
	m := load(t, cfg)
	local(t, m.Index, cwd+"a.cc", filepath.Join(tree.WorkTree, "a.cc"), ByBazel)
	if m.cfg.WorkTree != tree.WorkTree || m.Trees[0].From != "bazel-out" {
		t.Errorf("%+v", m.Trees)
	}
	// But what the user says counts.
	cfg.WorkTree = filepath.Join(filepath.Dir(tree.WorkTree), "mine")
	m = load(t, cfg)
	local(t, m.Index, cwd+"a.cc", filepath.Join(cfg.WorkTree, "a.cc"), ByBazel)
	if m.Trees[0].From != bazel.FromDebugPaths || m.Trees[0].OutputBase != tree.OutputBase {
		t.Errorf("%+v", m.Trees)
	}
}

func TestTheOutputBaseOfALinkIsRememberedAndNoOther(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	tree := bazelBuild(t)
	cache := NewCache(t.TempDir())
	dep := cwd + "external/dep/d.cc"
	cfg := Config{WorkTree: tree.WorkTree, Cache: cache, Table: &linetable.Table{Files: compiled(dep)}}
	found := func(from string) {
		t.Helper()
		m := load(t, cfg)
		local(t, m.Index, dep, filepath.Join(tree.OutputBase, "external/dep/d.cc"), ByBazel)
		if m.Trees[0].From != from {
			t.Errorf("from %q, want %q", m.Trees[0].From, from)
		}
	}
	found("bazel-out")
	// bazel clean
	if err := os.Remove(filepath.Join(tree.WorkTree, "bazel-out")); err != nil {
		t.Fatal(err)
	}
	found(bazel.FromMemory)
	// A link that leads nowhere: the tree came from another machine, for example.
	link(t, "/gone/execroot/main/bazel-out", filepath.Join(tree.WorkTree, "bazel-out"))
	found(bazel.FromMemory)
	if got := cache.outputBase(tree.WorkTree); got != tree.OutputBase {
		t.Errorf("remembered: %q, want %q", got, tree.OutputBase)
	}
	// The debug information is asked last.
	cfg.Cache = NewCache(t.TempDir())
	box := filepath.Join(tree.OutputBase, "sandbox/linux-sandbox/7/execroot/main/x.cc")
	cfg.Table = &linetable.Table{Files: compiled("/usr/include/x.h", "/gone/sandbox/linux-sandbox/7/execroot/main/y.cc", dep, dep, box)}
	found(bazel.FromDebugPaths)
	if got := cfg.Cache.outputBase(tree.WorkTree); got != "" {
		t.Errorf("remembered: %q", got)
	}
	cfg.Table = &linetable.Table{Files: compiled(dep)}
	if m := load(t, cfg); m.Trees[0].From != "" || m.Trees[0].OutputBase != "" {
		t.Errorf("nothing tells: %+v", m.Trees[0])
	}
}

// The same program, the same sources: wherever this process was started.
func TestNothingDependsOnWhereTheProcessWasStarted(t *testing.T) {
	tree := place(t, "ws/WORKSPACE", "ws/a.cc", "away/envoy")
	elf := filepath.Join(filepath.Dir(tree.WorkTree), "away/envoy")
	for _, dir := range []string{"/", tree.WorkTree, filepath.Dir(elf)} {
		t.Chdir(dir)
		m := load(t, Config{ELF: elf, Table: &linetable.Table{Files: compiled(cwd+"a.cc", "a.cc", "envoy")}, User: []Pair{{"/x", "rel"}}})
		for _, p := range []string{cwd + "a.cc", "a.cc", "envoy"} {
			local(t, m.Index, p, "", "")
		}
		if len(m.Trees) > 0 || len(m.Forward()) != 1 {
			t.Errorf("in %s: trees %+v, forward %q", dir, m.Trees, m.Forward())
		}
	}
	for _, cfg := range []Config{{ELF: "envoy"}, {ELF: elf, WorkTree: "ws"}, {ELF: elf, DefaultTree: "."}} {
		if m, err := Load(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "is not an absolute path") {
			t.Errorf("%+v: %+v, %v", cfg, m, err)
		}
	}
	// A relative place of the user's is in the work tree.
	m := load(t, Config{ELF: elf, WorkTree: tree.WorkTree, Table: &linetable.Table{Files: compiled("/x/a.cc")}, User: []Pair{{"/x", "."}}})
	local(t, m.Index, "/x/a.cc", filepath.Join(tree.WorkTree, "a.cc"), ByUser)
}

func TestADefaultTreeIsForProgramsThatTellNone(t *testing.T) {
	tree := place(t, "ws/a.cc", "away/envoy")
	m := load(t, Config{ELF: filepath.Join(filepath.Dir(tree.WorkTree), "away/envoy"), DefaultTree: tree.WorkTree, Table: &linetable.Table{Files: compiled(cwd + "a.cc")}})
	local(t, m.Index, cwd+"a.cc", filepath.Join(tree.WorkTree, "a.cc"), ByBazel)
}

func TestAProgramMustBeARegularFile(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{fifo, "/dev/zero", dir} {
		for _, cache := range []*Cache{nil, NewCache(t.TempDir())} {
			if m, err := Load(t.Context(), Config{ELF: name, Cache: cache}); m != nil || !errors.Is(err, regular.ErrNot) {
				t.Errorf("%s: %+v, %v", name, m, err)
			}
		}
	}
}

// A FIFO in place of the package costs the package alone, and is told.
func TestAPackageThatIsNoFileCostsThePackageAlone(t *testing.T) {
	elf := program(t, "int main(void) { return 0; }\n")
	if err := syscall.Mkfifo(elf+".dwp", 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := Load(t.Context(), Config{ELF: elf, Cache: NewCache(t.TempDir())})
	if m == nil || len(m.Entries) == 0 || !errors.Is(err, regular.ErrNot) || !strings.Contains(err.Error(), elf+".dwp") {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestLoadingStopsWithItsContext(t *testing.T) {
	elf := program(t, "int main(void) { return 0; }\n")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if m, err := Load(ctx, Config{ELF: elf}); m != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestWhatHangsIsLeftBehind(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	ctx, cancel := context.WithCancel(t.Context())
	started := make(chan struct{})
	go func() { <-started; cancel() }()
	if _, err := abandonable(ctx, func() (int, error) { close(started); <-hang; return 1, nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	want := errors.New("its own")
	if n, err := abandonable(t.Context(), func() (int, error) { return 2, want }); n != 2 || !errors.Is(err, want) {
		t.Errorf("%d, %v", n, err)
	}
}
