//go:build linux

package server

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/envoydbg/envoydbg/internal/tempdir"
)

// privateName is the folder, below a session's, that only the session's user may
// enter. lldb-server's sockets are there.
const privateName = "lldb"

// maxDir leaves room for lldb-server's sockets within the 107 bytes of a unix
// socket's address.
const maxDir = 107 - len("/"+privateName+"/gdbserver.XXXXXX")

func (s *session) private() string { return filepath.Join(s.dir, privateName) }

// MakeDir makes the folder of a session in the first of the given places, or the
// usual ones when none is given, that is writable, lets programs run (the gate is
// one) and is short enough for unix sockets. Places that are closed to other users
// come last: an agent that changes its user must reach the gate. Others may pass
// the folder but not list it.
func MakeDir(places ...string) (*tempdir.Dir, error) {
	if len(places) == 0 {
		places = tempdir.Places()
	}
	var open, closed []string
	for _, place := range places {
		if closedToOthers(place) == "" {
			open = append(open, place)
		} else {
			closed = append(closed, place)
		}
	}
	dir, err := tempdir.Make(slices.Concat(open, closed), tempdir.Need{MaxPath: maxDir, Exec: true})
	if err != nil {
		return nil, err
	}
	if err = os.Chmod(dir.Path, 0o711); err == nil {
		err = os.Mkdir(filepath.Join(dir.Path, privateName), 0o700)
	}
	if err != nil {
		_ = dir.Remove()
		return nil, err
	}
	return dir, nil
}
