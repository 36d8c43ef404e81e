package link

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"sync"
	"time"
)

// ClientOptions are those of the end that makes the transports.
type ClientOptions struct {
	Options
	// Session and Token are those of the server.
	Session, Token string
	// Who tells others who has the session, for example "ann@laptop".
	Who string
	// Dial makes a transport. It should end with ctx; if it does not, its result is
	// closed when it comes. An error marked by [Permanent] ends the stream.
	Dial func(ctx context.Context) (io.ReadWriteCloser, error)
	// Attempt bounds one Dial with its handshake; 15 s.
	Attempt time.Duration
	// Reconnect bounds how long a new transport is tried for after a cut; 5 min.
	Reconnect time.Duration
	// Cut, when not nil, is called when the stream is cut off and may come back, with
	// the reason, and Resumed when it goes on, with how long it was. They are called one at a time and
	// in order, on a goroutine of their own: they may block.
	Cut     func(why error)
	Resumed func(after time.Duration)
}

// Pauses between two attempts, which double from the first to the last.
const (
	firstPause = 50 * time.Millisecond
	lastPause  = 2 * time.Second
)

// Hello is the first frame of a client.
type Hello struct {
	Session string `json:"session"`
	Token   string `json:"token"`
	// Client is chosen by each client at random.
	Client string `json:"client"`
	Who    string `json:"who"`
	// Attempt counts the client's transports.
	Attempt uint64 `json:"attempt"`
	// Received is how many bytes the client has received.
	Received uint64 `json:"received"`
}

type client struct {
	*Conn
	opts    ClientOptions
	id      string
	attempt uint64
	told    teller
}

// teller calls functions in order, on a goroutine that ends with the last of them.
type teller struct {
	mu    sync.Mutex
	queue []func()
	tells bool
}

func (t *teller) tell(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.queue = append(t.queue, f)
	if !t.tells {
		t.tells = true
		go t.run()
	}
}

func (t *teller) run() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.queue) > 0 {
		f := t.queue[0]
		t.queue = t.queue[1:]
		t.mu.Unlock()
		f()
		t.mu.Lock()
	}
	t.tells = false
}

// Connect makes the first transport and returns the stream. An error of Dial comes
// back at once; a handshake that breaks off is tried again until ctx ends. A
// [*Refused] says why the server refuses. Later ctx means nothing.
func Connect(ctx context.Context, opts ClientOptions) (*Conn, error) {
	opts.Options = opts.Options.withDefaults()
	opts.Attempt = or(opts.Attempt, 15*time.Second)
	opts.Reconnect = or(opts.Reconnect, 5*time.Minute)
	c := &client{Conn: newConn(opts.Options), opts: opts, id: rand.Text()}
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		t, err := c.connect(ctx)
		if err == nil {
			go c.keep(t)
			return c.Conn, nil
		}
		var broken *handshakeError
		if !errors.As(err, &broken) || IsPermanent(err) {
			return nil, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, err
		}
	}
}

// handshakeError is a handshake that has not come to its end.
type handshakeError struct{ cause error }

func (e *handshakeError) Error() string { return fmt.Sprintf("the handshake failed: %v", e.cause) }
func (e *handshakeError) Unwrap() error { return e.cause }

// keep serves one transport after the other.
func (c *client) keep(t *transport) {
	for {
		why := c.run(t)
		if c.over() {
			c.fail(errOver)
			return
		}
		since := time.Now()
		tell := func() {}
		if c.opts.Cut != nil && c.cutOff() {
			tell = sync.OnceFunc(func() { c.told.tell(func() { c.opts.Cut(why) }) })
		}
		var err error
		if t, err = c.again(why, tell); err != nil {
			c.fail(err)
			return
		}
		if c.opts.Resumed != nil {
			away := time.Since(since)
			c.told.tell(func() { c.opts.Resumed(away) })
		}
	}
}

