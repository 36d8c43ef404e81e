package cost

import (
	"fmt"
	"io"
	"os"
	"os/exec"

	"github.com/envoydbg/envoydbg/internal/prompt"
)

// copyCommand makes the test's program a copier.
const copyCommand = "copy"

// copier is the command that runs lldb-dap behind a copier.
func (p parts) copier() []string { return []string{p.self, copyCommand, p.dap()} }

// copyBytes runs a program and passes its standard streams on, in the same way as
// envoydbg reads and writes. It returns the exit code.
func copyBytes(program string) int {
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
		pass(prompt.NewWriter(in), prompt.Stdin())
		_ = in.Close()
	}()
	pass(prompt.NewWriter(prompt.Stdout()), out)
	_ = cmd.Wait() // lldb-dap 19 may abort when it ends
	return 0
}

// pass ends with the first error; the end of a stream is one.
func pass(to io.Writer, stream io.Reader) {
	from := prompt.Reader(stream)
	b := make([]byte, 64<<10)
	for {
		n, err := from.Read(b)
		if err == nil {
			_, err = to.Write(b[:n])
		}
		if err != nil {
			return
		}
	}
}

func failed(err error) int {
	fmt.Fprintln(os.Stderr, "copier:", err)
	return 1
}
