package lldb

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/envoydbg/envoydbg/adapter/trace"
)

// TakesConnections reports whether lldb-dap of this version can serve one connection after
// the other (--connection). Such a process keeps the symbols that it has read.
func (v Version) TakesConnections() bool { return v.Major >= 20 }

// Server is an lldb-dap that takes connections on a unix socket. Only one at a time is
// made, since sessions in one process share its settings and its fate.
type Server struct {
	*Child
	socket string
}

// StartServer runs an lldb-dap that takes connections on a socket, and returns when it
// does. The socket's folder keeps others out.
func StartServer(ctx context.Context, p Program, socket string) (*Server, error) {
	p.args = append(p.args, "--connection", "accept://"+socket)
	child, err := Start(ctx, p)
	if err != nil {
		return nil, err
	}
	s := &Server{child, socket}
	listens := make(chan error, 1)
	go func() {
		out := bufio.NewReader(child.Stdout)
		line, err := out.ReadString('\n')
		if err == nil && !strings.HasPrefix(line, "Listening for") {
			err = fmt.Errorf("lldb-dap says %q", strings.TrimSpace(line))
		}
		listens <- err
		_, _ = io.Copy(io.Discard, out) // it says more there, which nobody needs
	}()
	select {
	case err = <-listens:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		s.End()
		return nil, err
	}
	return s, nil
}

// Connect connects to it. The process ends with the connection when last is set.
func (s *Server) Connect(last bool, h Handler, t *trace.Trace) (*DAP, error) {
	conn, err := net.Dial("unix", s.socket)
	if err != nil {
		return nil, err
	}
	t.Line("lldb-dap", "%s, pid %d: connected", s.Path, s.PID())
	return Talk(s.Child, conn, conn, !last, h, t), nil
}

// End kills it and returns when it has ended, or after a second.
func (s *Server) End() {
	s.Kill()
	waitKilled(s.Child)
	s.Release()
}
