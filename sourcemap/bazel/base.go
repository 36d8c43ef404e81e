package bazel

import (
	"crypto/md5"
	"encoding/hex"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"strings"

	"github.com/envoydbg/envoydbg/internal/regular"
)

// Find looks for the output base of a work tree ("" for none), by what can be
// trusted most:
//
//   - the one that program, by its real path, lies in (program may be "");
//   - the links that a build leaves in the work tree, unless they lead nowhere;
//   - remembered, to which such a link led in an earlier session: `bazel clean`
//     removes the links and leaves OutputBase/external;
//   - Bazel's default.
func Find(workTree, program, remembered string) Tree {
	t := Tree{WorkTree: workTree}
	linked, hasLink := byLink(workTree)
	if in, ok := In(program); ok && !(hasLink && sameDir(in.OutputBase, linked.OutputBase)) {
		t.OutputBase, t.Workspace, t.From = in.OutputBase, in.Workspace, FromProgram
		return t
	}
	if hasLink {
		return linked
	}
	for _, known := range []struct{ base, from string }{
		{remembered, FromMemory},
		{defaultOutputBase(workTree), FromDefault},
	} {
		if IsOutputBase(known.base) {
			return t.WithBase(known.base, known.from)
		}
	}
	return t
}

// WithBase is the tree with this output base.
func (t Tree) WithBase(base, from string) Tree {
	t.OutputBase, t.Workspace, t.From = base, workspaceOf(base), from
	return t
}

// byLink follows the links that a build leaves in its work tree: bazel-out leads
// to OUTPUT_BASE/execroot/WORKSPACE/bazel-out, bazel-<tree> to the folder above.
func byLink(workTree string) (Tree, bool) {
	if workTree == "" {
		return Tree{}, false
	}
	names := []string{"bazel-out", "bazel-" + filepath.Base(workTree)}
	if real, err := filepath.EvalSymlinks(workTree); err == nil {
		names = append(names, "bazel-"+filepath.Base(real))
	}
	for _, name := range names {
		link := filepath.Join(workTree, name)
		if to, err := os.Readlink(link); err != nil || !isDir(link) {
			continue
		} else if base, workspace, ok := splitExecroot(to); ok {
			return Tree{workTree, base, workspace, name}, true
		}
		// A link to a link, or a relative one.
		if to, err := filepath.EvalSymlinks(link); err == nil {
			if base, workspace, ok := splitExecroot(to); ok {
				return Tree{workTree, base, workspace, name}, true
			}
		}
	}
	return Tree{}, false
}

// splitExecroot takes BASE/execroot/WORKSPACE[/bazel-out] apart.
func splitExecroot(dir string) (base, workspace string, ok bool) {
	dir = strings.TrimSuffix(filepath.Clean(dir), "/bazel-out")
	execroot := filepath.Dir(dir)
	if !filepath.IsAbs(dir) || filepath.Base(execroot) != "execroot" {
		return "", "", false
	}
	return filepath.Dir(execroot), filepath.Base(dir), true
}

// marker is a file that Bazel writes into each output base, against builds in
// it. It has the path of the work tree.
const marker = "DO_NOT_BUILD_HERE"

// In is the tree in whose output base a path really lies. Its work tree is "" if
// that is no longer there.
func In(path string) (Tree, bool) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil || !filepath.IsAbs(real) {
		return Tree{}, false
	}
	for dir := real; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		// There is one in OUTPUT_BASE/execroot as well.
		if !regular.Is(filepath.Join(dir, marker)) || regular.Is(filepath.Join(filepath.Dir(dir), marker)) {
			continue
		}
		t := Tree{OutputBase: dir, WorkTree: readMarker(dir), From: FromProgram}
		if rest, ok := strings.CutPrefix(real, filepath.Join(dir, "execroot")+"/"); ok {
			t.Workspace, _, _ = strings.Cut(rest, "/")
		} else {
			t.Workspace = workspaceOf(dir)
		}
		return t, true
	}
	return Tree{}, false
}

func readMarker(base string) string {
	f, err := regular.Open(filepath.Join(base, marker))
	if err != nil {
		return ""
	}
	defer f.Close()
	const longest = 4096 // PATH_MAX
	text, _ := io.ReadAll(io.LimitReader(f, longest))
	tree := strings.TrimSpace(string(text))
	if !filepath.IsAbs(tree) || !isDir(tree) {
		return ""
	}
	return tree
}

// workspaceOf is the workspace's name in an output base: below execroot that
// folder alone has outputs. After a change of the name there are several; the
// one built last counts.
func workspaceOf(base string) string {
	entries, err := os.ReadDir(filepath.Join(base, "execroot"))
	if err != nil {
		return ""
	}
	name, newest := "", int64(0)
	for _, e := range entries {
		st, err := os.Stat(filepath.Join(base, "execroot", e.Name(), "bazel-out"))
		if err == nil && st.IsDir() && (name == "" || st.ModTime().UnixNano() > newest) {
			name, newest = e.Name(), st.ModTime().UnixNano()
		}
	}
	return name
}

// defaultOutputBase is <cache>/bazel/_bazel_<user>/<md5 of the work tree's path>.
// Bazel takes the path without symbolic links.
func defaultOutputBase(workTree string) string {
	cache, err := os.UserCacheDir()
	if workTree == "" || err != nil {
		return ""
	}
	name := os.Getenv("USER")
	if name == "" {
		if u, err := user.Current(); err == nil {
			name = u.Username
		}
	}
	if real, err := filepath.EvalSymlinks(workTree); err == nil {
		workTree = real
	}
	sum := md5.Sum([]byte(workTree))
	return filepath.Join(cache, "bazel", "_bazel_"+name, hex.EncodeToString(sum[:]))
}

// IsOutputBase reports whether dir is an output base on this machine.
func IsOutputBase(dir string) bool { return dir != "" && isDir(filepath.Join(dir, "external")) }

// sameDir reports whether two names stand for one folder.
func sameDir(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}
