package remote

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/gdbremote"
	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/helper/link"
	"github.com/envoydbg/envoydbg/adapter/startup"
)

// Options are those of Connect. Zero values mean the defaults.
type Options struct {
	// Run and Dir are those of a [helper.Place].
	Run helper.Run
	Dir string
	// Words name the target as a command line does, for what the user is told to do.
	Words string
	// Who tells others who has the session; the user and the machine by default.
	Who string
	// Reconnect is how long a cut connection may take to come back; 5 min.
	Reconnect time.Duration
	// Lease is how long the helper and all it has started live without this client;
	// Reconnect and half a minute by default.
	Lease time.Duration
	// Link are the link's bounds.
	Link link.Options
}

// leaseMore is how much longer the helper waits than its client tries.
const leaseMore = 30 * time.Second

// Connect starts the helper's daemon and speaks to it. The error is a fault. What was
// started ends by the lease when Connect cannot finish.
func Connect(ctx context.Context, o Options, n startup.Notices) (*Beside, error) {
	if o.Reconnect == 0 {
		o.Reconnect = 5 * time.Minute
	}
	if o.Lease == 0 {
		o.Lease = o.Reconnect + leaseMore
	}
	if o.Who == "" {
		o.Who = WhoAmI()
	}
	place := helper.Place{Run: o.Run, Dir: o.Dir, Session: NewSession()}
	b := &Beside{options: o, place: place}
	first, status, err := place.Serve(ctx, o.Who, o.Lease)
	if err != nil {
		return nil, b.fault(err)
	}
	unused := make(chan io.ReadWriteCloser, 1)
	unused <- first
	dial := func(ctx context.Context) (io.ReadWriteCloser, error) {
		select {
		case t := <-unused:
			return t, nil
		default:
			return place.Dial(ctx)
		}
	}
	conn, err := link.Connect(ctx, link.ClientOptions{Options: o.Link, Session: place.Session, Token: status.Token, Who: o.Who,
		Dial: dial, Reconnect: o.Reconnect,
		Cut: func(why error) {
			if n.Cut != nil {
				n.Cut(why, o.Reconnect)
			}
		},
		Resumed: n.Resumed})
	if err != nil {
		return nil, b.fault(err)
	}
	b.Client, err = helper.NewClient(conn, n.Helper())
	if err != nil {
		_ = conn.Close()
		return nil, fault.Internal(err)
	}
	return b, nil
}

// NewSession names a daemon's session.
func NewSession() string {
	b := make([]byte, 4)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// WhoAmI is the user as others know them, for example "ann@laptop".
func WhoAmI() string {
	name, host := "somebody", "another machine"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if h, err := os.Hostname(); err == nil {
		host = h
	}
	return name + "@" + host
}

// Beside is a daemon's client as a startup.Beside.
type Beside struct {
	*helper.Client
	options Options
	place   helper.Place
	ended   bool // by command
}

// Bounds of the end. Together they stay below those of a session's.
const (
	answerTime = 1500 * time.Millisecond // the daemon's answer to End
	forceTime  = 1500 * time.Millisecond // the command that ends it without an answer
)

// Dial implements startup.Beside.
func (b *Beside) Dial(ctx context.Context, socket string) (gdbremote.Conn, error) {
	conn, err := b.DialCompanion(ctx, socket)
	if err != nil {
		return nil, err
	}
	return conn, nil
}

// Err implements startup.Beside. It is a fault where the link knows why.
func (b *Beside) Err() error {
	err := b.Client.Err()
	if f := b.known(err); f != nil {
		return f
	}
	if link.IsPermanent(err) { // the place is gone, with all that was there
		return fault.SessionGone(err)
	}
	return err
}

// End implements startup.Beside. Where the daemon does not answer in time, because it
// hangs or the link is cut off, it is ended by a command of its own.
func (b *Beside) End(ctx context.Context) (helper.EndResult, error) {
	answer, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	r, err := b.Client.End(answer)
	if err == nil || helper.Code(err) != 0 || ctx.Err() != nil {
		return r, err
	}
	force, cancel := context.WithTimeout(ctx, forceTime)
	defer cancel()
	var told *helper.StatusError
	if endErr := b.place.End(force); errors.As(endErr, &told) && told.Problem == helper.ProblemNoSession {
		b.ended = true // it was gone already
	} else if endErr != nil {
		return r, errors.Join(err, endErr)
	}
	b.ended = true
	return helper.EndResult{}, nil
}

// Close implements startup.Beside.
func (b *Beside) Close() error {
	err := b.Client.Close()
	if errors.Is(err, link.ErrUndelivered) {
		if b.ended {
			return nil
		}
		return fault.EndUntold(b.options.Lease)
	}
	return err
}

// fault is a failed start of the daemon, or of the link to it.
func (b *Beside) fault(err error) *fault.Fault {
	if f := b.known(err); f != nil {
		return f
	}
	return fault.HelperUnreached(err)
}

// known is the fault for an error that tells by itself what has happened; nil for all
// others.
func (b *Beside) known(err error) *fault.Fault {
	var told *helper.StatusError
	var refused *link.Refused
	var lost *link.LostError
	switch {
	case errors.As(err, &told):
		switch told.Problem {
		case helper.ProblemTaken:
			if told.State == helper.StateRunning || told.State == helper.StateStopped {
				return fault.AgentLeft(told.Who, told.Since, strings.Join(told.Left.Command, " "), told.Left.Agent, told.State == helper.StateStopped, cmp.Or(b.options.Words, "TARGET"))
			}
			return fault.SessionTaken(b.options.Dir, told.Who, told.Since)
		case helper.ProblemNoSession:
			return fault.SessionGone(err)
		case helper.ProblemUser:
			return fault.HelperUser(b.options.Dir, err)
		case helper.ProblemVersion:
			return fault.HelperVersion(err)
		}
	case errors.As(err, &refused):
		switch refused.Reason {
		case link.RefusedVersion:
			return fault.HelperVersion(err)
		case link.RefusedTaken, link.RefusedToken:
			return fault.SessionTaken(b.options.Dir, refused.Who, refused.Since)
		}
		return fault.SessionGone(err)
	case errors.As(err, &lost):
		return fault.LinkLost(lost.Waited, b.options.Lease, lost.Cut, lost.Last)
	}
	return nil
}
