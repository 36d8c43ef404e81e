package sourcemap

import (
	"os"
	"path/filepath"

	"github.com/envoydbg/envoydbg/sourcemap/bazel"
)

// FindWorkTree finds the work tree of an executable when the user names none.
// The first of these counts:
//
//   - the Bazel work tree above the executable, as its path is written (bazel-bin
//     is a link out of the tree);
//   - the one whose output base the executable really lies in;
//   - the Bazel work tree above folder, which the caller offers ("" for none);
//   - the version-controlled tree above folder, else folder itself;
//   - without a folder, the version-controlled tree above the executable.
//
// Both paths are absolute: nothing depends on the working directory. "" means
// that nothing tells.
func FindWorkTree(elf, folder string) string {
	if dir, ok := above(filepath.Dir(elf), bazel.IsWorkTree); ok {
		return dir
	}
	if in, ok := bazel.In(elf); ok && in.WorkTree != "" {
		return in.WorkTree
	}
	if folder == "" {
		dir, _ := above(filepath.Dir(elf), isRepository)
		return dir
	}
	for _, is := range []func(string) bool{bazel.IsWorkTree, isRepository} {
		if dir, ok := above(folder, is); ok {
			return dir
		}
	}
	return folder
}

func isRepository(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, ".git"))
	return err == nil
}

// above is the nearest folder from dir upwards of which something holds.
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
