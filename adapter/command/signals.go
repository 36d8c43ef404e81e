package command

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// ending are the signals that ask a program to end.
var ending = []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP}

// untilInterrupted is the context of a command without a session, which Ctrl-C ends.
func untilInterrupted(cmd *cobra.Command) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
}

// sameSignal is how soon after the first signal another one is taken for the
// same: timeout(1), sudo and shells send one to the process and to its group.
const sameSignal = 300 * time.Millisecond

// notify returns the first signal that asks for the end. The second one ends
// the process at once, after atOnce if that is not nil: what then is left of a
// session is ended by the helper. A SIGINT is not counted if paused, unless that is
// nil, had something better to do with it. press is for a Ctrl-C that no signal
// tells of, because the keyboard is in raw mode.
func notify(atOnce func(), paused func() bool) (ended <-chan os.Signal, press func()) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, ending...)
	first := make(chan os.Signal, 1)
	go func() {
		var came time.Time // of the first that counts
		for s := range signals {
			switch {
			case came.IsZero() && s == syscall.SIGINT && paused != nil && paused():
			case came.IsZero():
				came = time.Now()
				first <- s
			case time.Since(came) >= sameSignal:
				if atOnce != nil {
					atOnce()
				}
				os.Exit(signalled(s))
			}
		}
	}()
	return first, func() { signals <- syscall.SIGINT }
}

// signalled is the exit code of a process that a signal has ended.
func signalled(s os.Signal) int {
	if n, ok := s.(syscall.Signal); ok {
		return 128 + int(n)
	}
	return exitError
}
