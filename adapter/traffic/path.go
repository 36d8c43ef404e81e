package traffic

import (
	"context"
	"fmt"
	"slices"

	"github.com/envoydbg/envoydbg/adapter/helper/forward"
)

// path is the way of a request whose response has begun to come.
func (s *run) path(ctx context.Context, conn *forward.Conn) Path {
	if conn == nil {
		return Path{}
	}
	s.mu.Lock()
	p, known := s.paths[conn]
	s.mu.Unlock()
	if known {
		return p
	}
	p = s.look(ctx, conn)
	s.mu.Lock()
	s.paths[conn] = p
	s.mu.Unlock()
	return p
}

// look looks at the other end of a connection. What cannot be found out is left out.
func (s *run) look(ctx context.Context, conn *forward.Conn) Path {
	p := Path{From: conn.Local(), To: conn.Remote()}
	peer, err := s.pod.Application.Peer(ctx, conn)
	s.mu.Lock()
	first := s.first[conn]
	s.mu.Unlock()
	if (err != nil || peer.Local == "") && first.Local != "" { // it has been reset
		peer = forward.Peer{Local: first.Local, Listener: first.Listener, Closed: true}
	}
	if peer.Local == "" || peer.Local == conn.Remote() {
		return p // out of the pod, or to a process of it that was asked for
	}
	p.Redirected, p.Accepted, p.UID, p.Unread, p.Closed = peer.Local, peer.Accepted, peer.UID, peer.Unread, peer.Closed
	if s.pod.Sidecar == nil {
		p.Envoy = peer.Accepted || peer.Closed
		return p
	}
	inode := peer.Inode
	if peer.Closed { // who listens there is the only one who can have accepted it
		inode = peer.Listener
	}
	l, err := s.pod.Sidecar.Look(ctx, s.pod.Port, inode)
	if i := slices.IndexFunc(l.Envoys, func(e forward.Envoy) bool { return e.Has }); err == nil && i >= 0 {
		p.Envoy, p.PID = true, l.Envoys[i].PID
	}
	return p
}

// lines say in words what is known of the way.
func (p Path) lines(pod Pod) []string {
	switch {
	case p.From == "":
		return nil
	case p.Redirected == "":
		return []string{fmt.Sprintf("the connection %s → %s leads past the sidecar: no process of the pod has its other end", p.From, p.To)}
	}
	line := fmt.Sprintf("the connection %s → %s was redirected to %s", p.From, p.To, p.Redirected)
	switch {
	case p.Closed && p.PID != 0:
		line += fmt.Sprintf(", and Envoy (pid %d in %s), which listens there, has closed it", p.PID, pod.SidecarName)
	case p.Closed:
		line += ", and was closed there"
	case !p.Accepted:
		line += ", where no process has accepted it"
	case p.PID != 0:
		line += fmt.Sprintf(", and Envoy (pid %d in %s) has accepted it", p.PID, pod.SidecarName)
	default:
		line += fmt.Sprintf(", where a process of user %d has accepted it", p.UID)
	}
	if p.Unread > 0 {
		line += fmt.Sprintf(" and has not read %d bytes", p.Unread)
	}
	return []string{line}
}

// Words are what is known of the way, in one sentence.
func (p Path) Words(pod Pod) string {
	if lines := p.lines(pod); len(lines) > 0 {
		return lines[0]
	}
	return "nothing is known of the connection"
}
