//go:build linux

package server

import (
	"errors"
	"fmt"
	"io/fs"
	"os/exec"

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
