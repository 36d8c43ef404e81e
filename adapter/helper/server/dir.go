//go:build linux

package server

import "github.com/envoydbg/envoydbg/internal/tempdir"

// maxDir leaves room for "/gdbserver.XXXXXX" within the 107 bytes of a unix
// socket's address.
const maxDir = 107 - len("/gdbserver.XXXXXX")

// MakeDir makes the 0700 folder of a session in the first of the given places,
// or the usual ones when none is given, that is writable, lets programs run
// (the gate is one) and is short enough for unix sockets.
func MakeDir(places ...string) (*tempdir.Dir, error) {
	if len(places) == 0 {
		places = tempdir.Places()
	}
	return tempdir.Make(places, tempdir.Need{MaxPath: maxDir, Exec: true})
}
