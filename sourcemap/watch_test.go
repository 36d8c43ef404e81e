package sourcemap

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/internal/watch"
	"github.com/envoydbg/envoydbg/sourcemap/bazel"
	"github.com/envoydbg/envoydbg/sourcemap/linetable"
)

// watching is a map that is followed: its last state is what the story goes by.
type watching struct {
	t    *testing.T
	last *Map
	maps chan *Map
	done chan error
}

// follow follows the map, until the test ends.
func follow(t *testing.T, m *Map) *watching {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	w := &watching{t: t, last: m, maps: make(chan *Map, 64), done: make(chan error, 1)}
	go func() { w.done <- m.Watch(ctx, func(m *Map) { w.maps <- m }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-w.done; err != nil {
			t.Error(err)
		}
	})
	return w
}

// notices waits for a map of which something holds that did not hold before
// change. The user is promised a second; a busy machine gets more.
func (w *watching) notices(what string, change func(), ok func(*Map) bool) {
	w.t.Helper()
	for len(w.maps) > 0 {
		w.last = <-w.maps
	}
	if ok(w.last) {
		w.t.Fatalf("%s: holds before the change", what)
	}
	change()
	w.comes(what, ok)
}

// comes waits for a map of which something holds.
func (w *watching) comes(what string, ok func(*Map) bool) {
	w.t.Helper()
	start := time.Now()
	late := time.After(20 * time.Second)
	for {
		select {
		case w.last = <-w.maps:
			if ok(w.last) {
				w.t.Logf("%s: noticed after %v", what, time.Since(start).Round(time.Millisecond))
				return
			}
		case err := <-w.done:
			w.done <- err
			w.t.Fatalf("%s: the watch has ended: %v", what, err)
		case <-late:
			w.t.Fatalf("%s was not noticed; the last map: %+v, trees %+v", what, w.last.Entries, w.last.Trees)
		}
	}
}

// has tells whether all of these are found, and where.
func has(paths ...string) func(*Map) bool {
	return func(m *Map) bool {
		return !slices.ContainsFunc(paths, func(p string) bool { e, _ := m.Find(p); return e.Local == "" })
	}
}

func not(f func(*Map) bool) func(*Map) bool { return func(m *Map) bool { return !f(m) } }

func TestRebuildsCleansAndModesAreNoticed(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	tree := bazelBuild(t, "base/execroot/main/bazel-out/k8-dbg/bin/gen.cc", "base/execroot/main/bazel-out/k8-opt/bin/envoy")
	out := filepath.Join(tree.OutputBase, "execroot/main/bazel-out")
	relink := func(name, to string) {
		t.Helper()
		name = filepath.Join(tree.WorkTree, name)
		_ = os.Remove(name)
		if to != "" {
			link(t, to, name)
		}
	}
	generated := func(name string) string { return cwd + "bazel-out/k8-dbg/bin/" + name }
	dep, gen := cwd+"external/dep/d.cc", generated("gen.cc")
	elf := filepath.Join(out, "k8-dbg/bin/envoy")
	m := load(t, Config{ELF: filepath.Join(tree.WorkTree, "bazel-bin/envoy"), WorkTree: tree.WorkTree, Cache: NewCache(t.TempDir()),
		Table: &linetable.Table{Files: compiled(dep, gen, generated("first.cc"), generated("more.cc"), generated("opt.cc"), generated("again.cc"))}})

	// What comes between the map and the watch is not missed.
	put(t, filepath.Join(out, "k8-dbg/bin/first.cc"), "")
	put(t, elf, "rebuilt before the watch")
	w := follow(t, m)
	w.comes("a rebuild before the watch", has(generated("first.cc")))

	w.notices("a rebuild", func() {
		put(t, filepath.Join(out, "k8-dbg/bin/more.cc"), "")
		put(t, elf, "rebuilt, another size")
	}, has(generated("more.cc")))

	w.notices("a rebuild that replaces the file", func() {
		put(t, filepath.Join(out, "k8-dbg/bin/again.cc"), "")
		put(t, elf+".new", "replaced, a third size")
		if err := os.Rename(elf+".new", elf); err != nil {
			t.Fatal(err)
		}
	}, has(generated("again.cc")))

	w.notices("-c opt", func() {
		put(t, filepath.Join(out, "k8-opt/bin/opt.cc"), "")
		relink("bazel-bin", filepath.Join(out, "k8-opt/bin"))
	}, has(generated("opt.cc")))

	w.notices("a rebuild in the new mode", func() {
		if err := os.Remove(filepath.Join(out, "k8-opt/bin/opt.cc")); err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(out, "k8-opt/bin/envoy"), "rebuilt in the new place")
	}, not(has(generated("opt.cc"))))

	from := func(from string) func(*Map) bool {
		return func(m *Map) bool { return m.Trees[0].From == from && has(dep)(m) }
	}
	w.notices("bazel-out gone", func() { relink("bazel-out", "") }, from(bazel.FromProgram))
	w.notices("bazel-out back", func() { relink("bazel-out", out) }, from("bazel-out"))

	// bazel clean: outputs and links go together, and come back with a build.
	w.notices("a build after a clean", func() {
		for _, name := range []string{"bazel-out", "bazel-bin"} {
			relink(name, "")
		}
		if err := os.RemoveAll(filepath.Join(tree.OutputBase, "execroot")); err != nil {
			t.Fatal(err)
		}
		put(t, elf, "built after clean")
		relink("bazel-out", out)
		relink("bazel-bin", filepath.Join(out, "k8-dbg/bin"))
	}, func(m *Map) bool { return !has(gen)(m) && has(dep)(m) })
	w.notices("the next build", func() {
		put(t, filepath.Join(out, "k8-dbg/bin/gen.cc"), "// gen\n")
		put(t, elf, "built once more")
	}, has(gen))
}

