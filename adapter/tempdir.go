package adapter

import (
	"errors"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/internal/tempdir"
)

// maxTempDir keeps the sockets in a session's folder within the 107 bytes that the
// address of a unix socket has.
const maxTempDir = 80

// MakeTempDir makes a folder of mode 0700 for a session's sockets, and returns it
// with the function that removes it. The error is a fault.
func MakeTempDir() (dir string, remove func(), err error) {
	d, err := tempdir.Make(tempdir.Places(), tempdir.Need{MaxPath: maxTempDir})
	if err != nil {
		var failed *tempdir.Error
		if errors.As(err, &failed) {
			err = fault.NoTempDir(failed.Tried, maxTempDir, err)
		}
		return "", nil, err
	}
	return d.Path, func() { _ = d.Remove() }, nil
}
