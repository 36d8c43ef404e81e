package terminal

import (
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"github.com/envoydbg/envoydbg/adapter"
	"github.com/envoydbg/envoydbg/adapter/client"
	"github.com/envoydbg/envoydbg/adapter/fault"
)

// ErrFailed is returned when something went wrong, and the view has shown what.
var ErrFailed = errors.New("the session failed")

// Interrupted is returned when a signal has ended the session.
type Interrupted struct{ Signal os.Signal }

// Error names the signal.
func (i Interrupted) Error() string { return "ended by a signal: " + i.Signal.String() }

// Times of the end.
const (
	// endTime bounds the end of a session.
	endTime = 4500 * time.Millisecond
	// showTime is how long the last lines may take once the session has ended:
	// whoever should read them may not.
	showTime = 300 * time.Millisecond
)

// Run runs one session until it has ended and nothing of it is left. The error
// is a *fault.Fault, an Interrupted, or ErrFailed.
func Run(opts Options) error {
	breaks, err := parseBreaks(opts.Breaks)
	if err != nil {
		return err
	}
	return drive(opts, breaks, func(in io.Reader, out io.Writer) session {
		return adapter.NewSession(in, out, opts.Session)
	})
}

// session is an adapter.Session; tests have one that does not end.
type session interface {
	Run() error
	Shutdown()
}

// drive is Run on a session of start's making.
func drive(opts Options, breaks breakpoints, start func(in io.Reader, out io.Writer) session) error {
	toAdapter, fromClient := io.Pipe()
	toClient, fromAdapter := io.Pipe()
	session := start(toAdapter, fromAdapter)

	// The session ends by one way, whoever asks for it, and on a goroutine of
	// its own: nobody here waits for a part that does not answer.
	var err error
	down, late := make(chan struct{}), make(chan struct{})
	end := sync.OnceFunc(func() {
		time.AfterFunc(endTime, func() { close(late) })
		go func() {
			session.Shutdown()
			_ = fromAdapter.Close()
			_ = fromClient.Close()
			close(down)
		}()
	})
	conn := client.Dial(toClient, fromClient)
	defer conn.Close()
	go func() {
		_ = session.Run()
		end()
	}()
	l := newLoop(opts, breaks, conn, end)
	defer l.close()
	go l.run()

	select {
	case sig := <-opts.Interrupt:
		end()
		close(l.interrupted)
		err = Interrupted{sig}
	case <-l.done:
		err = l.outcome()
	case <-late:
	}
	select {
	case <-down:
	case <-late:
		return fault.EndTooLong(endTime)
	}
	select {
	case <-l.done:
	case <-time.After(showTime):
	}
	return err
}

// outcome is how the session went; call it when the loop is done.
func (l *loop) outcome() error {
	switch {
	case l.fault != nil:
		return l.fault
	case l.failed, l.faulted:
		return ErrFailed
	}
	return nil
}
