package lldb

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/envoydbg/envoydbg/internal/process"
)

// Child is a running lldb-dap.
type Child struct {
	*process.Child
	Path string
	done chan struct{}
}

// Program is an lldb-dap to start.
type Program struct {
	Path   string
	Folder string // where it starts; empty for where this process is
	// Commands of LLDB's are carried out before initialize is answered.
	Commands []string
	Env      []string // is added to the environment

	args []string
}

// Start runs lldb-dap as the leader of a process group that ends with it. Closing its
// stdin does not end lldb-dap while it waits, so the kernel kills it when the adapter is
// killed. When ctx ends before lldb-dap runs, the error is that of ctx.
func Start(ctx context.Context, p Program) (*Child, error) {
	// With less it aborts when it cannot start a thread, and often without a word.
	if err := process.Needs(needs); err != nil {
		return nil, err
	}
	env := append(os.Environ(), p.Env...)
	s := newScratch(env)
	args := p.args
	for _, command := range p.Commands {
		args = append(args, "--pre-init-command", command)
	}
	c, err := process.Start(ctx, process.Command{Path: p.Path, Args: args, Env: env, Dir: p.Folder, Group: true, Tied: true})
	if err != nil {
		return nil, err
	}
	child := &Child{Child: c, Path: p.Path, done: make(chan struct{})}
	go func() {
		defer close(child.done)
		<-c.Done()
		s.remove(c.PID())
	}()
	return child, nil
}

// Program implements Process.
func (c *Child) Program() string { return c.Path }

// Done is closed when the process has ended and left nothing.
func (c *Child) Done() <-chan struct{} { return c.done }

// Release implements Process: with a stream that is a connection these are not closed yet.
func (c *Child) Release() {
	_ = c.Stdin.Close()
	_ = c.Stdout.Close()
}

// scratch is where LLDB writes the expressions it compiles: the folder lldb/PID among
// the temporary files. LLDB removes it only when it ends in order, which 19 hardly
// ever does, and never the folder lldb.
type scratch struct {
	dir   string // …/lldb
	there bool   // before, so that it is somebody else's
}

func newScratch(env []string) scratch {
	s := scratch{dir: filepath.Join(tempDir(env), "lldb")}
	_, err := os.Lstat(s.dir)
	s.there = err == nil
	return s
}

func (s scratch) remove(pid int) {
	_ = os.RemoveAll(filepath.Join(s.dir, strconv.Itoa(pid)))
	if !s.there {
		_ = os.Remove(s.dir) // fails while it is another LLDB's, too
	}
}

// tempDir is LLVM's choice, llvm::sys::path::system_temp_directory.
func tempDir(env []string) string {
	for _, name := range []string{"TMPDIR", "TMP", "TEMP", "TEMPDIR"} {
		for i := len(env) - 1; i >= 0; i-- { // the last one counts
			if value, ok := strings.CutPrefix(env[i], name+"="); ok && value != "" {
				return value
			} else if ok {
				break
			}
		}
	}
	return "/tmp"
}

// needs is how many processes and threads lldb-dap takes, roughly: 19 and 22 start with
// 14 and a program in them with 20.
const needs = 20
