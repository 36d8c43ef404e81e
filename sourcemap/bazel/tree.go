package bazel

import (
	"crypto/md5"
	"encoding/hex"
	"os"
	"os/user"
	"path/filepath"
	"strings"
)

// Tree is a local work tree and the output base that goes with it.
type Tree struct {
	// WorkTree is the folder of the WORKSPACE or MODULE.bazel file.
	WorkTree string
	// OutputBase is Bazel's folder for it; "" when there is none.
	OutputBase string
	// Workspace is the name of the folder below execroot: the workspace's
	// name, or _main with bzlmod. "" when unknown.
	Workspace string
	// From says how the output base was found.
	From string
}

// markers are the files at the top of a Bazel work tree.
var markers = []string{"MODULE.bazel", "WORKSPACE.bazel", "WORKSPACE", "REPO.bazel"}

// IsWorkTree reports whether dir is the top of a Bazel work tree.
func IsWorkTree(dir string) bool {
	for _, name := range markers {
		if st, err := os.Stat(filepath.Join(dir, name)); err == nil && !st.IsDir() {
			return true
		}
	}
	return false
}

// Find looks for the output base of a work tree: the link bazel-out that a build
// leaves; else remembered, what an earlier session saw; else where Bazel puts it
// by default. `bazel clean` removes the links and leaves OutputBase/external.
func Find(workTree, remembered string) Tree {
	t := Tree{WorkTree: workTree}
	for _, link := range []string{"bazel-out", "bazel-" + filepath.Base(workTree)} {
		to, err := os.Readlink(filepath.Join(workTree, link))
		if err != nil {
			continue
		}
		// <base>/execroot/<workspace>[/bazel-out]
		to = strings.TrimSuffix(to, "/bazel-out")
		if filepath.Base(filepath.Dir(to)) == "execroot" {
			t.Workspace, t.OutputBase, t.From = filepath.Base(to), filepath.Dir(filepath.Dir(to)), link
			return t
		}
	}
	if remembered != "" && isDir(filepath.Join(remembered, "external")) {
		t.OutputBase, t.From = remembered, "remembered"
		return t
	}
	if base := defaultOutputBase(workTree); base != "" && isDir(filepath.Join(base, "external")) {
		t.OutputBase, t.From = base, "computed"
	}
	return t
}

// defaultOutputBase is <cache>/bazel/_bazel_<user>/<md5 of the work tree's path>.
func defaultOutputBase(workTree string) string {
	cache, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	name := os.Getenv("USER")
	if name == "" {
		if u, err := user.Current(); err == nil {
			name = u.Username
		}
	}
	sum := md5.Sum([]byte(workTree))
	return filepath.Join(cache, "bazel", "_bazel_"+name, hex.EncodeToString(sum[:]))
}

func isDir(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}

// Candidates are the local paths that a rest below a root may stand for, best
// first; none need exist. External repositories are looked up in the output base
// and never in the execution root, where building a subset of the targets removes
// them.
func (t Tree) Candidates(root Root, rest string) []string {
	var out []string
	add := func(elem ...string) { out = append(out, filepath.Join(elem...)) }
	execroot := ""
	if t.OutputBase != "" && t.Workspace != "" {
		execroot = filepath.Join(t.OutputBase, "execroot", t.Workspace)
	}
	switch {
	case t.OutputBase != "" && (root.Kind == Sandbox || root.Kind == Execroot) && t.Workspace != "" &&
		filepath.Base(root.Path) != t.Workspace && !strings.HasPrefix(rest, "bazel-out/"):
		// In the sibling layout repositories are beside each other in execroot.
		add(t.OutputBase, "external", filepath.Base(root.Path), rest)
		fallthrough
	default:
		add(t.WorkTree, rest)
		if execroot != "" {
			add(execroot, rest)
		}
	case strings.HasPrefix(rest, "external/"):
		if t.OutputBase != "" {
			add(t.OutputBase, rest)
		}
		// vendored repositories (`bazel vendor`), and links of older builds
		add(t.WorkTree, "bazel-external", strings.TrimPrefix(rest, "external/"))
		add(t.WorkTree, rest)
		add(t.WorkTree, "bazel-"+filepath.Base(t.WorkTree), rest)
	case strings.HasPrefix(rest, "bazel-out/"):
		sources := t.copied(rest)
		if strings.Contains(rest, ".build_tmpdir/") {
			out = append(out, sources...)
			sources = nil
		}
		add(t.WorkTree, rest)
		if execroot != "" {
			add(execroot, rest)
		}
		out = append(out, sources...)
	}
	return out
}

// copied are the places a file among the outputs of an external repository may
// have been copied from: a library with a build of its own (rules_foreign_cc) is
// built in a copy of its sources, <name>.build_tmpdir, that is gone afterwards.
func (t Tree) copied(rest string) []string {
	if t.OutputBase == "" {
		return nil
	}
	var repository, tail string
	if _, below, ok := strings.Cut(rest, "/bin/external/"); ok {
		repository, tail, _ = strings.Cut(below, "/")
	} else if parts := strings.SplitN(rest, "/", 5); len(parts) == 5 && parts[3] == "bin" {
		// bazel-out/REPO/CONFIGURATION/bin/…: the sibling layout
		repository, tail = parts[1], parts[4]
	} else {
		return nil
	}
	var out []string
	for {
		var found bool
		if _, tail, found = strings.Cut(tail, "/"); !found {
			return out
		}
		out = append(out, filepath.Join(t.OutputBase, "external", repository, tail))
	}
}

// Resolve follows the links of an existing candidate to the file a person edits.
// A generated link farm (_virtual_includes) may point into an execution root,
// whose links point on into the work tree. A file of the work tree keeps the
// spelling of the work tree.
func (t Tree) Resolve(candidate string) string {
	real, err := filepath.EvalSymlinks(candidate)
	if err != nil {
		return candidate
	}
	realTree, err := filepath.EvalSymlinks(t.WorkTree)
	if err != nil {
		return real
	}
	if rel, err := filepath.Rel(realTree, real); err == nil && filepath.IsLocal(rel) {
		return filepath.Join(t.WorkTree, rel)
	}
	return real
}

// IsOutputBase reports whether dir is an output base on this machine.
func IsOutputBase(dir string) bool { return isDir(filepath.Join(dir, "external")) }
