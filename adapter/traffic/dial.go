package traffic

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/helper/forward"
)

// dial connects from the application's container. Where the connection is refused because
// Envoy does not listen yet, it waits until Envoy does.
func (s *run) dial(ctx context.Context, _, address string) (net.Conn, error) {
	// http.Transport lets a dial go on when its request has ended.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.ctx, func() { cancel(context.Cause(s.ctx)) })()
	for {
		before, err := s.pod.Application.Look(ctx, s.pod.Port, 0)
		if err != nil {
			return nil, err
		}
		conn, err := s.pod.Application.Dial(ctx, address)
		var refused *forward.DialError
		switch {
		case err == nil:
			peer, err := s.pod.Application.Peer(ctx, conn)
			if err != nil {
				conn.Close()
				return nil, err
			}
			s.mu.Lock()
			s.first[conn] = peer
			s.mu.Unlock()
			return conn, nil
		case !errors.As(err, &refused):
			return nil, err
		case refused.Kind != forward.Refused || before.Listening:
			return nil, fault.NotConnected(address, s.pod.Name, err, why(refused, before, s.pod.Port)...)
		case s.pod.Sidecar == nil:
			return nil, fault.NotListening(s.pod.SidecarName, address, s.pod.Port, err)
		}
		now, err := s.pod.Sidecar.Look(ctx, s.pod.Port, 0)
		if err != nil {
			return nil, err
		}
		if len(now.Envoys) == 0 && now.Agents == 0 {
			return nil, fault.Parked(s.pod.SidecarName, address, s.pod.Port, refused)
		}
		if now.Listening {
			continue
		}
		s.say(waitsFor(now, s.pod.Port))
		if !sleep(ctx, lookEvery) {
			return nil, context.Cause(ctx)
		}
	}
}

// why says what of the sidecar has to do with a connection that was not made.
func why(f *forward.DialError, l forward.Look, port int) []string {
	switch {
	case f.Kind == forward.NoName && !l.Listening:
		return []string{fmt.Sprintf("nothing listens on port %d: the sidecar is parked, and where it answers for names (DNS capture) none can be found", port)}
	case f.Kind == forward.Refused:
		return []string{fmt.Sprintf("Envoy listens on port %d, and accepts whatever is sent there: the connection went past it", port)}
	}
	return nil
}

// waitsFor says why a request is not sent yet.
func waitsFor(l forward.Look, port int) string {
	for _, e := range l.Envoys {
		if e.Stopped {
			return fmt.Sprintf("%s, before it listens on port %d: the request is sent as soon as it does.", stopped(e), port)
		}
	}
	if len(l.Envoys) == 0 {
		return "The agent runs, but has not started Envoy: the request is sent as soon as Envoy listens."
	}
	return fmt.Sprintf("Envoy (pid %d) does not listen on port %d yet: the request is sent as soon as it does.", l.Envoys[0].PID, port)
}

// stopped says how an Envoy is stopped.
func stopped(e forward.Envoy) string {
	if e.Tracer != 0 {
		return fmt.Sprintf("Envoy (pid %d) is stopped in a debugger", e.PID)
	}
	return fmt.Sprintf("Envoy (pid %d) is stopped by a signal", e.PID)
}

// sleep waits, and is false when ctx has ended.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
