package command

import (
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/envoydbg/envoydbg/adapter"
	"github.com/envoydbg/envoydbg/adapter/fault"
)

// sessionFlags are the flags of every command that runs a session.
type sessionFlags struct {
	lldbDap  string
	log      string
	workTree string
	// phaseEvents stands for "supportsEnvoyPhases" in initialize, to which an
	// extension of VS Code cannot add.
	phaseEvents bool
	target      targets
}

func (f *sessionFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.lldbDap, "lldb-dap", "", "lldb-dap `program` (default: lldb-dap or the newest lldb-dap-N in PATH)")
	cmd.Flags().StringVar(&f.log, "log", "", "write the trace of all traffic to `file`")
	cmd.Flags().StringVar(&f.workTree, "work-tree", "", "local source `folder`, for a program that tells none, when the launch attribute does not either")
}

// arguments are the flags again, for a child process.
func (f *sessionFlags) arguments() []string {
	return []string{"--lldb-dap", f.lldbDap, "--log", f.log, "--work-tree", f.workTree, fmt.Sprintf("--phase-events=%t", f.phaseEvents)}
}

// check looks whether sessions could have what the flags name. lldb-dap is left out:
// each may name its own.
func (f *sessionFlags) check() error {
	if f.log != "" {
		log, err := openLog(f.log, io.Discard)
		if err != nil {
			return err
		}
		log.close()
	}
	return exists("--work-tree", f.workTree)
}

// options returns the session's options, and a function that releases the folder
// and the file that belong to them. Warnings go to stderr.
func (f *sessionFlags) options(stderr io.Writer) (adapter.Options, func(), error) {
	opts := adapter.Options{LLDBDap: f.lldbDap, Target: f.target, Sources: loadSources(f.workTree, ""), PhaseEvents: f.phaseEvents}
	release := func() {}
	if err := exists("--work-tree", f.workTree); err != nil {
		return opts, nil, err
	}
	if f.log != "" {
		log, err := openLog(f.log, stderr)
		if err != nil {
			return opts, nil, err
		}
		opts.Log, release = log, log.close
	}
	dir, remove, err := adapter.MakeTempDir()
	if err != nil {
		release()
		return opts, nil, fault.From(err)
	}
	opts.TempDir = dir
	return opts, func() { remove(); release() }, nil
}

// logFile is the file of --log. The first error of a write is reported on stderr,
// and nothing is written after it: a trace with a gap would mislead.
type logFile struct {
	file   *os.File
	stderr io.Writer

	mu     sync.Mutex
	failed bool
}

// openLog opens a trace to append to: several sessions may share it. It does not
// wait for the reader of a pipe.
func openLog(path string, stderr io.Writer) (*logFile, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, fault.Log(path, fault.WithoutPath(err))
	}
	return &logFile{file: file, stderr: stderr}, nil
}

// Write implements io.Writer; the session does not learn of an error.
func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed {
		return len(p), nil
	}
	if _, err := l.file.Write(p); err != nil {
		l.failed = true
		fmt.Fprintln(l.stderr, fault.LogCut(l.file.Name(), fault.WithoutPath(err)))
	}
	return len(p), nil
}

func (l *logFile) close() { _ = l.file.Close() }
