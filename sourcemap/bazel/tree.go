package bazel

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/envoydbg/envoydbg/internal/regular"
)

// Tree is a local work tree and the output base that goes with it.
type Tree struct {
	// WorkTree is the folder of the WORKSPACE or MODULE.bazel file, absolute.
	WorkTree string
	// OutputBase is Bazel's folder for it; "" when there is none.
	OutputBase string
	// Workspace is the name of the folder below execroot: the workspace's
	// name, or _main with bzlmod. "" when unknown.
	Workspace string
	// From says how the output base was found: one of the constants below, or
	// the name of the work tree's link that leads there.
	From string
}

// How an output base was found, when not by a link in the work tree.
const (
	FromProgram    = "program"    // the executable lies in it
	FromMemory     = "remembered" // a link led there in an earlier session
	FromDefault    = "computed"   // Bazel's default for the work tree
	FromDebugPaths = "debug information"
)

// Linked reports whether a link in the work tree leads to the output base: then
// it is Bazel's own word, and worth remembering.
func (t Tree) Linked() bool {
	switch t.From {
	case "", FromProgram, FromMemory, FromDefault, FromDebugPaths:
		return false
	}
	return true
}

// markers are the files at the top of a Bazel work tree.
var markers = []string{"MODULE.bazel", "WORKSPACE.bazel", "WORKSPACE", "REPO.bazel"}

// IsWorkTree reports whether dir is the top of a Bazel work tree. An execution
// root is none, though it has links to all that is at the top of one.
func IsWorkTree(dir string) bool {
	for _, name := range markers {
		if regular.Is(filepath.Join(dir, name)) {
			_, inBase := In(dir)
			return !inBase
		}
	}
	return false
}

// execroot is the execution root of a name in the output base, "" when unknown.
func (t Tree) execroot(name string) string {
	if t.OutputBase == "" || name == "" {
		return ""
	}
	return filepath.Join(t.OutputBase, "execroot", name)
}

// Candidates are the local paths that a rest below a root may stand for, best
// first; all are absolute, none need exist. External repositories are looked up
// in the output base and never in the execution root, where building a subset of
// the targets removes them.
func (t Tree) Candidates(root Root, rest string) []string {
	var out []string
	add := func(dir string, elem ...string) {
		if dir != "" {
			out = append(out, filepath.Join(append([]string{dir}, elem...)...))
		}
	}
	// The root may be that of another repository, or of a build that called the
	// workspace by another name.
	other := t.otherName(root)
	external, isExternal := strings.CutPrefix(rest, "external/")
	isOutput := strings.HasPrefix(rest, "bazel-out/")
	if other != "" && !isOutput {
		add(t.OutputBase, "external", other, rest)
	}
	switch {
	case isExternal:
		add(t.OutputBase, rest)
		if t.WorkTree != "" {
			// vendored repositories (`bazel vendor`), and links of older builds
			add(t.WorkTree, "bazel-external", external)
			add(t.WorkTree, rest)
			add(t.WorkTree, "bazel-"+filepath.Base(t.WorkTree), rest)
		}
	case isOutput:
		sources := t.copied(rest)
		if strings.Contains(rest, ".build_tmpdir/") {
			out = append(out, sources...)
			sources = nil
		}
		for _, dir := range t.outputs(root) {
			add(dir, rest)
		}
		out = append(out, sources...)
	default:
		add(t.WorkTree, rest)
		add(t.execroot(t.Workspace), rest)
	}
	return out
}

// otherName is the name of a folder below an execroot that is not the
// workspace's.
func (t Tree) otherName(root Root) string {
	if t.OutputBase == "" || root.Kind != Sandbox && root.Kind != Execroot {
		return ""
	}
	if name := filepath.Base(root.Path); name != t.Workspace {
		return name
	}
	return ""
}

// outputs are the folders that have a bazel-out, best first: the execution root
// is of this output base for sure, the link may be that of another build.
func (t Tree) outputs(root Root) []string {
	var out []string
	for _, dir := range []string{t.execroot(t.otherName(root)), t.execroot(t.Workspace), t.WorkTree} {
		if dir != "" {
			out = append(out, dir)
		}
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
	if _, inRepository, ok := strings.Cut(rest, "/bin/external/"); ok {
		repository, tail, _ = strings.Cut(inRepository, "/")
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

// Prefixes are the folders here that folders of the root stand for, the longest
// first: a map for who can only replace prefixes.
func (t Tree) Prefixes(root Root) [][2]string {
	var out [][2]string
	add := func(from, to string) {
		if to != "" {
			out = append(out, [2]string{from, to})
		}
	}
	external := ""
	if t.OutputBase != "" {
		external = filepath.Join(t.OutputBase, "external")
	}
	if root.Kind == Sibling {
		// What is beside the root is another repository.
		add(root.Path, external)
		return out
	}
	if other := t.otherName(root); other != "" && isDir(filepath.Join(external, other)) {
		add(root.Path, filepath.Join(external, other))
		return out
	}
	for _, dir := range t.outputs(root) {
		outputs := filepath.Join(dir, "bazel-out")
		if !isDir(outputs) {
			continue
		}
		// The work tree's own link serves where it leads to the same outputs.
		if !sameDir(outputs, filepath.Join(t.WorkTree, "bazel-out")) {
			add(root.Path+"/bazel-out", outputs)
		}
		break
	}
	if external != "" {
		add(root.Path+"/external", external)
	}
	add(root.Path, t.WorkTree)
	return out
}

func isDir(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}
