package command

import (
	"os"
	"os/signal"
	"syscall"
)

// ending are the signals that ask a program to end.
var ending = []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP}

// notify returns the first signal that asks for the end. The second one ends
// the process at once, after atOnce if that is not nil: what then is left of a
// session is ended by the helper.
func notify(atOnce func()) <-chan os.Signal {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, ending...)
	first := make(chan os.Signal, 1)
	go func() {
		first <- <-signals
		second := <-signals
		if atOnce != nil {
			atOnce()
		}
		os.Exit(signalled(second))
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
