package program

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Look finds a program as a shell in dir with that PATH would, and checks that it may
// be executed. The error wraps fs.ErrNotExist, fs.ErrPermission or, of a folder, EISDIR.
func Look(name, path, dir string) (string, error) {
	if name == "" {
		return "", notFound("no program is named")
	}
	abs := func(p string) string {
		if !filepath.IsAbs(p) {
			p = filepath.Join(dir, p)
		}
		return p
	}
	if strings.Contains(name, "/") {
		p := abs(name)
		return p, executable(p)
	}
	var refused error
	for _, d := range filepath.SplitList(path) {
		p := abs(filepath.Join(d, name))
		switch err := executable(p); {
		case err == nil:
			return p, nil
		case refused == nil && regular(p):
			refused = err
		}
	}
	if refused != nil {
		return "", refused
	}
	return "", notFound(fmt.Sprintf("%s is not in PATH (%s)", name, path))
}

// notFound is an fs.ErrNotExist that says what was looked for.
type notFound string

func (n notFound) Error() string { return string(n) }

// Is implements errors.Is.
func (notFound) Is(target error) bool { return target == fs.ErrNotExist }

func executable(p string) error {
	st, err := os.Stat(p)
	switch {
	case err != nil:
		return err
	case st.IsDir():
		return &fs.PathError{Op: "stat", Path: p, Err: syscall.EISDIR}
	case denied(p):
		return fmt.Errorf("%s is not executable (mode %s): %w", p, st.Mode(), fs.ErrPermission)
	}
	return nil
}

// denied reports whether this process may not execute a file, or pass a folder. It asks
// for what the process may in effect: access(2) forgets its capabilities.
func denied(p string) bool {
	return unix.Faccessat(unix.AT_FDCWD, p, unix.X_OK, unix.AT_EACCESS) == unix.EACCES
}

func regular(p string) bool {
	st, err := os.Stat(p)
	return err == nil && st.Mode().IsRegular()
}
