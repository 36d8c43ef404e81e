package command

import (
	"io"
	"net"

	"github.com/spf13/cobra"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/startup"
)

// printOutputCommand runs in the terminal that shows an agent's output.
func printOutputCommand() *cobra.Command {
	return &cobra.Command{
		Use: startup.PrintCommand + " SOCKET", Hidden: true, Args: cobra.ExactArgs(1),
		Short: "Show the output of a session's agent until the session ends",
		RunE: func(cmd *cobra.Command, args []string) error {
			conn, err := net.Dial("unix", args[0])
			if err != nil {
				return fault.Connection(err)
			}
			defer func() { _ = conn.Close() }()
			_, err = io.Copy(cmd.OutOrStdout(), conn)
			if err != nil {
				return fault.Connection(err)
			}
			return nil
		},
	}
}
