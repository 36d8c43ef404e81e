package warm

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/lldb"
	"github.com/envoydbg/envoydbg/adapter/trace"
	"github.com/envoydbg/envoydbg/internal/process"
	"github.com/envoydbg/envoydbg/internal/tempdir"
)

// Windows is the Source of a session that has no window, as in a terminal: it borrows what
// stands by in this user's windows. What it borrows ends with the session.
type Windows struct{}

// Next implements Source: nothing is kept here.
func (Windows) Next(Want) {}

// Done implements Source.
func (Windows) Done() {}

// Take implements Source.
func (Windows) Take(w Want) (taken *Process, why string) {
	why = "this user has no window in which one stands by"
	for _, dir := range tempdir.Owned(tempdir.Places()) {
		p, err := borrow(dir, w)
		if err == nil {
			return p, ""
		}
		if !errors.Is(err, os.ErrNotExist) { // a folder of something else than a window
			why = fmt.Sprintf("%s: %v", filepath.Join(dir, lendSocket), err)
		}
	}
	return nil, why
}

// borrow asks the window whose folder dir is.
func borrow(dir string, w Want) (*Process, error) {
	conn, err := net.DialTimeout("unix", filepath.Join(dir, lendSocket), askTime)
	if err != nil {
		return nil, err
	}
	p, err := ask(conn.(*net.UnixConn), w)
	if err != nil {
		_ = conn.Close() // which ends what was offered
		return nil, err
	}
	return p, nil
}

// ask asks the window at the other end of a connection.
func ask(conn *net.UnixConn, w Want) (*Process, error) {
	window, err := peerOf(conn)
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(askTime + takeTime))
	if err := json.NewEncoder(conn).Encode(w); err != nil {
		return nil, err
	}
	in := bufio.NewReader(conn)
	line, err := in.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Time{})
	var o offer
	if err := json.Unmarshal(line, &o); err != nil {
		return nil, err
	}
	if o.PID == 0 {
		return nil, errors.New(o.Why)
	}
	// The number is that of the window's PID namespace, which need not be this one's.
	h, err := process.Open(o.PID)
	if err != nil {
		return nil, err
	}
	if h.Parent != window {
		h.Close()
		return nil, fmt.Errorf("process %d is no child of the window, which is process %d", o.PID, window)
	}
	waited, err := h.Stat.Open() // a Handle is one goroutine's
	if err != nil {
		h.Close()
		return nil, err
	}
	b := &borrowed{status: fmt.Sprintf("it stood by in a window, whose process %d has ended", window), program: w.LLDBDap, conn: conn, in: in, process: h, done: make(chan struct{})}
	go b.wait(waited)
	return &Process{Dir: o.Dir, borrowed: b}, nil
}

// borrowed is an lldb-dap that is another process's child. It ends when the connection does,
// and with that process; Kill does not depend on either.
type borrowed struct {
	program string
	conn    net.Conn
	in      *bufio.Reader // of conn
	done    chan struct{}

	mu             sync.Mutex
	process        *process.Handle
	status, stderr string
}

// wait closes done when the process has ended.
func (b *borrowed) wait(h *process.Handle) {
	defer close(b.done)
	defer h.Close()
	for !(process.Handles{h}).Wait(time.Now().Add(time.Hour)) {
	}
}

// Program implements lldb.Process.
func (b *borrowed) Program() string { return b.program }

// PID implements lldb.Process.
func (b *borrowed) PID() int { return b.process.PID }

// Kill implements lldb.Process. What it has left is removed by the window.
func (b *borrowed) Kill() {
	b.mu.Lock()
	defer b.mu.Unlock()
	_ = b.process.Signal(syscall.SIGKILL) // fails when it has ended
}

// Done implements lldb.Process.
func (b *borrowed) Done() <-chan struct{} { return b.done }

// Status implements lldb.Process.
func (b *borrowed) Status() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.status
}

// Stderr implements lldb.Process.
func (b *borrowed) Stderr() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.TrimSpace(b.stderr)
}

// Release implements lldb.Process.
func (b *borrowed) Release() { _ = b.conn.Close() }

// end ends it, and returns when it has, or after some seconds.
func (b *borrowed) end() {
	b.Kill()
	select {
	case <-b.done:
	case <-time.After(closeTime):
	}
	b.Release()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.process.Close()
}

// open begins to talk to it.
func (b *borrowed) open(ctx context.Context, hello *dapio.Message, h lldb.Handler, t *trace.Trace) (*lldb.DAP, *dapio.Message, error) {
	t.Line("lldb-dap", "%s borrowed, pid %d", b.program, b.PID())
	d := lldb.Talk(b, b.conn, stream{b.in, b.conn}, false, hears{h, b}, t)
	answer, err := d.Initialize(ctx, hello)
	if err != nil {
		_ = d.Close()
		return nil, nil, err
	}
	return d, answer, nil
}

// stream reads a connection of which something has been read.
type stream struct {
	*bufio.Reader
	net.Conn
}

// Read implements io.Reader.
func (s stream) Read(p []byte) (int, error) { return s.Reader.Read(p) }

// hears keeps for a borrowed lldb-dap how it has ended.
type hears struct {
	lldb.Handler
	b *borrowed
}

// Message implements lldb.Handler.
func (h hears) Message(m *dapio.Message) {
	if m.Type != dapio.Event || m.Name != endedEvent {
		h.Handler.Message(m)
		return
	}
	h.b.mu.Lock()
	defer h.b.mu.Unlock()
	h.b.status, h.b.stderr = m.Get("body.status").Str, m.Get("body.stderr").Str
}
