package link

import (
	"errors"
	"fmt"
	"time"
)

// ErrLease is the error of a server's stream when no client was there for the lease.
var ErrLease = errors.New("no client has been connected for as long as the lease allows")

// ErrUndelivered is the error of a Close that the other end has not confirmed: it may
// not have read all that was written, and does not know of the end.
var ErrUndelivered = errors.New("the other end could not be told that the connection is closed")

// LostError is the error of a client's stream that could not be resumed in time.
type LostError struct {
	Waited time.Duration // how long a new transport was tried for
	Cut    error         // why the last transport ended
	Last   error         // why no other one could be made
}

// Error implements error.
func (e *LostError) Error() string {
	return fmt.Sprintf("the connection was cut (%v) and could not be resumed within %v: %v", e.Cut, e.Waited.Round(time.Millisecond), e.Last)
}

// Unwrap gives both causes.
func (e *LostError) Unwrap() []error { return []error{e.Cut, e.Last} }

// Reasons of a [Refused].
const (
	RefusedVersion = "version" // the client speaks another version
	RefusedSession = "session" // the server has no such session
	RefusedToken   = "token"   // the token is wrong
	RefusedTaken   = "taken"   // another client has the session
	RefusedStale   = "stale"   // the client has made a later transport
	RefusedGap     = "gap"     // bytes that the client needs are gone
	RefusedEnded   = "ended"   // the stream has ended
)

// Refused is a server's answer to a client that it does not serve.
type Refused struct {
	Reason string `json:"reason"`
	// Who has the session, and since when; for RefusedToken and RefusedTaken. Who is
	// empty when no client has come yet.
	Who   string    `json:"who,omitempty"`
	Since time.Time `json:"since,omitzero"`
	// Version is the server's, for RefusedVersion.
	Version int `json:"version,omitempty"`
}

// Error implements error.
func (r *Refused) Error() string {
	text := "the connection was refused: "
	switch r.Reason {
	case RefusedVersion:
		text += fmt.Sprintf("this end speaks version %d of the link, the other one %d", Version, r.Version)
	case RefusedSession:
		text += "there is no such session"
	case RefusedToken:
		text += "the token is wrong"
	case RefusedTaken:
		text += "another client has the session"
	case RefusedStale:
		text += "a later connection of this client was there before"
	case RefusedGap:
		text += "bytes that this end has missed are gone"
	case RefusedEnded:
		text += "the session has ended"
	default:
		text += r.Reason
	}
	if r.Who != "" {
		text += fmt.Sprintf(" (%s, since %s)", r.Who, r.Since.Format(time.DateTime))
	}
	return text
}

// permanent is an error after which no new transport is tried.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Permanent marks an error of Dial after which trying again is of no use.
func Permanent(err error) error { return permanent{err} }

// IsPermanent says of an error that no new transport is tried after it.
func IsPermanent(err error) bool {
	var refused *Refused
	if errors.As(err, &refused) {
		return refused.Reason != RefusedStale
	}
	var p permanent
	return errors.As(err, &p)
}
