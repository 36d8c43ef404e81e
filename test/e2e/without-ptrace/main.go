//go:build linux

// Without-ptrace runs a command that may not use ptrace: without-ptrace PROGRAM
// [ARGUMENT...].
package main

import (
	"fmt"
	"os"
	"syscall"

	"github.com/envoydbg/envoydbg/internal/process/processtest"
)

// refused is set in the environment once ptrace is refused.
const refused = "WITHOUT_PTRACE"

func main() {
	if os.Getenv(refused) == "" {
		err := processtest.Refuse(syscall.EPERM, []uint32{syscall.SYS_PTRACE}, os.Args, append(os.Environ(), refused+"=1"))
		fmt.Fprintln(os.Stderr, "without-ptrace:", err)
		os.Exit(1)
	}
	_ = os.Unsetenv(refused)
	err := syscall.Exec(os.Args[1], os.Args[1:], os.Environ())
	fmt.Fprintln(os.Stderr, "without-ptrace:", err)
	os.Exit(1)
}
