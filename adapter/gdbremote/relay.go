package gdbremote

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Conn is one byte stream to a debug server.
type Conn interface {
	io.ReadWriteCloser
	// CloseWrite ends the direction to the server; the other one goes on.
	CloseWrite() error
}

// SchemeVariable must be set to [Scheme] in the environment of the client.
// LLDB builds the address of its second connection from this scheme and the
// socket name in the platform's reply, and each version does so differently:
// 19 pastes them together as scheme://[]name, 22 as scheme://name. The relay
// makes both the same file: the scheme ends in a folder "s" whose name becomes
// "s:" by the pasting, the name is /gN.sock, and "[]" in that folder is a link
// to the folder itself.
const SchemeVariable = "LLDB_PLATFORM_REMOTE_GDB_SERVER_SCHEME"

const schemeFolder = "s:"

// Config describes a relay.
type Config struct {
	// Dir is an existing folder of mode 0700 for the relay's sockets.
	Dir string
	// Platform is the server-side socket of lldb-server platform.
	Platform string
	// Dial opens a connection to a server-side socket.
	Dial func(ctx context.Context, socket string) (Conn, error)
	// SkipToExec hides from the client everything between the attach and the
	// exec that follows: the stop reply of the exec answers the attach.
	SkipToExec bool
	// Admit, if set, is asked about the attached process before the client
	// learns of it. With an error the debug server is told to let go of the
	// process, and the client that the attach failed. It may block.
	Admit func(ctx context.Context, pid int) error
	// Observer is told what happens; its methods run on the relay's
	// goroutines and must not block.
	Observer Observer
}

// Observer watches the attach. All methods may be called from several goroutines.
type Observer interface {
	// Arming: the attach packet has been written to the debug server.
	Arming(Arming)
	// Attached: the attach has been answered; at Envoy's entry with SkipToExec.
	Attached(Attached)
	// Disconnected: a connection has ended; the client's side of it is closed
	// only afterwards. err is nil when that was to be expected: the client has
	// left or let go of the process, or the process has ended. It is not called
	// once the relay is being closed.
	Disconnected(conn string, err error)
	// Packet is called for every frame, for the trace; it must not keep the frame.
	Packet(conn string, fromServer bool, f Frame)
}

// Arming is the evidence that the debug server has been told to wait.
type Arming struct {
	Time time.Time
	// ServerPID is the gdbserver's process id in the server's namespace; 0 if
	// the platform did not tell.
	ServerPID int
	// Packet is the packet's name, e.g. "vAttachOrWait".
	Packet string
	// Name is the awaited base name; empty for an attach by process id.
	Name string
}

// Attached is the outcome of an attach.
type Attached struct {
	Time time.Time
	PID  int
	// Skipped are the stop replies swallowed between attach and exec.
	Skipped []string
	// Err is set when the attach failed, in the server's words, or when the
	// process ended before its exec.
	Err error
}

// ErrEnded is wrapped in Attached.Err when the process ended before its exec.
var ErrEnded = errors.New("the process ended before it became Envoy")

// Relay carries gdb-remote connections from sockets on this machine to a debug
// server elsewhere.
type Relay struct {
	cfg      Config
	ctx      context.Context
	cancel   context.CancelFunc
	platform net.Listener
	wg       sync.WaitGroup

	mu        sync.Mutex
	listeners []net.Listener
	conns     map[*link]struct{}
	servers   int
	closed    bool
}

// Start listens for the client's platform connection.
func Start(cfg Config) (*Relay, error) {
	ctx, cancel := context.WithCancel(context.Background())
	r := &Relay{cfg: cfg, ctx: ctx, cancel: cancel, conns: map[*link]struct{}{}}
	folder := filepath.Join(cfg.Dir, schemeFolder)
	if err := os.Mkdir(folder, 0o700); err != nil {
		cancel()
		return nil, err
	}
	if err := os.Symlink(".", filepath.Join(folder, "[]")); err != nil {
		cancel()
		return nil, err
	}
	l, err := net.Listen("unix", filepath.Join(cfg.Dir, "p.sock"))
	if err != nil {
		cancel()
		return nil, err
	}
	r.platform = l
	r.listeners = append(r.listeners, l)
	r.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			r.carry("platform", c, cfg.Platform, 0)
		}
	})
	return r, nil
}

// URL is what the client connects its platform to.
func (r *Relay) URL() string { return "unix-connect://" + r.platform.Addr().String() }

// Scheme is the value of [SchemeVariable] for a relay in dir.
func Scheme(dir string) string {
	return "unix-connect://" + filepath.Join(dir, strings.TrimSuffix(schemeFolder, ":"))
}

// Close ends every connection and removes the sockets.
func (r *Relay) Close() {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return
	}
	r.closed = true
	r.cancel()
	for _, l := range r.listeners {
		_ = l.Close()
	}
	for c := range r.conns {
		c.close()
	}
	r.mu.Unlock()
	r.wg.Wait()
	_ = os.RemoveAll(filepath.Join(r.cfg.Dir, schemeFolder))
}

// carry dials the server's socket and runs the two pumps of one connection.
func (r *Relay) carry(name string, client net.Conn, socket string, serverPID int) {
	r.wg.Go(func() {
		server, err := r.cfg.Dial(r.ctx, socket)
		if err != nil {
			r.disconnected(name, fmt.Errorf("no connection to the debug server: %w", err))
			_ = client.Close()
			return
		}
		k := &link{relay: r, name: name, client: client, server: server, serverPID: serverPID}
		r.mu.Lock()
		if r.closed {
			r.mu.Unlock()
			k.close()
			return
		}
		r.conns[k] = struct{}{}
		r.mu.Unlock()
		k.run(func(err error) { r.disconnected(name, err) })
		r.mu.Lock()
		delete(r.conns, k)
		r.mu.Unlock()
	})
}

func (r *Relay) disconnected(name string, err error) {
	r.mu.Lock()
	closed := r.closed
	r.mu.Unlock()
	if !closed {
		r.cfg.Observer.Disconnected(name, err)
	}
}

// redirect answers for the platform's "a gdbserver waits for you at …": it
// listens on a socket of its own for the one connection to come and returns
// the reply that names that socket to the client.
func (r *Relay) redirect(reply []byte) ([]byte, error) {
	hexName, ok := field(reply, "socket_name")
	if !ok {
		return nil, fmt.Errorf("debug server named no unix socket: %q", reply)
	}
	remote, err := hex.DecodeString(hexName)
	if err != nil {
		return nil, fmt.Errorf("debug server named a socket that is not hex: %q", reply)
	}
	pidText, _ := field(reply, "pid")
	pid, _ := strconv.Atoi(pidText)

	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, net.ErrClosed
	}
	r.servers++
	base := fmt.Sprintf("g%d.sock", r.servers)
	path := filepath.Join(r.cfg.Dir, schemeFolder, base)
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	r.listeners = append(r.listeners, l)
	name := strings.TrimSuffix(base, ".sock")
	r.wg.Go(func() {
		defer l.Close()
		c, err := l.Accept()
		if err != nil {
			return
		}
		r.carry(name, c, string(remote), pid)
	})
	return fmt.Appendf(nil, "pid:%d;socket_name:%s;", pid, hex.EncodeToString([]byte("/"+base))), nil
}
