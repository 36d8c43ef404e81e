package gdbremote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// link carries one connection between a client and a debug server, with one
// pump for each direction.
type link struct {
	relay     *Relay
	name      string
	client    net.Conn
	server    Conn
	serverPID int
	talk      conversation

	// writeServer keeps the packets of the client and of the relay apart, and in
	// the order in which talk knows them. It is held during a write to the
	// server, and only such writes wait for it.
	writeServer sync.Mutex
	// inPart: the pump from the client is in the middle of a long packet, and
	// holds writeServer.
	inPart bool

	// detaching is held from a detach until its answer is written.
	detaching sync.Mutex

	mu         sync.Mutex
	clientLeft bool
	fault      error // on this side; nil if there was none
}

// errClientLeft ends a pump whose client has closed the connection.
var errClientLeft = errors.New("the client has left")

// PanicError is a panic in the relay or its observer. It ends the connection it
// came from and nothing else.
type PanicError struct {
	Value any
	Stack []byte
}

// Error implements error.
func (e *PanicError) Error() string { return fmt.Sprintf("internal error in the relay: %v", e.Value) }

// catch turns a panic of the calling function into its error.
func catch(err *error) {
	if v := recover(); v != nil {
		*err = &PanicError{Value: v, Stack: debug.Stack()}
	}
}

func newLink(r *Relay, name string, client net.Conn, server Conn, serverPID int) *link {
	k := &link{relay: r, name: name, client: client, server: server, serverPID: serverPID,
		talk: conversation{claim: r.claim, settle: r.settle, skipToExec: r.cfg.SkipToExec}}
	if _, far := server.(Accompanied); far {
		var host *constants
		if name == platformName {
			host = r.constants
		}
		k.talk.accompany(host)
	}
	return k
}

// run returns when both directions have ended. It calls ended at the first sign
// of that, while the client's side is still open unless the client has closed it:
// whoever is told knows the cause before its consequences. The error is nil when
// the end was to be expected.
func (k *link) run(ended func(error)) {
	defer k.talk.end()
	pumping, stop := context.WithCancel(context.Background())
	up := make(chan struct{})
	go func() {
		defer close(up)
		k.pumpClient(pumping)
	}()
	err := k.pump(k.server, k.fromServer)
	stop()
	k.mu.Lock()
	switch {
	case k.fault != nil:
		err = k.fault
	case errors.As(err, new(*PanicError)):
	case k.clientLeft, errors.Is(err, errClientLeft), k.talk.isIdle():
		err = nil
	}
	k.mu.Unlock()
	ended(err)
	k.detaching.Lock()
	k.close()
	k.detaching.Unlock()
	<-up
}

// pumpClient carries what the client sends. Then it makes the server end its
// side, at once or at the latest after the limit, and waits until ctx ends.
func (k *link) pumpClient(ctx context.Context) {
	err := k.pump(k.client, k.fromClient)
	if k.inPart {
		k.inPart = false
		k.writeServer.Unlock()
	}
	late := k.relay.cfg.limits.leave
	k.mu.Lock()
	switch {
	case errors.Is(err, errClientLeft):
		k.clientLeft = true // before the server can answer by leaving, too
	case errors.Is(err, errTooManyRequests), errors.As(err, new(*PanicError)):
		k.fault, late = err, 0
	}
	k.mu.Unlock()
	timer := time.AfterFunc(late, func() { _ = k.server.Close() })
	defer timer.Stop()
	if late > 0 {
		_ = k.server.CloseWrite()
	}
	<-ctx.Done()
}

func (k *link) close() {
	_ = k.client.Close()
	_ = k.server.Close()
}

// pump carries the frames of one side until an error, which is never nil.
func (k *link) pump(from io.Reader, handle func(Frame) error) (err error) {
	defer catch(&err)
	r := NewReader(from)
	for {
		f, err := r.Next()
		if err != nil {
			if from == k.client {
				return errClientLeft
			}
			return err
		}
		if err := handle(f); err != nil {
			return err
		}
	}
}

func (k *link) toClient(b []byte) error {
	if _, err := k.client.Write(b); err != nil {
		return errClientLeft
	}
	return nil
}

