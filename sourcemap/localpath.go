package sourcemap

import (
	"context"
	"path/filepath"
	"strings"
	"time"
)

// ofProcess reports whether a path means something else in every process: in a
// program /proc/self/cwd stands for the folder that Bazel ran the compiler in, and
// never for the one that this process was started in.
func ofProcess(p string) bool {
	p = filepath.Clean(p)
	for _, dir := range []string{"/proc", "/dev/fd", "/dev/stdin", "/dev/stdout", "/dev/stderr"} {
		if _, ok := cutFolder(p, dir); ok {
			return true
		}
	}
	return false
}

// cutFolder cuts a folder from the front of a path, at a slash.
func cutFolder(p, dir string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(p, strings.TrimRight(dir, "/"))
	if !ok || rest != "" && rest[0] != '/' {
		return "", false
	}
	return strings.TrimLeft(rest, "/"), true
}

// realPath is the key of a local file: all of its names lead to one.
func realPath(p string) string {
	if real, err := filepath.EvalSymlinks(p); err == nil {
		return real
	}
	return filepath.Clean(p)
}

// patience bounds how long a path that an editor or a debugger names may take to
// follow. On a dead network mount it would take for ever.
const patience = 2 * time.Second

// keyOf is the key of a path that comes from outside: realPath, or "" for a path
// that stands for no file of its own.
func keyOf(p string) string {
	if !filepath.IsAbs(p) || ofProcess(p) {
		return ""
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	real, err := abandonable(ctx, func() (string, error) { return realPath(p), nil })
	if err != nil {
		return filepath.Clean(p)
	}
	return real
}
