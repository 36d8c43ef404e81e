//go:build linux

package server

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/sourcegraph/jsonrpc2"

	"github.com/envoydbg/envoydbg/adapter/helper"
)

// fail makes the error object of a response.
func fail(code int64, format string, args ...any) error {
	return &jsonrpc2.Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// refused makes the error object for a ptrace that the kernel refuses.
func refused(r *helper.Refusal) error {
	e := &jsonrpc2.Error{Code: helper.CodePtrace, Message: r.Why}
	e.SetError(r)
	return e
}

// codeOf tells the errors of the file system apart; other is for all else.
func codeOf(err error, other int64) int64 {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, exec.ErrNotFound):
		return helper.CodeNotFound
	case errors.Is(err, fs.ErrPermission):
		return helper.CodePermission
	}
	return other
}

// lookPath finds a program as a shell in dir with that PATH would, and checks
// that it is an executable file.
func lookPath(name, path, dir string) (string, error) {
	if name == "" {
		return "", fmt.Errorf("no program is named: %w", fs.ErrNotExist)
	}
	abs := func(p string) string {
		if !filepath.IsAbs(p) {
			p = filepath.Join(dir, p)
		}
		return p
	}
	if strings.Contains(name, "/") {
		p := abs(name)
		if err := executable(p); err != nil {
			return "", err
		}
		return p, nil
	}
	for _, d := range filepath.SplitList(path) {
		if p := abs(filepath.Join(d, name)); executable(p) == nil {
			return p, nil
		}
	}
	return "", fmt.Errorf("%s is not in PATH (%s): %w", name, path, fs.ErrNotExist)
}

func executable(p string) error {
	st, err := os.Stat(p)
	switch {
	case err != nil:
		return err
	case st.IsDir():
		return fmt.Errorf("%s is a folder: %w", p, fs.ErrPermission)
	case st.Mode()&0o111 == 0:
		return fmt.Errorf("%s is not executable (mode %s): %w", p, st.Mode(), fs.ErrPermission)
	}
	return nil
}
