//go:build linux

package server

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// children starts processes and reaps all that become children of this process.
// As the reaper waits for any child, nothing else in the process may wait for
// one (os/exec would lose the status): there is one children a process.
//
// Goroutines, both for the life of the process: starter, locked to one thread,
// because the kernel delivers PDEATHSIG when the thread that forked ends, not
// the process; and reaper.
type children struct {
	starts chan func()
	some   chan struct{} // a child was started: the reaper has something to wait for

	mu    sync.Mutex // held from before a fork until its child is in byPID
	byPID map[int]*child
}

// child is a process this helper started.
type child struct {
	PID int
	// Done is closed when the process has been reaped; Status is valid then.
	Done   chan struct{}
	Status syscall.WaitStatus
}

func newChildren() (*children, error) {
	// Orphans of what we start (Envoy when the agent dies, gdbservers) become
	// our children, so that we can find and end them.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("PR_SET_CHILD_SUBREAPER: %w", err)
	}
	c := &children{
		starts: make(chan func()),
		some:   make(chan struct{}, 1),
		byPID:  map[int]*child{},
	}
	go c.starter()
	go c.reaper()
	return c, nil
}

func (c *children) starter() {
	runtime.LockOSThread()
	for f := range c.starts {
		f()
	}
}

// command is a program to start, in a session and process group of its own.
type command struct {
	Path           string // as found: no further look-up
	Args           []string
	Env            []string
	Dir            string
	Stdout, Stderr *os.File
}

// start starts cmd with /dev/null as stdin; the kernel kills it when this
// process dies.
func (c *children) start(cmd command) (*child, error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	attr := &syscall.ProcAttr{
		Dir: cmd.Dir, Env: cmd.Env,
		Files: []uintptr{null.Fd(), cmd.Stdout.Fd(), cmd.Stderr.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL},
	}
	var ch *child
	done := make(chan struct{})
	c.starts <- func() {
		defer close(done)
		c.mu.Lock()
		defer c.mu.Unlock()
		var pid int
		if pid, err = syscall.ForkExec(cmd.Path, cmd.Args, attr); err != nil {
			return
		}
		ch = &child{PID: pid, Done: make(chan struct{})}
		c.byPID[pid] = ch
	}
	<-done
	runtime.KeepAlive(cmd)
	if err != nil {
		return nil, err
	}
	select {
	case c.some <- struct{}{}:
	default:
	}
	return ch, nil
}

func (c *children) reaper() {
	for {
		var ws syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &ws, 0, nil)
		switch {
		case errors.Is(err, syscall.ECHILD):
			// Orphans can only come while a child of ours lives, so there is
			// nothing to miss until the next start.
			<-c.some
		case err == nil:
			c.mu.Lock()
			if ch := c.byPID[pid]; ch != nil {
				delete(c.byPID, pid)
				ch.Status = ws
				close(ch.Done)
			}
			c.mu.Unlock()
		}
	}
}

// statusText says how a process ended, in the words of os.ProcessState, and its
// exit code, -1 for a signal.
func statusText(ws syscall.WaitStatus) (string, int) {
	if !ws.Signaled() {
		return fmt.Sprintf("exit status %d", ws.ExitStatus()), ws.ExitStatus()
	}
	s := "signal: " + ws.Signal().String()
	if ws.CoreDump() {
		s += " (core dumped)"
	}
	return s, -1
}
