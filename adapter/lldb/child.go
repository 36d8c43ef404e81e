package lldb

import (
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"github.com/envoydbg/envoydbg/internal/tail"
)

// Child is a running lldb-dap.
type Child struct {
	Path   string
	Stdin  io.WriteCloser
	Stdout io.ReadCloser

	cmd  *exec.Cmd
	tail tail.Tail
	done chan struct{}
}

// Start runs lldb-dap with env added to the environment, in a process group of
// its own so that a Ctrl-C in a terminal reaches the adapter alone.
func Start(path string, env ...string) (*Child, error) {
	c := &Child{Path: path, cmd: exec.Command(path), done: make(chan struct{})}
	c.cmd.Env = append(os.Environ(), env...)
	c.cmd.SysProcAttr = attributes()
	var err error
	if c.Stdin, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	// Not StdoutPipe: Wait would close it under the reader and lose what
	// lldb-dap wrote last.
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	c.Stdout, c.cmd.Stdout, c.cmd.Stderr = r, w, &c.tail
	// Debuggees inherit stderr and may outlive lldb-dap.
	c.cmd.WaitDelay = time.Second
	started := make(chan error, 1)
	go c.run(started)
	err = <-started
	_ = w.Close()
	if err != nil {
		_ = r.Close()
		return nil, err
	}
	return c, nil
}

// run starts the process and waits for it on one thread: lldb-dap is killed
// when the thread that started it ends, which so is when the adapter does.
func (c *Child) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := c.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	_ = c.cmd.Wait() // see Status
	close(c.done)
}

// PID is the process id of lldb-dap.
func (c *Child) PID() int { return c.cmd.Process.Pid }

// Done is closed when the process has ended.
func (c *Child) Done() <-chan struct{} { return c.done }

// Status says how the process ended; call it after Done.
func (c *Child) Status() string {
	if c.cmd.ProcessState == nil {
		return "not waited for"
	}
	return c.cmd.ProcessState.String()
}

// Stderr is the tail of what the process wrote to stderr.
func (c *Child) Stderr() string { return c.tail.String() }

// Kill ends the process group at once. Closing stdin does not end lldb-dap while
// it waits, and it takes SIGTERM only sometimes.
func (c *Child) Kill() {
	_ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL)
}
