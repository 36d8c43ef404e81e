//go:build linux

package server

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"

	"github.com/envoydbg/envoydbg/internal/process"
)

// children starts processes and reaps all that become children of this process.
// As the reaper waits for any child, nothing else in the process may wait for
// one (os/exec would lose the status): there is one children a process.
//
// Goroutines, both for the life of the process: starter, locked to one thread,
// because the kernel delivers PDEATHSIG when the thread that forked ends, not
// the process; and reap.
//
// No lock is held while a program is started: an exec can hang for as long as a
// network mount is dead, and the session's end must not wait for it.
type children struct {
	starts chan func()
	some   chan struct{} // a child was started: there is something to reap
	reaper process.Reaper
	told   func(process.Stat) // of each program that was started; may be nil

	mu       sync.Mutex
	byPID    map[int]*child
	starting int                        // starts under way
	early    map[int]syscall.WaitStatus // who ended during a start, before it was known
	closed   bool                       // nothing may be started any more
}

// child is a process this helper started.
type child struct {
	PID int
	// Done is closed when the process has been reaped; Status is valid then.
	Done   chan struct{}
	Status syscall.WaitStatus

	stat process.Stat // as it was started; zero when it ended at once
}

func (ch *child) end(status syscall.WaitStatus) {
	ch.Status = status
	close(ch.Done)
}

func newChildren(told func(process.Stat)) (*children, error) {
	// Orphans of what we start (Envoy when the agent dies, gdbservers) become
	// our children, so that we can find and end them.
	if err := process.Subreap(); err != nil {
		return nil, err
	}
	if err := process.Reserve(); err != nil {
		return nil, err
	}
	c := &children{
		told:   told,
		starts: make(chan func()),
		some:   make(chan struct{}, 1),
		byPID:  map[int]*child{},
		early:  map[int]syscall.WaitStatus{},
	}
	go c.starter()
	go c.reap()
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

// errClosed is the error of a start after close.
var errClosed = errors.New("the session has ended")

// close makes every further start fail, and one that is under way as soon as the
// program runs.
func (c *children) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
}

func (c *children) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// start starts cmd with /dev/null as stdin; the kernel kills it when this
// process dies.
func (c *children) start(cmd command) (*child, error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil, errClosed
	}
	c.starting++
	c.mu.Unlock()
	var pid int
	done := make(chan struct{})
	c.starts <- func() {
		defer close(done)
		if c.isClosed() { // while the start before this one took its time
			err = errClosed
			return
		}
		pid, err = syscall.ForkExec(cmd.Path, cmd.Args, &syscall.ProcAttr{
			Dir: cmd.Dir, Env: cmd.Env,
			Files: []uintptr{null.Fd(), cmd.Stdout.Fd(), cmd.Stderr.Fd()},
			Sys:   &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL},
		})
	}
	<-done
	runtime.KeepAlive(cmd)
	return c.started(pid, err)
}

// started notes what came of a start.
func (c *children) started(pid int, err error) (*child, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.starting--
	ch := &child{PID: pid, Done: make(chan struct{})}
	if err == nil {
		ch.stat, _ = process.Read(pid)
		if c.told != nil && ch.stat.PID != 0 {
			c.told(ch.stat)
		}
	}
	status, ended := c.early[pid]
	if c.starting == 0 {
		clear(c.early)
	}
	switch {
	case err != nil:
		return nil, err
	case ended:
		ch.end(status)
	default:
		c.byPID[pid] = ch
	}
	select {
	case c.some <- struct{}{}:
	default:
	}
	if c.closed {
		c.kill(ch)
		return nil, errClosed
	}
	return ch, nil
}

// kill kills a child, if it has not ended.
func (c *children) kill(ch *child) {
	if h, err := ch.stat.Open(); err == nil {
		defer h.Close()
		_ = c.reaper.Signal(h, syscall.SIGKILL)
	}
}

func (c *children) reap() {
	for {
		pid, status, err := c.reaper.Next()
		if err != nil {
			// ECHILD. Orphans can only come while a child of ours lives, so there
			// is nothing to miss until the next start.
			<-c.some
			continue
		}
		c.mu.Lock()
		if ch := c.byPID[pid]; ch != nil {
			delete(c.byPID, pid)
			ch.end(status)
		} else if c.starting > 0 {
			c.early[pid] = status
		}
		c.mu.Unlock()
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
