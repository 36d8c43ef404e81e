package startup

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/envoydbg/envoydbg/adapter/fault"
)

// PrintCommand is the hidden command of envoydbg that shows in a terminal what comes from a
// socket.
const PrintCommand = "print-output"

// Bounds of a terminal of the agent's own.
const (
	terminalTime  = 30 * time.Second // until the client has opened it
	maxUnshown    = 8 << 20          // bytes it may be behind before the agent is held back
	lastWordsTime = time.Second      // to show the last of them, at the end
)

// openTerminal has the client open a terminal, and waits until it shows what is written to
// it: the agent starts later, so that nothing is lost.
func (s *Startup) openTerminal(ctx context.Context) error {
	program, err := os.Executable()
	if err != nil {
		return fault.Internal(err)
	}
	socket := filepath.Join(s.opts.Dir, "out")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return fault.Internal(err)
	}
	defer func() { _ = listener.Close() }()
	ctx, cancel := context.WithTimeout(ctx, terminalTime)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = listener.Close() })()
	title := "Envoy: " + filepath.Base(s.cfg.Program)
	if err := s.host.RunInTerminal(ctx, title, []string{program, PrintCommand, socket}); err != nil {
		return err
	}
	conn, err := listener.Accept()
	if err != nil {
		return fault.NoTerminal("it was asked to open one, and none has shown anything within " + terminalTime.String())
	}
	t := newOwnTerminal(conn, func(rest []byte) { s.host.Output(stdout, string(rest)) })
	if !s.own(func() { s.terminal = t }) {
		t.close()
		return context.Canceled
	}
	return nil
}

// ownTerminal is the way to a terminal. What it has not taken when its user closes it goes
// to rest.
type ownTerminal struct {
	conn net.Conn
	rest func([]byte)
	done chan struct{} // closed when nothing more is shown

	mu      sync.Mutex
	changed *sync.Cond
	queue   []byte
	ending  bool // nothing is held back any more
	closed  bool // nothing more comes
	gone    bool // it takes nothing any more
}

func newOwnTerminal(conn net.Conn, rest func([]byte)) *ownTerminal {
	t := &ownTerminal{conn: conn, rest: rest, done: make(chan struct{})}
	t.changed = sync.NewCond(&t.mu)
	go t.show()
	return t
}

// write shows p, later. It blocks while the terminal is far behind, and is false when that
// takes nothing any more.
func (t *ownTerminal) write(p []byte) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.queue) > maxUnshown && !t.ending && !t.gone {
		t.changed.Wait()
	}
	if t.gone || t.closed {
		return false
	}
	t.queue = append(t.queue, p...)
	t.changed.Broadcast()
	return true
}

// show writes to the terminal until the end.
func (t *ownTerminal) show() {
	defer close(t.done)
	defer func() { _ = t.conn.Close() }()
	for {
		t.mu.Lock()
		for len(t.queue) == 0 && !t.closed {
			t.changed.Wait()
		}
		next := t.queue
		t.queue = nil
		t.changed.Broadcast()
		t.mu.Unlock()
		if len(next) == 0 {
			return
		}
		if n, err := t.conn.Write(next); err != nil {
			t.mu.Lock()
			rest := append(next[n:len(next):len(next)], t.queue...)
			t.queue, t.gone = nil, true
			t.changed.Broadcast()
			t.mu.Unlock()
			t.rest(rest)
			return
		}
	}
}

// end says that the session ends: nothing is held back from here on.
func (t *ownTerminal) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ending = true
	t.changed.Broadcast()
}

// close shows the last words and ends the terminal's program.
func (t *ownTerminal) close() {
	t.mu.Lock()
	t.closed = true
	t.changed.Broadcast()
	t.mu.Unlock()
	select {
	case <-t.done:
	case <-time.After(lastWordsTime):
		_ = t.conn.Close()
	}
}
