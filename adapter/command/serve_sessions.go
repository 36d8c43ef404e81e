package command

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/envoydbg/envoydbg/adapter"
	"github.com/envoydbg/envoydbg/adapter/control"
	"github.com/envoydbg/envoydbg/adapter/fault"
)

// openTime is how long an opened session waits for its client.
const openTime = 30 * time.Second

// sessions are the debug sessions of a window. Each has a folder of its own below dir, with
// the socket that its client connects to.
type sessions struct {
	dir  string
	wait sync.WaitGroup

	mu      sync.Mutex
	next    int
	over    bool
	running map[*adapter.Session]net.Conn
	waiting map[net.Listener]bool
}

func newSessions(dir string) *sessions {
	return &sessions{dir: dir, running: map[*adapter.Session]net.Conn{}, waiting: map[net.Listener]bool{}}
}

// Open implements control.Backend.
func (b *backend) Open(_ context.Context, p control.OpenParams) (control.Opened, error) {
	opts := adapter.Options{Folder: p.Folder, LLDBDap: p.LLDBDap, Target: b.target, Sources: loadSources(p.Folder, p.Folder), PhaseEvents: true, ShowsPhases: true, FaultEvents: true}
	if p.Cold {
		b.warm.Drop()
	} else {
		opts.Warm = b.warm
	}
	if b.trace.wanted.Store(p.Trace); p.Trace {
		opts.Log = b.trace
	}
	socket, err := b.sessions.open(opts)
	return control.Opened{Socket: socket}, err
}

// open makes a socket for one client, whose session then begins.
func (s *sessions) open(opts adapter.Options) (socket string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return "", context.Canceled
	}
	s.next++
	// Short, because the session's own sockets are below it.
	opts.TempDir = filepath.Join(s.dir, fmt.Sprint(s.next))
	if err := os.Mkdir(opts.TempDir, 0o700); err != nil {
		return "", fault.From(err)
	}
	socket = filepath.Join(opts.TempDir, "dap")
	l, err := net.Listen("unix", socket)
	if err != nil {
		_ = os.Remove(opts.TempDir)
		return "", fault.Listen(socket, err)
	}
	s.waiting[l] = true
	s.wait.Go(func() {
		s.serve(l, opts)
		_ = os.RemoveAll(opts.TempDir)
	})
	return socket, nil
}

// serve waits for the client of a session, and runs it.
func (s *sessions) serve(l net.Listener, opts adapter.Options) {
	_ = l.(*net.UnixListener).SetDeadline(time.Now().Add(openTime))
	conn, err := l.Accept()
	_ = l.Close()
	s.mu.Lock()
	delete(s.waiting, l)
	if err != nil || s.over {
		s.mu.Unlock()
		return
	}
	session := adapter.NewSession(conn, conn, opts)
	s.running[session] = conn
	s.mu.Unlock()
	_ = session.Run() // the client has been told
	_ = conn.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.running, session)
}

// end ends all sessions as if their clients had gone. The channel is closed when nothing of
// them is left.
func (s *sessions) end() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	for l := range s.waiting {
		_ = l.Close()
	}
	for session, conn := range s.running {
		go func() {
			session.Shutdown() // the client gets its last events
			_ = conn.Close()
		}()
	}
	ended := make(chan struct{})
	go func() { s.wait.Wait(); close(ended) }()
	return ended
}
