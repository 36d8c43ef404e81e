package sourcemap

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/envoydbg/envoydbg/sourcemap/bazel"
)

func TestAFileIsFoundByItsEnding(t *testing.T) {
	tree := place(t, "ws/main.cc", "ws/tools/main.cc", "ws/source/server/server.cc", "ws/source/common/server.cc", "ws/source/server/worker.cc")
	ws := func(name string) string { return filepath.Join(tree.WorkTree, name) }
	x := build(t, compiled("/proc/self/cwd/main.cc", "/proc/self/cwd/tools/main.cc", "/proc/self/cwd/source/server/server.cc",
		"/proc/self/cwd/source/common/server.cc", "/proc/self/cwd/source/server/worker.cc",
		"/base/sandbox/linux-sandbox/7/execroot/main/source/server/worker.cc", // the same again
		"/gone/lib/zone.cc"), Options{Trees: []bazel.Tree{tree}})
	for ending, want := range map[string][]string{
		"worker.cc":                   {ws("source/server/worker.cc")},
		"server/worker.cc":            {ws("source/server/worker.cc")},
		"./source/./server/worker.cc": {ws("source/server/worker.cc")},
		"orker.cc":                    nil, // whole elements only
		"er/worker.cc":                nil,
		"common/server.cc":            {ws("source/common/server.cc")},
		"server.cc":                   {ws("source/common/server.cc"), ws("source/server/server.cc")},
		"main.cc":                     {ws("main.cc")}, // exactly that in the work tree
		"tools/main.cc":               {ws("tools/main.cc")},
		"zone.cc":                     {"/gone/lib/zone.cc"}, // not here, but with code
		"nothing.cc":                  nil,
		".":                           nil,
	} {
		if got := x.Ending(ending); !slices.Equal(got, want) {
			t.Errorf("%s means %v, want %v", ending, got, want)
		}
	}
}

func TestNearestFilesAreNamedAsTheUserWould(t *testing.T) {
	tree := place(t, "ws/source/server/server.cc", "ws/source/server/options.cc", "ws/test/server/options.cc")
	ws := func(name string) string { return filepath.Join(tree.WorkTree, name) }
	x := build(t, compiled("/proc/self/cwd/source/server/server.cc", "/proc/self/cwd/source/server/options.cc",
		"/proc/self/cwd/test/server/options.cc", "/gone/lib/zone.cc"), Options{Trees: []bazel.Tree{tree}})
	for name, want := range map[string][]string{
		"sever.cc":               {"server.cc"},
		"server/sever.cc":        {"server/server.cc"},
		"sourc/server.cc":        {"server/server.cc"}, // the name is right, the folder is not
		"option.cc":              {"source/server/options.cc", "test/server/options.cc"},
		"test/server/option.cc":  {"test/server/options.cc", "source/server/options.cc"},
		"zome.cc":                {"zone.cc"},
		"unlike_all_of_them.cc":  nil,
		ws("source/sever.cc"):    {ws("source/server/server.cc")},
		"/elsewhere/test/zone.c": {"/gone/lib/zone.cc"},
	} {
		if got := x.Nearest(name, 3); !slices.Equal(got, want) {
			t.Errorf("%s is near to %v, want %v", name, got, want)
		}
	}
	if got := x.Nearest("option.cc", 1); len(got) != 1 {
		t.Errorf("one is asked for, %v are told", got)
	}
}
