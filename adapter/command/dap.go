package command

import (
	"io"
	"os"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/envoydbg/envoydbg/adapter"
	"github.com/envoydbg/envoydbg/adapter/fault"
)

func dapCommand(target targets) *cobra.Command {
	flags := sessionFlags{target: target}
	var listen string
	cmd := &cobra.Command{
		Use:   "dap",
		Short: "Serve the Debug Adapter Protocol on stdin and stdout, for an editor",
		Long: `Dap runs one debug session with the editor that has started it. The session ends
when the editor disconnects or closes the stream, or by a signal; a second signal
ends the process at once.

Exit codes:
  0      the session, or with --listen the server, has ended as asked
  1      an error, whose text was shown; input that ends within a message is one
  2      the command line is not valid
  128+n  ended at once by a second signal n`,
		Example: `  envoydbg dap --log /tmp/envoydbg.log
  envoydbg dap --listen unix:$XDG_RUNTIME_DIR/envoydbg.sock`,
		Args: noWords,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if listen != "" {
				return serve(listen, &flags, cmd.ErrOrStderr())
			}
			return serveStdio(&flags, cmd.ErrOrStderr())
		},
	}
	flags.add(cmd)
	cmd.Flags().BoolVar(&flags.phaseEvents, "phase-events", false, "send the event envoyPhase at each step of the startup, also to a client that does not ask for it")
	cmd.Flags().StringVar(&listen, "listen", "", "serve on unix:`path` or a loopback host:port instead; each connection is a session of its own")
	return cmd
}

// Times of the end.
const (
	// endTime bounds the end of a session after a signal. The session's own
	// bounds are below it.
	endTime = 4500 * time.Millisecond
	// closeTime is how long a client may take to close its side after the last
	// events.
	closeTime = 300 * time.Millisecond
	// refuseTime is how long a client may take to send its first request, and to read
	// that there is no session.
	refuseTime = 5 * time.Second
)

// serveStdio runs one session. A signal ends it as a client that goes away does.
func serveStdio(flags *sessionFlags, stderr io.Writer) error {
	signals, _ := notify(nil, nil) // first: what follows has something to clean up
	opts, release, err := flags.options(stderr)
	if err != nil {
		if !term.IsTerminal(int(os.Stdin.Fd())) {
			// The editor that started this shows its user an answer, but no stderr.
			adapter.Refuse(os.Stdin, os.Stdout, fault.From(err), refuseTime)
		}
		return err
	}
	defer release()
	session := adapter.NewSession(stdin(), os.Stdout, opts)
	done := make(chan error, 1)
	go func() { done <- session.Run() }()
	select {
	case err := <-done:
		return sessionError(err)
	case <-signals:
	}
	down := make(chan struct{})
	go func() { session.Shutdown(); close(down) }()
	select {
	case <-down:
	case <-time.After(endTime):
		return fault.EndTooLong(endTime)
	}
	// The client learns that nothing more comes, and may close its side. If the
	// process ended while requests of the client's are unread, TCP could drop
	// the last events on their way.
	_ = syscall.Shutdown(int(os.Stdout.Fd()), syscall.SHUT_WR) // fails if it is no socket
	select {
	case <-done:
	case <-time.After(closeTime):
	}
	return nil
}

// sessionError gives every error of a session its number.
func sessionError(err error) error {
	if err == nil {
		return nil
	}
	return fault.From(err)
}
