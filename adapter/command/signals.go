package command

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// ending are the signals that ask a program to end.
var ending = []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP}

// sameSignal is how soon after the first signal another one is taken for the
// same: timeout(1), sudo and shells send one to the process and to its group.
const sameSignal = 300 * time.Millisecond

// notify returns the first signal that asks for the end. The second one ends
// the process at once, after atOnce if that is not nil: what then is left of a
// session is ended by the helper.
func notify(atOnce func()) <-chan os.Signal {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, ending...)
	first := make(chan os.Signal, 1)
	go func() {
		first <- <-signals
		came := time.Now()
		for second := range signals {
			if time.Since(came) < sameSignal {
				continue
			}
			if atOnce != nil {
				atOnce()
			}
			os.Exit(signalled(second))
		}
	}()
	return first
}

// signalled is the exit code of a process that a signal has ended.
func signalled(s os.Signal) int {
	if n, ok := s.(syscall.Signal); ok {
		return 128 + int(n)
	}
	return exitError
}
