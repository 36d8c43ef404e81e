package command

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/internal/version"
)

// Main runs the command line and returns the exit code: 0, 1 for an error that
// has been shown, 2 for wrong usage.
func Main(args []string) int {
	// A client that goes away must not end the process with SIGPIPE before it
	// has cleaned up. Notify, and not Ignore: children would inherit that.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	root := &cobra.Command{
		Use:           "envoydbg",
		Short:         "Debug the startup of Envoy",
		Long:          "Envoydbg stops Envoy before its first instruction, with your breakpoints bound,\nwhen a pilot-agent starts it.",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(dapCommand(), runCommand(), sourcemapCommand(), versionCommand())
	root.SetArgs(args)
	err := root.Execute()
	var f *fault.Fault
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errShown):
		return 1
	case errors.As(err, &f):
		fmt.Fprintln(os.Stderr, f)
		return 1
	}
	fmt.Fprintf(os.Stderr, "%v\nTry \"envoydbg --help\".\n", err)
	return 2
}

// errShown ends a command whose error the user has seen.
var errShown = errors.New("shown")

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) {
			fmt.Fprintf(cmd.OutOrStdout(), "envoydbg %s %s %s/%s\n", version.String(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
		},
	}
}
