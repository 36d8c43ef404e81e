package link

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"
)

// ServerOptions are those of the end that takes the transports.
type ServerOptions struct {
	Options
	// Session and Token are what a client must know.
	Session, Token string
	// Lease is how long the stream lives without a client; 0 means for ever.
	Lease time.Duration
	// First, when not 0, is how long it waits for its first client instead. One that
	// has not learned the token will never come.
	First time.Duration
	// Connected, when not nil, is called with true when a client is there, and with
	// false when it has gone. It should return soon.
	Connected func(bool)
}

// Server is the other end of one client's stream.
type Server struct {
	opts ServerOptions
	conn *Conn

	mu      sync.Mutex
	client  string // the client's choice; empty until one has come
	who     string
	since   time.Time
	attempt uint64 // of the last transport
	current *transport
	lease   *time.Timer // runs while there is no transport
	away    time.Time   // since when there is none

	patience time.Duration // how long there may be none now
}

// NewServer makes a server; its lease begins now.
func NewServer(opts ServerOptions) *Server {
	opts.Options = opts.Options.withDefaults()
	s := &Server{opts: opts, conn: newConn(opts.Options), away: time.Now()}
	s.patience = or(opts.First, opts.Lease)
	if opts.Lease > 0 {
		s.lease = time.AfterFunc(s.patience, s.expire)
	}
	return s
}

// Conn is the stream. It ends with [ErrLease] when no client is there for the lease.
func (s *Server) Conn() *Conn { return s.conn }

// expire ends the stream unless a client has come in the last moment, or was there.
func (s *Server) expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil && time.Since(s.away) >= s.patience {
		s.conn.fail(ErrLease)
	}
}

// Serve takes a transport, which it closes, and returns when it has ended, with the
// reason: a [*Refused] when the client was not accepted.
func (s *Server) Serve(rwc io.ReadWriteCloser) error {
	t := newTransport(rwc, s.opts.Silence)
	// A client that has begun must come to the end of its hello: not each byte counts.
	slow := time.AfterFunc(s.opts.Silence, func() { t.end(silentError(s.opts.Silence)) })
	h, err := t.hello()
	slow.Stop()
	var received uint64
	if err == nil {
		received, err = s.admit(t, h)
	}
	if refused, ok := err.(*Refused); ok {
		text, _ := json.Marshal(refused)
		_, _ = t.rwc.Write(appendText(nil, frameRefused, text))
		// The client closes when it has read that; closing first could take it back.
		_, _ = io.Copy(io.Discard, t.in)
	}
	if err != nil {
		t.end(err)
		<-t.dead
		return err
	}
	defer s.left(t)
	if _, err := t.rwc.Write(appendNumber(nil, frameWelcome, received)); err != nil {
		t.end(err)
	}
	return s.conn.run(t)
}

// hello reads the beginning of a transport.
func (t *transport) hello() (Hello, error) {
	var h Hello
	first := make([]byte, len(preamble)+1)
	if _, err := io.ReadFull(t.in, first); err != nil {
		return h, err
	}
	if string(first[:len(preamble)]) != preamble {
		return h, fmt.Errorf("not the beginning of a link: %q", first)
	}
	if first[len(preamble)] != Version {
		return h, &Refused{Reason: RefusedVersion, Version: Version}
	}
	f, err := readFrame(t.in, make([]byte, bufferSize))
	if err != nil {
		return h, err
	}
	if f.kind != frameHello {
		return h, fmt.Errorf("a frame of type %d in place of the hello", f.kind)
	}
	return h, json.Unmarshal(f.content, &h)
}

// admit decides on a client, and attaches its transport.
func (s *Server) admit(t *transport, h Hello) (received uint64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.conn.over():
		return 0, &Refused{Reason: RefusedEnded}
	case h.Session != s.opts.Session:
		return 0, &Refused{Reason: RefusedSession}
	case subtle.ConstantTimeCompare([]byte(h.Token), []byte(s.opts.Token)) != 1:
		return 0, &Refused{Reason: RefusedToken, Who: s.who, Since: s.since}
	case s.client != "" && h.Client != s.client:
		return 0, &Refused{Reason: RefusedTaken, Who: s.who, Since: s.since}
	case h.Attempt <= s.attempt:
		return 0, &Refused{Reason: RefusedStale}
	}
	if received, err = s.conn.attach(t, h.Received); err != nil {
		return 0, err
	}
	if s.client == "" {
		s.client, s.who, s.since = h.Client, h.Who, time.Now()
	}
	s.attempt = h.Attempt
	if s.lease != nil {
		s.lease.Stop()
		s.patience = s.opts.Lease
	}
	if s.current == nil && s.opts.Connected != nil {
		s.opts.Connected(true)
	}
	s.current = t
	return received, nil
}

// left notes the end of a transport.
func (s *Server) left(t *transport) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != t {
		return // another one has taken its place
	}
	s.current, s.away = nil, time.Now()
	if s.conn.over() {
		s.conn.fail(errOver)
	} else if s.lease != nil {
		s.lease.Reset(s.opts.Lease)
	}
	if s.opts.Connected != nil {
		s.opts.Connected(false)
	}
}

// Who is the client that has the session, and since when; false when none has come.
func (s *Server) Who() (who string, since time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.who, s.since, s.client != ""
}
