//go:build linux

package gate

import (
	"os"
	"path/filepath"
)

// Decoy makes, in a folder of that path, a program with the name that a debug server
// waits for. It is the running one.
func Decoy(dir, base string) (string, error) {
	if err := os.Mkdir(dir, 0o700); err != nil && !os.IsExist(err) {
		return "", err
	}
	path := filepath.Join(dir, base)
	return path, place(path)
}
