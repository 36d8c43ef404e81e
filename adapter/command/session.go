package command

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/envoydbg/envoydbg/adapter"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/lldb/warm"
	"github.com/envoydbg/envoydbg/adapter/trace"
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
		log, err := trace.OpenFile(f.log, nil)
		if err != nil {
			return err
		}
		_ = log.Close()
	}
	return exists("--work-tree", f.workTree)
}

// options returns the session's options, and a function that releases the folder
// and the file that belong to them. Warnings go to stderr.
func (f *sessionFlags) options(stderr io.Writer) (adapter.Options, func(), error) {
	opts := adapter.Options{LLDBDap: f.lldbDap, Target: f.target, Sources: loadSources(f.workTree, ""), PhaseEvents: f.phaseEvents,
		Warm: warm.Windows{}}
	release := func() {}
	if err := exists("--work-tree", f.workTree); err != nil {
		return opts, nil, err
	}
	if f.log != "" {
		log, err := trace.OpenFile(f.log, func(f *fault.Fault) { fmt.Fprintln(stderr, f) })
		if err != nil {
			return opts, nil, err
		}
		opts.Log, release = log, func() { _ = log.Close() }
	}
	dir, remove, err := adapter.MakeTempDir()
	if err != nil {
		release()
		return opts, nil, fault.From(err)
	}
	opts.TempDir = dir
	return opts, func() { remove(); release() }, nil
}
