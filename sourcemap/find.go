package sourcemap

import (
	"os"
	"path/filepath"

	"github.com/envoydbg/envoydbg/sourcemap/bazel"
)

// FindWorkTree finds the work tree of an executable when the user names none:
// the Bazel work tree above the executable, as its path is written (bazel-bin is
// a link out of the tree); else the one above the folder here; else the
// version-controlled tree above that; else the folder itself. An empty here is
// the working directory.
func FindWorkTree(elf, here string) (string, error) {
	if here == "" {
		var err error
		if here, err = os.Getwd(); err != nil {
			return "", err
		}
	}
	abs, err := filepath.Abs(elf)
	if err != nil {
		return "", err
	}
	for _, start := range []string{filepath.Dir(abs), here} {
		if dir, ok := above(start, bazel.IsWorkTree); ok {
			return dir, nil
		}
	}
	if dir, ok := above(here, func(dir string) bool {
		_, err := os.Stat(filepath.Join(dir, ".git"))
		return err == nil
	}); ok {
		return dir, nil
	}
	return here, nil
}

func above(dir string, is func(string) bool) (string, bool) {
	for {
		if is(dir) {
			return dir, true
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", false
		}
		dir = parent
	}
}
