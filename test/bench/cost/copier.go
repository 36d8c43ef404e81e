package cost

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
)

// copyCommand makes the test's program a copier.
const copyCommand = "copy"

// copier is the command that runs lldb-dap behind a copier.
func (p parts) copier() []string { return []string{p.self, copyCommand, p.dap()} }

// copyBytes runs a program and passes its standard streams on, in the same way as
// envoydbg reads and writes. It returns the exit code.
func copyBytes(program string) int {
	// In non-blocking mode, as envoydbg reads it.
	stdin, err := os.OpenFile("/proc/self/fd/0", os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return failed(err)
	}
	cmd := exec.Command(program)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return failed(err)
	}
	out, theirs, err := os.Pipe()
	if err != nil {
		return failed(err)
	}
	cmd.Stdout = theirs
	if err := cmd.Start(); err != nil {
		return failed(err)
	}
	_ = theirs.Close()
	go func() {
		_, _ = io.Copy(in, stdin)
		_ = in.Close()
	}()
	_, _ = io.Copy(os.Stdout, out)
	_ = cmd.Wait() // lldb-dap 19 may abort when it ends
	return 0
}

func failed(err error) int {
	fmt.Fprintln(os.Stderr, "copier:", err)
	return 1
}
