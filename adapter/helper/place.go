package helper

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/envoydbg/envoydbg/adapter/helper/link"
)

// Run runs the helper's program beside Envoy with these arguments, and returns its
// stdin and stdout as one stream, which Close ends. It ends with ctx only until it
// returns.
type Run func(ctx context.Context, args ...string) (io.ReadWriteCloser, error)

// Place is where a helper runs as a daemon.
type Place struct {
	// Run reaches it.
	Run Run
	// Dir is a folder there, whose parent exists; it need not exist itself.
	Dir string
	// Session names the daemon's session: 8 lower-case hex digits.
	Session string
}

// Serve starts the daemon and returns the first transport to it, as [Place.Dial] does;
// who tells others who has the session, and lease is how long the daemon lives without a
// client. An error that the helper tells is a *[StatusError].
func (p Place) Serve(ctx context.Context, who string, lease time.Duration) (io.ReadWriteCloser, Status, error) {
	stream, status, err := p.begin(ctx, "serve", "--dir", p.Dir, "--session", p.Session, "--who", who, "--lease", lease.String(),
		"--protocol", strconv.Itoa(Protocol))
	if err != nil {
		return nil, status, err
	}
	return stream, status, nil
}

// End ends the daemon and all it has started, without the link, and also when it does
// not answer.
func (p Place) End(ctx context.Context) error {
	stream, _, err := p.begin(ctx, "end", "--dir", p.Dir, "--session", p.Session)
	if err == nil {
		_ = stream.Close()
	}
	return err
}

// Status says who has the place, whoever that is, and what runs beside it.
func (p Place) Status(ctx context.Context) (Status, error) {
	stream, status, err := p.begin(ctx, "status", "--dir", p.Dir)
	if err == nil {
		_ = stream.Close()
	}
	return status, err
}

// Continue lets what the session has left stopped run on.
func (p Place) Continue(ctx context.Context) error {
	stream, _, err := p.begin(ctx, "continue", "--dir", p.Dir, "--session", p.Session)
	if err == nil {
		_ = stream.Close()
	}
	return err
}

// Forward runs, in place of a daemon, a helper whose stream is for a client of package
// forward. It makes connections as another user and group unless these are negative. An
// error that the helper tells is a *[StatusError], with ProblemRights when it may not be
// that user.
func (p Place) Forward(ctx context.Context, uid, gid int) (io.ReadWriteCloser, error) {
	stream, _, err := p.begin(ctx, "forward", "--uid", strconv.Itoa(uid), "--gid", strconv.Itoa(gid))
	if err != nil {
		return nil, err
	}
	return stream, nil
}

// Dial makes one transport to the daemon, for [link.ClientOptions]. An error after
// which there is nothing to come back to is marked as [link.Permanent].
func (p Place) Dial(ctx context.Context) (io.ReadWriteCloser, error) {
	stream, _, err := p.begin(ctx, "connect", "--dir", p.Dir, "--session", p.Session, "--protocol", strconv.Itoa(Protocol))
	var told *StatusError
	if errors.As(err, &told) && told.Problem != ProblemFailed {
		err = link.Permanent(err)
	}
	if err != nil {
		return nil, err
	}
	return stream, nil
}

// begin runs a command and reads its status.
func (p Place) begin(ctx context.Context, args ...string) (*begun, Status, error) {
	rwc, err := p.Run(ctx, args...)
	if err != nil {
		return nil, Status{}, fmt.Errorf("the helper cannot be reached: %w", err)
	}
	b := &begun{rwc, bufio.NewReaderSize(rwc, 64<<10)}
	type read struct {
		status Status
		err    error
	}
	answer := make(chan read, 1)
	go func() {
		s, err := ReadStatus(b.in)
		answer <- read{s, err}
	}()
	select {
	case r := <-answer:
		if r.err != nil {
			go rwc.Close() // a stream may not let itself be closed while it hangs
			return nil, r.status, r.err
		}
		return b, r.status, nil
	case <-ctx.Done():
		go rwc.Close()
		return nil, Status{}, fmt.Errorf("the helper did not answer in time: %w", context.Cause(ctx))
	}
}

// begun is a stream behind its status.
type begun struct {
	io.ReadWriteCloser
	in *bufio.Reader
}

func (b *begun) Read(p []byte) (int, error) { return b.in.Read(p) }
