//go:build linux

package server

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// maxDir leaves room for "/gdbserver.XXXXXX" within the 107 bytes of a unix
// socket's address.
const maxDir = 107 - len("/gdbserver.XXXXXX")

// sessionDirs are the places to try: those of a login, then those that are
// writable in an Istio sidecar with a read-only root.
func sessionDirs() []string {
	return []string{os.Getenv("XDG_RUNTIME_DIR"), os.Getenv("TMPDIR"), "/tmp", "/dev/shm",
		"/var/lib/istio/data", "/etc/istio/proxy"}
}

// MakeDir makes the 0700 folder of a session in the first of the given places,
// or the usual ones when none is given, that is writable, lets programs run
// (the gate is one) and is short enough for unix sockets.
func MakeDir(places ...string) (string, error) {
	if len(places) == 0 {
		places = sessionDirs()
	}
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
	return dir, nil
}