// cutGrace is how long a cut may stay untold while the first attempt is made: it may
// find that there is nothing to come back to.
const cutGrace = time.Second

// again makes a new transport, for as long as that is tried. It calls tell when the
// stream is to be had again, or may be.
func (c *client) again(cut error, tell func()) (*transport, error) {
	since := time.Now()
	late := time.AfterFunc(cutGrace, tell)
	defer late.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), c.opts.Reconnect)
	defer cancel()
	stop := make(chan struct{})
	defer close(stop)
	go func() { // the stream may be closed meanwhile
		select {
		case <-c.done:
			cancel()
		case <-stop:
		}
	}()
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		t, err := c.connect(ctx)
		if IsPermanent(err) {
			return nil, err
		}
		tell()
		if err == nil {
			return t, nil
		}
		// Not all clients of a server that was away at the same moment.
		next := time.NewTimer(pause/2 + mathrand.N(pause))
		select {
		case <-next.C:
		case <-ctx.Done():
			next.Stop()
			return nil, &LostError{Waited: time.Since(since), Cut: cut, Last: err}
		}
	}
}

// connect makes one transport and attaches it.
func (c *client) connect(ctx context.Context) (*transport, error) {
	ctx, cancel := context.WithTimeout(ctx, c.opts.Attempt)
	defer cancel()
	rwc, err := c.dial(ctx)
	if err != nil {
		return nil, err
	}
	t := newTransport(rwc, c.opts.Silence)
	unwatch := context.AfterFunc(ctx, func() { t.end(context.Cause(ctx)) })
	c.attempt++
	attempt := c.attempt
	shaken := make(chan error, 1)
	go func() { shaken <- c.handshake(t, attempt) }()
	select {
	case err = <-shaken:
	case <-t.dead:
		err = &handshakeError{t.why}
	}
	if err == nil && !unwatch() { // ctx has ended, and with it the transport
		err = &handshakeError{context.Cause(ctx)}
	}
	if err != nil {
		t.end(err)
		return nil, err
	}
	return t, nil
}

// dial returns with ctx at the latest.
func (c *client) dial(ctx context.Context) (io.ReadWriteCloser, error) {
	type result struct {
		rwc io.ReadWriteCloser
		err error
	}
	dialled := make(chan result, 1)
	go func() {
		rwc, err := c.opts.Dial(ctx)
		dialled <- result{rwc, err}
	}()
	select {
	case r := <-dialled:
		return r.rwc, r.err
	case <-ctx.Done():
		go func() {
			if r := <-dialled; r.err == nil {
				_ = r.rwc.Close()
			}
		}()
		return nil, fmt.Errorf("no connection was made in time: %w", context.Cause(ctx))
	}
}

// handshake says hello and attaches the transport when it is welcome.
func (c *client) handshake(t *transport, attempt uint64) error {
	c.mu.Lock()
	received := c.received
	c.mu.Unlock()
	text, err := json.Marshal(Hello{Session: c.opts.Session, Token: c.opts.Token, Client: c.id, Who: c.opts.Who, Attempt: attempt, Received: received})
	if err != nil {
		return permanent{err}
	}
	b := append([]byte(preamble), Version)
	if _, err := t.rwc.Write(appendText(b, frameHello, text)); err != nil {
		return &handshakeError{err}
	}
	f, err := readFrame(t.in, make([]byte, bufferSize))
	switch {
	case err != nil:
		return &handshakeError{err}
	case f.kind == frameRefused:
		refused := &Refused{}
		if err := json.Unmarshal(f.content, refused); err != nil {
			return &handshakeError{err}
		}
		return refused
	case f.kind != frameWelcome:
		return &handshakeError{fmt.Errorf("a frame of type %d in place of the welcome", f.kind)}
	}
	if _, err = c.attach(t, f.number); err != nil && !IsPermanent(err) {
		err = &handshakeError{err}
	}
	return err
}
