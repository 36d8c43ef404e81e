package forward

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/hashicorp/yamux"
)

// past interrupts reads and writes.
var past = time.Unix(1, 0)

// Serve serves a [Client] until the stream ends. Envoys finds the agents and Envoys, and
// of the latter the one that has the socket with an inode.
func Serve(stream io.ReadWriteCloser, envoys func(inode uint64) (agents int, found []Envoy, err error)) error {
	mux, err := yamux.Server(stream, config())
	if err != nil {
		return err
	}
	defer mux.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for {
		s, err := mux.AcceptStream()
		if err != nil {
			return nil // it has ended
		}
		go answer(ctx, s, envoys)
	}
}

func answer(ctx context.Context, stream net.Conn, envoys func(uint64) (int, []Envoy, error)) {
	defer stream.Close()
	in := bufio.NewReaderSize(stream, maxLine)
	var q Ask
	if readLine(in, &q) != nil {
		return
	}
	var a Answer
	var conn net.Conn
	var err error
	switch q.Kind {
	case askDial:
		if conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", q.Address); err == nil {
			defer conn.Close()
			a.Local, a.Remote = conn.LocalAddr().String(), conn.RemoteAddr().String()
		}
	case askPeer:
		a.Peer, err = peerOf(q.Local)
	case askLook:
		a.Look.UID, a.Look.GID = os.Getuid(), os.Getgid()
		a.Look.Listening, err = listening(q.Port)
		if err == nil {
			a.Look.Agents, a.Look.Envoys, err = envoys(q.Inode)
		}
	default:
		err = errors.New("unknown kind of ask: " + q.Kind)
	}
	if err != nil {
		a = Answer{Failure: failure(err)}
	}
	if writeLine(stream, a) == nil && conn != nil {
		join(stream, in, conn)
	}
}

func failure(err error) *DialError {
	var name *net.DNSError
	f := &DialError{Kind: Other, Text: err.Error()}
	switch {
	case errors.As(err, &name):
		f.Kind = NoName
	case errors.Is(err, syscall.ECONNREFUSED):
		f.Kind = Refused
	}
	return f
}

// join passes bytes on until the connection's other end or the client closes it. The client
// never closes one side alone.
func join(stream net.Conn, in io.Reader, conn net.Conn) {
	go func() {
		_, _ = io.Copy(conn, in)
		_ = conn.Close()
	}()
	_, _ = io.Copy(stream, conn)
}