func (k *link) fromClient(f Frame) error {
	k.relay.cfg.Observer.Packet(k.name, false, f)
	if k.inPart {
		return k.clientPart(f)
	}
	k.writeServer.Lock()
	s, err := k.talk.fromClient(f)
	if out := k.outgoing(s, f); err == nil && out != nil {
		_, err = k.server.Write(out)
	}
	if k.inPart = f.More; !k.inPart || err != nil {
		k.inPart = false
		k.writeServer.Unlock()
	}
	if err == nil && s.take {
		return k.detach()
	}
	if err == nil && (s.answer != "" || s.empty) {
		raw := Encode(s.answer)
		if s.acked {
			raw = append([]byte("+"), raw...)
		}
		return k.toClient(raw)
	}
	if err == nil && s.arming != nil {
		s.arming.Time, s.arming.ServerPID = time.Now(), k.serverPID
		k.relay.cfg.Observer.Arming(*s.arming)
	}
	return err
}

// outgoing is what goes to the server for a frame of the client's, in one piece.
func (k *link) outgoing(s step, f Frame) []byte {
	switch {
	case !s.pass:
		return s.notice
	case s.notice == nil:
		return f.Raw
	}
	return slices.Concat(s.notice, f.Raw)
}

// detach lets go of the process by another way than the server's, which may end by it.
// The client's side is open until it has the answer.
func (k *link) detach() error {
	k.detaching.Lock()
	defer k.detaching.Unlock()
	k.relay.mu.Lock()
	take := k.relay.take
	k.relay.mu.Unlock()
	_, err := within(k.relay.ctx, k.relay.cfg.limits.admit, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, take(ctx)
	}, func(struct{}) {})
	if err != nil {
		return k.toClient(Encode("E01"))
	}
	return k.toClient(Encode("OK"))
}

// clientPart writes a further part of a long packet.
func (k *link) clientPart(f Frame) error {
	_, err := k.server.Write(f.Raw)
	if !f.More {
		k.inPart = false
		k.writeServer.Unlock()
	}
	return err
}

func (k *link) fromServer(f Frame) error {
	k.relay.cfg.Observer.Packet(k.name, true, f)
	s := k.talk.fromServer(f)
	if s.admit != nil {
		err := k.isAdmitted(s.admit.PID)
		if k.relay.ctx.Err() != nil {
			return net.ErrClosed
		}
		s = k.talk.admitted(*s.admit, err)
	}
	if s.attached != nil {
		k.relay.cfg.Observer.Attached(*s.attached)
	}
	if s.exited != nil {
		k.relay.cfg.Observer.Exited(*s.exited)
	}
	for _, refused := range s.refused {
		k.relay.cfg.Observer.Refused(refused)
	}
	switch {
	case s.take:
		return k.detach()
	case s.pass:
		return k.toClient(f.Raw)
	case s.redirect:
		reply, err := k.relay.redirect(f.Payload)
		if err != nil {
			return err
		}
		return k.toClient(Encode(string(reply)))
	case s.answer != "":
		return k.toClient(Encode(s.answer))
	case s.own != "":
		k.writeServer.Lock()
		defer k.writeServer.Unlock()
		_, err := k.server.Write(k.talk.request(s.own, s.kind))
		return err
	case s.resend != nil:
		k.writeServer.Lock()
		defer k.writeServer.Unlock()
		_, err := k.server.Write(s.resend)
		return err
	}
	return nil // an acknowledgement of the relay's own
}

// isAdmitted asks whether the session wants this process.
func (k *link) isAdmitted(pid int) error {
	admit := k.relay.cfg.Admit
	if admit == nil {
		return nil
	}
	_, err := within(k.relay.ctx, k.relay.cfg.limits.admit, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, admit(ctx, pid)
	}, func(struct{}) {})
	return err
}

// within calls do and returns its result, or an error when ctx or the time ends,
// even if do heeds neither. A result that comes later is given to discard.
func within[T any](ctx context.Context, limit time.Duration, do func(context.Context) (T, error), discard func(T)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	type result struct {
		value T
		err   error
	}
	done := make(chan result)
	go func() {
		defer cancel()
		var r result
		func() {
			defer catch(&r.err)
			r.value, r.err = do(ctx)
		}()
		select {
		case done <- r:
		case <-ctx.Done():
			if r.err == nil {
				discard(r.value)
			}
		}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}
