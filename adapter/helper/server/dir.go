//go:build linux

package server

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// privateName is the folder, below a session's, that only the session's user may
// enter. lldb-server's sockets are there.
const privateName = "lldb"

// maxDir leaves room for lldb-server's sockets within the 107 bytes of a unix
// socket's address.
const maxDir = 107 - len("/"+privateName+"/gdbserver.XXXXXX")

func (s *session) private() string { return filepath.Join(s.dir, privateName) }

// sessionDirs are the places to try: those of a login, then those that are
// writable in an Istio sidecar with a read-only root.
func sessionDirs() []string {
	return []string{os.Getenv("XDG_RUNTIME_DIR"), os.Getenv("TMPDIR"), "/tmp", "/dev/shm",
		"/var/lib/istio/data", "/etc/istio/proxy"}
}

// MakeDir makes the folder of a session in the first of the given places, or the
// usual ones when none is given, that is writable, lets programs run (the gate is
// one) and is short enough for unix sockets. Places that are closed to other users
// come last: an agent that changes its user must reach the gate. Others may pass
// the folder but not list it.
func MakeDir(places ...string) (string, error) {
	if len(places) == 0 {
		places = sessionDirs()
	}
	places = slices.Clone(places)
	slices.SortStableFunc(places, func(a, b string) int {
		switch closedA, closedB := closedToOthers(a) != "", closedToOthers(b) != ""; {
		case closedA == closedB:
			return 0
		case closedA:
			return 1
		default:
			return -1
		}
	})
	var why []string
	for _, place := range places {
		if place == "" {
			continue
		}
		dir, err := makeDir(place)
		if err == nil {
			return dir, nil
		}
		why = append(why, err.Error())
	}
	return "", fmt.Errorf("no place for the session's folder: %s", strings.Join(why, "; "))
}

func makeDir(place string) (string, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(place, &fs); err != nil {
		return "", fmt.Errorf("%s: %w", place, err)
	}
	if fs.Flags&unix.ST_NOEXEC != 0 {
		return "", fmt.Errorf("%s: mounted noexec", place)
	}
	dir, err := os.MkdirTemp(place, "envoydbg-")
	if err != nil {
		return "", err
	}
	if len(dir) > maxDir {
		os.Remove(dir)
		return "", fmt.Errorf("%s: too long for unix sockets (%d bytes, at most %d)", dir, len(dir), maxDir)
	}
	if err = os.Chmod(dir, 0o711); err == nil {
		err = os.Mkdir(filepath.Join(dir, privateName), 0o700)
	}
	if err != nil {
		os.RemoveAll(dir)
		return "", err
	}
	return dir, nil
}