// A program that lies elsewhere: nothing changes in its folder, and nothing in
// the work tree, when outputs are removed.
func TestOutputsThatGoAreNoticed(t *testing.T) {
	tree := bazelBuild(t, "base/execroot/main/bazel-out/k8-dbg/bin/gen.cc", "away/envoy")
	gen := cwd + "bazel-out/k8-dbg/bin/gen.cc"
	w := follow(t, load(t, Config{ELF: filepath.Join(filepath.Dir(tree.WorkTree), "away/envoy"), WorkTree: tree.WorkTree, Table: &linetable.Table{Files: compiled(gen)}}))
	w.notices("a configuration that goes", func() {
		if err := os.RemoveAll(filepath.Join(tree.OutputBase, "execroot/main/bazel-out/k8-dbg")); err != nil {
			t.Fatal(err)
		}
	}, not(has(gen)))
}

// The name of a program may be a link that is set anew, above any of its folders.
func TestALinkOnTheWayToTheProgramIsFollowed(t *testing.T) {
	tree := place(t, "one/bin/envoy", "two/bin/envoy", "ws/lib/x.cc")
	top := filepath.Dir(tree.WorkTree)
	current := filepath.Join(top, "current")
	link(t, filepath.Join(top, "one"), current)
	gone := "/gone/lib/x.cc"
	m := load(t, Config{ELF: filepath.Join(current, "bin/envoy"), WorkTree: tree.WorkTree, Table: &linetable.Table{Files: compiled(gone, "/gone/lib/y.cc")}})
	w := follow(t, m)
	w.notices("another link", func() {
		put(t, filepath.Join(tree.WorkTree, "lib/y.cc"), "")
		put(t, filepath.Join(top, "two/bin/envoy"), "another size")
		link(t, filepath.Join(top, "two"), current+".new")
		if err := os.Rename(current+".new", current); err != nil {
			t.Fatal(err)
		}
	}, has("/gone/lib/y.cc"))
	w.notices("a rebuild behind the new link", func() {
		if err := os.Remove(filepath.Join(tree.WorkTree, "lib/x.cc")); err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(top, "two/bin/envoy"), "a third size")
	}, not(has(gone)))
}

// While there is no program the last map stays.
func TestAProgramThatIsMissingChangesNothing(t *testing.T) {
	tree := place(t, "bin/envoy", "ws/lib/x.cc")
	elf := filepath.Join(filepath.Dir(tree.WorkTree), "bin/envoy")
	w := follow(t, load(t, Config{ELF: elf, WorkTree: tree.WorkTree, Table: &linetable.Table{Files: compiled("/gone/lib/x.cc")}}))
	if err := os.Remove(filepath.Join(tree.WorkTree, "lib/x.cc")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(elf); err != nil {
		t.Fatal(err)
	}
	// Three times as long as folders may stay unquiet.
	select {
	case m := <-w.maps:
		t.Fatalf("a new map: %+v", m.Entries)
	case <-time.After(3 * watch.Steady):
	}
	w.notices("a program that is back", func() { put(t, elf, "back") }, not(has("/gone/lib/x.cc")))
}

// A build that never pauses is looked at all the same.
func TestFoldersThatAreNeverQuietAreLookedAt(t *testing.T) {
	tree := place(t, "bin/envoy", "ws/lib/x.cc")
	bin := filepath.Join(filepath.Dir(tree.WorkTree), "bin")
	w := follow(t, load(t, Config{ELF: filepath.Join(bin, "envoy"), WorkTree: tree.WorkTree, Table: &linetable.Table{Files: compiled("/gone/lib/x.cc")}}))
	stop, stopped := make(chan struct{}), make(chan struct{})
	w.notices("a change among many", func() {
		if err := os.Remove(filepath.Join(tree.WorkTree, "lib/x.cc")); err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(bin, "envoy"), "another size")
		go func() {
			defer close(stopped)
			for {
				select {
				case <-stop:
					return
				case <-time.After(watch.Settle / 10):
					_ = os.WriteFile(filepath.Join(bin, "log"), []byte("busy"), 0o600)
				}
			}
		}()
	}, not(has("/gone/lib/x.cc")))
	close(stop)
	<-stopped
}

func TestAWatchEndsWithItsContext(t *testing.T) {
	tree := place(t, "ws/envoy")
	m := load(t, Config{ELF: filepath.Join(tree.WorkTree, "envoy"), Table: &linetable.Table{}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := m.Watch(ctx, func(*Map) { t.Error("a new map") }); err != nil {
		t.Error(err)
	}
}
