package process

import (
	"context"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"

	"github.com/envoydbg/envoydbg/internal/tail"
)

// Command is a program to start.
type Command struct {
	Path string   // as found: no look-up in PATH
	Args []string // without the program's own name
	Env  []string // nil for that of this process
	Dir  string   // where it starts; empty for where this process is
	// Group makes the child the leader of a process group that ends with it: Kill
	// kills the whole group, and what is left of it when the child ends by itself
	// is killed, too. Without Group the child leads a session of its own, and Kill
	// kills it alone. Either way a Ctrl-C in the terminal does not reach it.
	Group bool
	// Tied lets the kernel kill the child when this process is killed (Linux).
	Tied bool
}

// Child is a program that this process has started.
//
// It is reaped only after what is left of its group has been killed: until then its
// number cannot be that of another process or group, and afterwards nothing is sent
// to it any more.
type Child struct {
	Stdin io.WriteCloser
	// Stdout ends soon after the process, though a descendant may hold the pipe
	// open for longer: what is in the pipe at the process's end can still be read.
	Stdout io.ReadCloser

	cmd    *exec.Cmd
	group  bool
	stdout *output
	stderr *output
	tail   tail.Tail
	done   chan struct{}

	mu     sync.Mutex // no signal while the process is reaped
	reaped bool
}

// Start starts a program. When ctx ends before the program runs (an exec can hang
// for ever on a dead network mount) the error is that of ctx, and the program is
// killed as soon as it does run; later ctx means nothing.
func Start(ctx context.Context, command Command) (*Child, error) {
	c := &Child{cmd: &exec.Cmd{Path: command.Path, Args: append([]string{command.Path}, command.Args...), Env: command.Env, Dir: command.Dir},
		group: command.Group, done: make(chan struct{})}
	c.cmd.SysProcAttr = attributes(command)
	var theirs, ours []*os.File
	abort := func(err error) (*Child, error) {
		closeAll(theirs)
		closeAll(ours)
		return nil, err
	}
	for range 3 {
		r, w, err := os.Pipe()
		if err != nil {
			return abort(err)
		}
		if len(theirs) == 0 { // stdin
			r, w = w, r
		}
		theirs, ours = append(theirs, w), append(ours, r)
	}
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = theirs[0], theirs[1], theirs[2]
	c.stdout, c.stderr = newOutput(ours[1]), newOutput(ours[2])
	c.Stdin, c.Stdout = ours[0], c.stdout

	started := make(chan error, 1)
	go c.run(started, theirs)
	select {
	case err := <-started:
		if err != nil {
			closeAll(ours)
			return nil, err
		}
		return c, nil
	case <-ctx.Done():
		go func() {
			if <-started == nil {
				c.Kill()
				<-c.done
			}
			closeAll(ours)
		}()
		return nil, context.Cause(ctx)
	}
}

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}

// run starts the process and waits for it on one thread: the parent-death signal is
// sent when the thread that started the process ends.
func (c *Child) run(started chan<- error, theirs []*os.File) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := c.cmd.Start()
	closeAll(theirs)
	started <- err
	if err != nil {
		return
	}
	collected := make(chan struct{})
	go func() {
		defer close(collected)
		_, _ = io.Copy(&c.tail, c.stderr)
		_ = c.stderr.Close()
	}()

	if err := waitExit(c.PID()); err != nil {
		// Not expected of one's own child; then at least do not hold the lock.
		_ = c.cmd.Wait()
	}
	c.mu.Lock()
	if c.group && c.cmd.ProcessState == nil {
		_ = syscall.Kill(-c.PID(), syscall.SIGKILL) // ESRCH, EPERM: it is empty
	}
	_ = c.cmd.Wait() // see Status
	c.reaped = true
	c.mu.Unlock()
	c.stdout.end()
	c.stderr.end()
	<-collected
	close(c.done)
}

// PID is the process id.
func (c *Child) PID() int { return c.cmd.Process.Pid }

// Done is closed when the process has ended and been reaped.
func (c *Child) Done() <-chan struct{} { return c.done }

// State says how the process ended; call it after Done.
func (c *Child) State() *os.ProcessState { return c.cmd.ProcessState }

// Status is State in words.
func (c *Child) Status() string { return c.cmd.ProcessState.String() }

// Stderr is the tail of what the process wrote to stderr; all of it is there after
// Done.
func (c *Child) Stderr() string { return c.tail.String() }

// Kill sends SIGKILL to the process, or to its group; see [Command]. It may be
// called at any time.
func (c *Child) Kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.reaped:
	case c.group:
		_ = syscall.Kill(-c.PID(), syscall.SIGKILL)
	default:
		_ = c.cmd.Process.Kill()
	}
}
