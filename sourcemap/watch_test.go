package sourcemap

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/sourcemap/linetable"
)

// seen waits for a map that satisfies the test, within the second that the user
// is promised (and some slack for a busy machine).
func seen(t *testing.T, maps <-chan *Map, what string, ok func(*Map) bool) {
	t.Helper()
	start := time.Now()
	late := time.After(5 * time.Second)
	for {
		select {
		case m := <-maps:
			if ok(m) {
				t.Logf("%s: noticed after %v", what, time.Since(start).Round(time.Millisecond))
				return
			}
		case <-late:
			t.Fatalf("%s was not noticed", what)
		}
	}
}

func TestRebuildsCleansAndModesAreNoticed(t *testing.T) {
	tree := place(t, "ws/WORKSPACE", "ws/source/a.cc", "base/external/dep/d.cc",
		"base/execroot/main/bazel-out/k8-dbg/bin/envoy", "base/execroot/main/bazel-out/k8-dbg/bin/gen.cc",
		"base/execroot/main/bazel-out/k8-opt/bin/envoy")
	out := filepath.Join(tree.OutputBase, "execroot/main/bazel-out")
	relink := func(name, to string) {
		t.Helper()
		link := filepath.Join(tree.WorkTree, name)
		_ = os.Remove(link)
		if to == "" {
			return
		}
		if err := os.Symlink(to, link); err != nil {
			t.Fatal(err)
		}
	}
	relink("bazel-out", out)
	relink("bazel-bin", filepath.Join(out, "k8-dbg/bin"))

	gen := "/proc/self/cwd/bazel-out/k8-dbg/bin/gen.cc"
	cfg := Config{ELF: filepath.Join(tree.WorkTree, "bazel-bin/envoy"), WorkTree: tree.WorkTree, Cache: NewCache(t.TempDir()),
		Table: &linetable.Table{Files: compiled("/proc/self/cwd/external/dep/d.cc", gen)}}
	if _, err := Load(cfg); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	maps, done := make(chan *Map, 16), make(chan error, 1)
	go func() { done <- Watch(ctx, cfg, func(m *Map) { maps <- m }) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	// The first change may come before the watch is set up; it is then part of
	// where the watch begins. So make one until one is noticed.
	for settled := false; !settled; {
		put(t, filepath.Join(out, "k8-dbg/bin/envoy"), time.Now().String())
		select {
		case <-maps:
			settled = true
		case err := <-done:
			t.Fatal(err)
		case <-time.After(2 * time.Second):
		}
	}
	always := func(*Map) bool { return true }

	put(t, filepath.Join(out, "k8-dbg/bin/envoy"), "rebuilt, another size")
	seen(t, maps, "a rebuild", always)

	relink("bazel-bin", filepath.Join(out, "k8-opt/bin"))
	seen(t, maps, "-c opt", always)

	put(t, filepath.Join(out, "k8-opt/bin/envoy"), "rebuilt in the new place")
	seen(t, maps, "a rebuild in the new mode", always)

	relink("bazel-out", "")
	seen(t, maps, "bazel-out gone", func(m *Map) bool {
		d, _ := m.Find("/proc/self/cwd/external/dep/d.cc")
		return m.Trees[0].From == "remembered" && d.Local != ""
	})

	relink("bazel-out", out)
	seen(t, maps, "bazel-out back", func(m *Map) bool {
		g, _ := m.Find(gen)
		return m.Trees[0].From == "bazel-out" && g.Local != ""
	})

	// bazel clean: outputs and links go together, and come back with a build.
	for _, name := range []string{"bazel-out", "bazel-bin"} {
		relink(name, "")
	}
	if err := os.RemoveAll(filepath.Join(tree.OutputBase, "execroot")); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(out, "k8-dbg/bin/envoy"), "built after clean")
	put(t, filepath.Join(out, "k8-dbg/bin/gen.cc"), "// gen\n")
	relink("bazel-out", out)
	relink("bazel-bin", filepath.Join(out, "k8-dbg/bin"))
	seen(t, maps, "a build after a clean", func(m *Map) bool {
		g, _ := m.Find(gen)
		return g.Local != ""
	})
}
