package bazel

import (
	"path"
	"regexp"
	"strings"
)

// Kind says how an execution root came to be.
type Kind string

// The kinds of roots.
const (
	ProcSelfCwd Kind = "proc-self-cwd" // -ffile-prefix-map of Bazel's own toolchains
	Sandbox     Kind = "sandbox"       // a numbered sandbox that leaked into the file
	Execroot    Kind = "execroot"      // an action without sandbox
	Remote      Kind = "remote"        // a remote execution worker
	Relative    Kind = "relative"      // a relative compilation directory
	Sibling     Kind = "sibling"       // beside the root: another repository, with --experimental_sibling_repository_layout
)

// Root is an execution root as the debug information spells it, without a slash
// at its end; empty for a relative path.
type Root struct {
	Path string
	Kind Kind
}

var (
	// …/sandbox/linux-sandbox/7/execroot/ws, also below a --sandbox_base such
	// as /dev/shm/bazel-sandbox.<hash>/linux-sandbox/7/execroot/ws.
	sandboxRoot = regexp.MustCompile(`^(/.*/(?:linux-sandbox|processwrapper-sandbox|darwin-sandbox|sandboxfs)/\d+/execroot/[^/]+)(?:/|$)`)
	// …/execroot/ws.
	execRoot = regexp.MustCompile(`^(/.*?/execroot/[^/]+)(?:/|$)`)
	// Workers of remote execution: /b/f/w (Google's), /worker/build/<id>/root
	// (bb-worker, Buildbarn), /worker/<n>/exec (Buildfarm).
	remoteRoot = regexp.MustCompile(`^(/b/f/w|/worker/build/[^/]+/root|/tmp/worker/[^/]+/exec|/worker/\d+/exec)(?:/|$)`)
)

// Split finds the execution root of a path in the debug information. The rest
// has no "./" or "//" in it. ok is false for a path outside of any root.
func Split(p string) (root Root, rest string, ok bool) {
	switch {
	case p == "":
		return Root{}, "", false
	case !path.IsAbs(p):
		return Root{Kind: Relative}, fromRoot(p), true
	case p == "/proc/self/cwd" || strings.HasPrefix(p, "/proc/self/cwd/"):
		return Root{"/proc/self/cwd", ProcSelfCwd}, fromRoot(strings.TrimPrefix(p, "/proc/self/cwd")), true
	}
	// /proc/self/cwd/../REPO, as LLDB and the reader of line tables spell it.
	if rest, ok := strings.CutPrefix(p, "/proc/self/"); ok && strings.Contains(rest, "/") {
		return Root{"/proc/self", Sibling}, "external/" + fromRoot(rest), true
	}
	for _, r := range []struct {
		pattern *regexp.Regexp
		kind    Kind
	}{{sandboxRoot, Sandbox}, {execRoot, Execroot}, {remoteRoot, Remote}} {
		if m := r.pattern.FindStringSubmatch(p); m != nil {
			return Root{m[1], r.kind}, fromRoot(p[len(m[1]):]), true
		}
	}
	return Root{}, "", false
}

// fromRoot makes a rest relative to its root and plain. "../repo/x" is what a
// path from within the main repository to another one looks like where
// repositories are beside each other; in other layouts that is external/repo/x.
func fromRoot(rest string) string {
	rest = path.Clean(strings.TrimLeft(rest, "/"))
	outside := false
	for {
		after, ok := strings.CutPrefix(rest, "../")
		if !ok {
			break
		}
		rest, outside = after, true
	}
	switch {
	case rest == "." || rest == "..":
		return ""
	case outside:
		return "external/" + rest
	}
	return rest
}

// OutputBase of a sandbox or execution root path, "" if it does not tell.
func OutputBase(root Root) string {
	switch root.Kind {
	case Sandbox:
		if base, _, ok := strings.Cut(root.Path, "/sandbox/"); ok {
			return base
		}
	case Execroot:
		if base, _, ok := strings.Cut(root.Path, "/execroot/"); ok {
			return base
		}
	}
	return ""
}
