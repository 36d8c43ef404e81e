package bazel

import "testing"

func TestSplitKnowsBazelsRoots(t *testing.T) {
	for _, c := range []struct {
		path, root string
		kind       Kind
		rest       string
	}{
		{"/proc/self/cwd/source/exe/main.cc", "/proc/self/cwd", ProcSelfCwd, "source/exe/main.cc"},
		{"/proc/self/cwd/./source//exe/main.cc", "/proc/self/cwd", ProcSelfCwd, "source/exe/main.cc"},
		{"/proc/self/cwd", "/proc/self/cwd", ProcSelfCwd, ""},
		{"/home/u/.cache/bazel/_bazel_u/1e0b/sandbox/linux-sandbox/263/execroot/io_istio_proxy/external/envoy/source/server/server.cc",
			"/home/u/.cache/bazel/_bazel_u/1e0b/sandbox/linux-sandbox/263/execroot/io_istio_proxy", Sandbox, "external/envoy/source/server/server.cc"},
		{"/o/sandbox/processwrapper-sandbox/7/execroot/_main/a.cc", "/o/sandbox/processwrapper-sandbox/7/execroot/_main", Sandbox, "a.cc"},
		{"/dev/shm/bazel-sandbox.0a1b/linux-sandbox/9/execroot/ws/b/c.h", "/dev/shm/bazel-sandbox.0a1b/linux-sandbox/9/execroot/ws", Sandbox, "b/c.h"},
		{"/o/execroot/ws/bazel-out/k8-dbg/bin/gen.cc", "/o/execroot/ws", Execroot, "bazel-out/k8-dbg/bin/gen.cc"},
		{"/b/f/w/external/abseil~/a.h", "/b/f/w", Remote, "external/abseil~/a.h"},
		{"/b/f/w", "/b/f/w", Remote, ""},
		{"/worker/build/6a0b/root/src/x.cc", "/worker/build/6a0b/root", Remote, "src/x.cc"},
		{"/worker/12/exec/src/x.cc", "/worker/12/exec", Remote, "src/x.cc"},
		{"/tmp/worker/k8/exec/src/x.cc", "/tmp/worker/k8/exec", Remote, "src/x.cc"},
		{"/o/sandbox/sandboxfs/4/execroot/ws/a.cc", "/o/sandbox/sandboxfs/4/execroot/ws", Sandbox, "a.cc"},
		{"/o/sandbox/darwin-sandbox/4/execroot/ws", "/o/sandbox/darwin-sandbox/4/execroot/ws", Sandbox, ""},
		// beside the root is another repository
		{"/proc/self/dep/d.cc", "/proc/self", Sibling, "external/dep/d.cc"},
		{"/proc/self/.hidden/x", "/proc/self", Sibling, "external/.hidden/x"},
		{"/proc/self/cwdx/a.cc", "/proc/self", Sibling, "external/cwdx/a.cc"},
		{"../.hidden/x", "", Relative, "external/.hidden/x"},
		{"../../...dots/x", "", Relative, "external/...dots/x"},
		{".hidden/x", "", Relative, ".hidden/x"},
		{"..", "", Relative, ""},
		{".", "", Relative, ""},
		{"./src/x.cc", "", Relative, "src/x.cc"},
		{"../abseil+/absl/a.h", "", Relative, "external/abseil+/absl/a.h"},
	} {
		root, rest, ok := Split(c.path)
		if !ok || root.Path != c.root || root.Kind != c.kind || rest != c.rest {
			t.Errorf("Split(%q) = %+v, %q, %v; want %q %q, %q", c.path, root, rest, ok, c.root, c.kind, c.rest)
		}
	}
}

func TestSplitLeavesOtherPathsAlone(t *testing.T) {
	for _, p := range []string{"", "/usr/include/c++/12/vector", "/home/u/src/main.cc", "/proc/self/exe", "/my/execroot",
		"/b/f/work/a.cc", "/x/b/f/w/a.cc", "/worker/build/6a0b/rooted/a.cc", "/worker/a/exec/a.cc", "/o/linux-sandbox/a/execroot"} {
		if root, rest, ok := Split(p); ok {
			t.Errorf("Split(%q) = %+v, %q", p, root, rest)
		}
	}
}

func TestOutputBaseIsInTheRoot(t *testing.T) {
	for path, want := range map[string]string{
		"/o/b/sandbox/linux-sandbox/1/execroot/ws/a.cc":           "/o/b",
		"/o/b/execroot/ws/a.cc":                                   "/o/b",
		"/proc/self/cwd/a.cc":                                     "",
		"/dev/shm/bazel-sandbox.0a/linux-sandbox/1/execroot/ws/a": "",
	} {
		root, _, _ := Split(path)
		if got := OutputBase(root); got != want {
			t.Errorf("OutputBase of %q = %q, want %q", path, got, want)
		}
	}
}
