package bazel

import (
	"path/filepath"
	"slices"
	"testing"
)

func TestGeneratedFilesOfOtherConfigurations(t *testing.T) {
	tree, base := workspace(t)
	remove(t, filepath.Join(tree, "bazel-out")) // its files would be listed twice
	out := filepath.Join(base, "execroot/main/bazel-out")
	for _, name := range []string{
		"k8-opt/bin/x/gen.cc", "k8-fastbuild/bin/x/gen.cc", "aarch64-dbg/bin/x/gen.cc", "k8-dbg/bin/x/gen.cc",
		"k8-opt-exec-2B5C/bin/x/gen.cc", "k8-dbg-ST-aaaa/bin/x/gen.cc", "k8-opt-ST-bbbb/bin/x/gen.cc", "host/bin/x/gen.cc",
		"dep/k8-opt/bin/gen.cc", "k8-opt/genfiles/x/old.cc", "k8-opt/bin/y/other.cc", "stable-status.txt",
		"../source/k8-opt/bin/x/gen.cc",
	} {
		write(t, filepath.Join(out, name))
	}
	found := Find(tree, "", "")
	found.WorkTree = ""
	gen := func(names ...string) (all []string) {
		for _, name := range names {
			all = append(all, name+"/bin/x/gen.cc")
		}
		return all
	}
	for _, c := range []struct {
		rest string
		want []string // below out
	}{
		// Of the same kind first; the configuration itself is no other one.
		{"bazel-out/k8-dbg/bin/x/gen.cc", gen("k8-fastbuild", "k8-opt", "aarch64-dbg", "k8-dbg-ST-aaaa", "k8-opt-ST-bbbb", "k8-opt-exec-2B5C", "host")},
		// The same transition, then any, then none.
		{"bazel-out/k8-fastbuild-ST-bbbb/bin/x/gen.cc", gen("k8-opt-ST-bbbb", "k8-dbg-ST-aaaa", "k8-dbg", "k8-fastbuild", "k8-opt", "aarch64-dbg", "k8-opt-exec-2B5C", "host")},
		// For the machine that builds.
		{"bazel-out/k8-opt-exec-ST-1234/bin/x/gen.cc", gen("k8-opt-exec-2B5C", "host", "k8-dbg-ST-aaaa", "k8-opt-ST-bbbb", "k8-dbg", "k8-fastbuild", "k8-opt", "aarch64-dbg")},
		// The sibling layout has the repository before the configuration.
		{"bazel-out/dep/k8-dbg/bin/gen.cc", []string{"dep/k8-opt/bin/gen.cc"}},
		{"bazel-out/k8-dbg/genfiles/x/old.cc", []string{"k8-opt/genfiles/x/old.cc"}},
		{"bazel-out/k8-dbg/bin/x/nowhere.cc", nil},
		{"bazel-out/k8-dbg/bin", nil},
		{"bazel-out/bin/x/gen.cc", nil},
		{"bazel-out/a/b/c/bin/x/gen.cc", nil},
		{"source/k8-dbg/bin/x/gen.cc", nil},
		{"source/a.cc", nil},
	} {
		var want []string
		for _, name := range c.want {
			want = append(want, filepath.Join(out, name))
		}
		if got := found.OtherConfigurations(Root{}, c.rest); !slices.Equal(got, want) {
			t.Errorf("%s:\ngot  %q\nwant %q", c.rest, got, want)
		}
	}
	// By the link of the work tree, when nothing else is known.
	link(t, out, filepath.Join(tree, "bazel-out"))
	if got := (Tree{WorkTree: tree}).OtherConfigurations(Root{}, "bazel-out/dep/k8-dbg/bin/gen.cc"); !slices.Equal(got, []string{filepath.Join(tree, "bazel-out/dep/k8-opt/bin/gen.cc")}) {
		t.Errorf("by the link: %q", got)
	}
}
