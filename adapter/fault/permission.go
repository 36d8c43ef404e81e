package fault

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/envoydbg/envoydbg/internal/program"
)

// refusal returns the fault for a cause, or for what a helper reports of it, when it is
// that a permission is missing; else nil. path is the file, on this machine unless
// there is only text; to is what was to be done.
func refusal(to, path string, cause error, said string) *Fault {
	switch {
	case errors.Is(cause, fs.ErrPermission):
		if said = program.Refusal(path); said == "" {
			said = text(cause)
		}
	case cause == nil && strings.Contains(said, syscall.EACCES.Error()):
		said = plain(said)
	default:
		return nil
	}
	f := NotPermitted(to, path, said)
	f.Cause = cause
	return f
}

// mend says how a permission is given.
func mend(to, path string) string {
	command := mendBy(to, path)
	if strings.HasPrefix(to, "run ") {
		return fmt.Sprintf(`Permit it ("%s"), or start envoydbg as a user who may; if the mode is right, the file system is mounted noexec, or a folder above is closed ("namei -l %s").`, command, path)
	}
	return fmt.Sprintf(`Permit it ("%s" shows the modes on the way), or start envoydbg as a user who may.`, command)
}

// mendBy is the command of mend.
func mendBy(to, path string) string {
	if strings.HasPrefix(to, "run ") {
		return "chmod +x " + path
	}
	return "namei -l " + path
}
