package linetable

import (
	"path"
	"strings"
)

// spell is LLDB's path of a file: see the package's documentation.
func spell(comp, dir, name string) string {
	switch {
	case strings.HasPrefix(name, "/"):
		return normalize(name)
	case strings.HasPrefix(dir, "/"):
		return normalize(join(dir, name))
	}
	return normalize(join(comp, join(dir, name)))
}

// join joins without making two slashes, which could become a root.
func join(dir, name string) string {
	if dir == "" || strings.HasSuffix(dir, "/") {
		return dir + name
	}
	return dir + "/" + name
}

// normalize takes out what is redundant. Unlike path.Clean it leaves the root
// "//host" alone.
func normalize(p string) string {
	if strings.HasPrefix(p, "//") && len(p) > 2 && p[2] != '/' {
		if i := strings.IndexByte(p[2:], '/'); i >= 0 {
			return p[:2+i] + path.Clean(p[2+i:])
		}
		return p
	}
	return path.Clean(p)
}
