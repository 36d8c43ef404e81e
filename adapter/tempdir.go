package adapter

import "os"

// maxTempDir keeps the sockets below below the 107 bytes a unix address has.
const maxTempDir = 80

// MakeTempDir makes a folder of mode 0700 for a session's sockets, for the
// caller to remove.
func MakeTempDir() (string, error) {
	for _, parent := range []string{os.Getenv("XDG_RUNTIME_DIR"), os.TempDir()} {
		if parent == "" || len(parent) > maxTempDir-len("/envoydbg-1234567890") {
			continue
		}
		if dir, err := os.MkdirTemp(parent, "envoydbg-"); err == nil {
			return dir, nil
		}
	}
	return os.MkdirTemp("/tmp", "envoydbg-")
}
