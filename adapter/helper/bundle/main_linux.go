package bundle

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Main runs the real lldb-server when this program is the wrapper of a bundle; else it
// returns.
func Main() {
	exe, err := os.Executable()
	if err != nil || filepath.Base(exe) != Wrapper {
		return
	}
	dir := filepath.Dir(exe)
	args := append([]string{"ld.so", "--library-path", filepath.Join(dir, "lib"), "--argv0", os.Args[0], filepath.Join(dir, server)}, os.Args[1:]...)
	err = syscall.Exec(filepath.Join(dir, loader), args, os.Environ())
	fmt.Fprintf(os.Stderr, "%s: %v\n", filepath.Join(dir, loader), err)
	os.Exit(127)
}
