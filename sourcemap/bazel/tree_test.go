package bazel

import (
	"crypto/md5"
	"encoding/hex"
	"os"
	"path/filepath"
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
	link(t, filepath.Join(base, "execroot/main/bazel-out"), filepath.Join(tree, "bazel-out"))
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

func TestTheLinkOfABuildTellsTheOutputBase(t *testing.T) {
	tree, base := workspace(t)
	got := Find(tree, "")
	if got.OutputBase != base || got.Workspace != "main" || got.From != "bazel-out" {
		t.Errorf("Find = %+v, want the base %s", got, base)
	}
}

func TestAfterACleanTheOutputBaseIsRemembered(t *testing.T) {
	tree, base := workspace(t)
	if err := os.Remove(filepath.Join(tree, "bazel-out")); err != nil {
		t.Fatal(err)
	}
	if got := Find(tree, base); got.OutputBase != base || got.From != "remembered" {
		t.Errorf("Find = %+v, want the base %s, remembered", got, base)
	}
	if got := Find(tree, "/nonexistent"); got.OutputBase != "" {
		t.Errorf("Find = %+v, want none", got)
	}
}

func TestWithoutAnythingTheOutputBaseIsComputed(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("USER", "me")
	tree := filepath.Join(t.TempDir(), "ws")
	sum := md5.Sum([]byte(tree))
	base := filepath.Join(cache, "bazel/_bazel_me", hex.EncodeToString(sum[:]))
	write(t, filepath.Join(base, "external/dep/d.cc"))
	if got := Find(tree, ""); got.OutputBase != base || got.From != "computed" {
		t.Errorf("Find = %+v, want the base %s, computed", got, base)
	}
}

func TestExternalFilesComeFromTheOutputBase(t *testing.T) {
	tree, base := workspace(t)
	got := Find(tree, "").Candidates(Root{}, "external/dep/d.cc")
	if got[0] != filepath.Join(base, "external/dep/d.cc") {
		t.Errorf("candidates %q", got)
	}
}

func TestLinkFarmsLeadToTheFileOneEdits(t *testing.T) {
	tree, _ := workspace(t)
	found := Find(tree, "")
	farm := found.Candidates(Root{}, "bazel-out/k8-dbg/bin/_virtual_includes/t/x/a.cc")[0]
	if got, want := found.Resolve(farm), filepath.Join(tree, "source/a.cc"); got != want {
		t.Errorf("Resolve(%s) = %s, want %s", farm, got, want)
	}
}

func TestTheWorkTreeKeepsItsSpelling(t *testing.T) {
	tree, _ := workspace(t)
	alias := filepath.Join(t.TempDir(), "alias")
	link(t, tree, alias)
	found := Tree{WorkTree: alias}
	if got, want := found.Resolve(filepath.Join(alias, "source/a.cc")), filepath.Join(alias, "source/a.cc"); got != want {
		t.Errorf("Resolve = %s, want %s", got, want)
	}
}

func TestALibrarysOwnBuildLeadsToItsSources(t *testing.T) {
	tree, base := workspace(t)
	want := filepath.Join(base, "external/crc/src/crc.c")
	for _, c := range Find(tree, "").Candidates(Root{}, "bazel-out/k8-dbg/bin/external/crc/crc.build_tmpdir/src/crc.c") {
		if c == want {
			return
		}
	}
	t.Errorf("%s is not among the candidates", want)
}

func TestRepositoriesBesideEachOther(t *testing.T) {
	tree, base := workspace(t)
	root, rest, ok := Split("/proc/self/dep/d.cc")
	if !ok || root.Kind != Sibling || rest != "external/dep/d.cc" {
		t.Errorf("Split = %+v %q %v", root, rest, ok)
	}
	root, rest, _ = Split("/o/sandbox/linux-sandbox/3/execroot/dep/d.cc")
	if got, want := Find(tree, "").Candidates(root, rest)[0], filepath.Join(base, "external/dep/d.cc"); got != want {
		t.Errorf("candidate %s, want %s", got, want)
	}
}
