// Without-ptrace runs a command that may not use ptrace: without-ptrace PROGRAM
// [ARGUMENT...].
package main

import (
	"fmt"
	"os"
	"syscall"

	"github.com/envoydbg/envoydbg/test/support/noptrace"
)

func main() {
	err := noptrace.Forbid()
	if err == nil {
		err = syscall.Exec(os.Args[1], os.Args[1:], os.Environ())
	}
	fmt.Fprintln(os.Stderr, "without-ptrace:", err)
	os.Exit(1)
}
