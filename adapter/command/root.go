package command

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/internal/version"
)

// Exit codes; those of a signal are 128 and its number, as a shell has them.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
)

const exitCodes = `Exit codes:
  0      done: the session was ended by its user, or Envoy ended with 0
  1      an error, whose text was shown; or Envoy ended otherwise
  2      the command line is not valid
  128+n  ended by signal n: 130 after Ctrl-C, 143 after SIGTERM`

// exit is the error of a command that has shown what there is to show.
type exit int

// Error names the code.
func (e exit) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// Main runs the command line and returns the exit code.
func Main(args []string) int { return MainFor(args, targetOf) }

// MainFor is Main for Envoys at other places.
func MainFor(args []string, target targets) int {
	// A client that goes away must not end the process with SIGPIPE before it
	// has cleaned up. Notify, and not Ignore: children would inherit that.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	root := newRoot(target)
	root.SetArgs(args)
	cmd, err := root.ExecuteC()
	return report(cmd.CommandPath(), err, root.ErrOrStderr())
}

func newRoot(target targets) *cobra.Command {
	root := &cobra.Command{
		Use:           "envoydbg",
		Short:         "Debug the startup of Envoy",
		Long:          "Envoydbg stops Envoy before its first instruction, with your breakpoints bound,\nwhen a pilot-agent starts it.",
		Version:       versionLine(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          unknownCommand,

		DisableFlagsInUseLine: true,
		Run:                   func(cmd *cobra.Command, _ []string) { _ = cmd.Help() },
	}
	root.SetFlagErrorFunc(flagError)
	root.SetVersionTemplate("envoydbg {{.Version}}\n")
	root.AddCommand(dapCommand(target), serveCommand(target), runCommand(target), sourcemapCommand(), doctorCommand(), withFiles(holdCommand()), releaseCommand(), statusCommand(), agentCommand(), logsCommand(), requestCommand(), cleanCommand(), versionCommand(), printOutputCommand())
	return root
}

// report shows a command's error and returns the exit code.
func report(command string, err error, stderr io.Writer) int {
	var code exit
	var f *fault.Fault
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &code):
		return int(code)
	case !errors.As(err, &f):
		// All others are about the words of the command line.
		f = fault.Usage(strings.TrimSuffix(err.Error(), "."), fmt.Sprintf("See %q.", command+" --help"))
	}
	fmt.Fprintln(stderr, f)
	if f.Code == usageCode {
		return exitUsage
	}
	return exitError
}

// usageCode is the number of the fault for a command line that is not valid.
var usageCode = fault.Usage("", "").Code

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: noWords,
		Run: func(cmd *cobra.Command, _ []string) { fmt.Fprintf(cmd.OutOrStdout(), "envoydbg %s\n", versionLine()) },
	}
}

// versionLine is the version and what it was built with and for.
func versionLine() string {
	return fmt.Sprintf("%s %s %s/%s", version.String(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
