package command

import (
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
)

// stdin returns the program's standard input, in non-blocking mode if it can be
// had. A read that blocks in the kernel holds one of Go's processors and has to
// get one again when it returns; on two cores that is 5 % of a step
// (docs/proxy-cost.md).
func stdin() io.Reader { return nonBlocking(os.Stdin, os.Stdout, os.Stderr) }

// nonBlocking returns f itself if it is no pipe or socket, or if others are the
// same: the mode belongs to the open file (open(2)), and whoever shares that might
// not expect it. So a pipe is opened anew. A socket cannot be, but nobody else has
// the one that an editor makes for its debug adapter's input.
func nonBlocking(f *os.File, others ...*os.File) io.Reader {
	info, err := f.Stat()
	if err != nil {
		return f
	}
	for _, o := range others {
		if other, err := o.Stat(); err == nil && os.SameFile(info, other) {
			return f
		}
	}
	switch info.Mode().Type() {
	case os.ModeNamedPipe:
		if again, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", f.Fd()), os.O_RDONLY|syscall.O_NONBLOCK, 0); err == nil {
			return again
		}
	case os.ModeSocket:
		if c, err := net.FileConn(f); err == nil {
			return c
		}
	}
	return f
}
