package bundle

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
	const libraries = "LD_LIBRARY_PATH="
	env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, libraries) })
	env = append(env, libraries+filepath.Join(dir, "lib"))
	// LLDB 19 looks for what it starts in another folder.
	const debugServer = "LLDB_DEBUGSERVER_PATH"
	if _, set := os.LookupEnv(debugServer); !set {
		env = append(env, debugServer+"="+exe)
	}
	program := filepath.Join(dir, server)
	err = syscall.Exec(program, os.Args, env)
	fmt.Fprintf(os.Stderr, "%s: %v\n", program, err)
	os.Exit(127)
}
