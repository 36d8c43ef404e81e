package gdbremote

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
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

// platformName is what connections to the platform are called.
const platformName = "platform"

// Config describes a relay.
type Config struct {
	// Dir is an existing folder of mode 0700 for the relay's sockets.
	Dir string
	// Platform is the server-side socket of lldb-server platform.
	Platform string
	// Dial opens a connection to a server-side socket.
	Dial func(ctx context.Context, socket string) (Conn, error)
	// Awaited is the name of the process that the session waits for. The first
	// attach to that name that succeeds is the session's own: SkipToExec, Admit
	// and the Observer are for it alone. Every other attach, by a process id, to
	// another name or to this one later, is the user's, and only passed on.
	Awaited string
	// SkipToExec hides from the client everything between the attach and the
	// exec that follows: the stop reply of the exec answers the attach.
	SkipToExec bool
	// Admit, if set, is asked about the attached process before the client
	// learns of it. With an error, or no answer within 10 s, the debug server is
	// told to let go of the process, and the client that the attach failed.
	Admit func(ctx context.Context, pid int) error
	// Observer is told what happens; its methods run on the relay's
	// goroutines and must not block.
	Observer Observer

	limits limits // zero for the usual ones
}

// limits bound what the relay waits for.
type limits struct {
	dial  time.Duration // for a connection to the debug server
	admit time.Duration // for the answer of Config.Admit
	// leave is for the debug server to end its connection once the client has
	// left; lldb-server first detaches from the process.
	leave time.Duration
	close time.Duration // for the end of all connections
}

var usualLimits = limits{dial: 10 * time.Second, admit: 10 * time.Second, leave: 10 * time.Second, close: 2 * time.Second}

// Observer watches the session's own attach, and the connections. All methods
// may be called from several goroutines.
type Observer interface {
	// Arming: the attach packet has been written to the debug server.
	Arming(Arming)
	// Attached: the attach has been answered; at Envoy's entry with SkipToExec.
	Attached(Attached)
	// Exited: the debug server says that the attached process has ended. The
	// client hears of it afterwards.
	Exited(Exit)
	// Refused: the debug server has refused a breakpoint that the client believes to be
	// set or removed, so the process was not resumed. The client hears of a stop
	// afterwards.
	Refused(Refused)
	// Disconnected: a connection has ended; the client's side of it is closed
	// only afterwards. err is nil when that was to be expected: the client has
	// left or let go of the process, or the process has ended. It is not called
	// once the relay is being closed. A panic on the connection is a *PanicError.
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
	// constants are those of the platform, of connections with a companion.
	constants *constants
	wg        sync.WaitGroup
	close     func() error // once

	mu      sync.Mutex
	open    map[io.Closer]struct{} // listeners, and connections of both sides
	links   map[*link]struct{}
	servers int
	closed  bool
	awaited awaited
	take    func(context.Context) error // see Detach
}

// awaited is the state of the session's own attach.
type awaited int

const (
	awaitedOpen    awaited = iota // the next attach to the name is the session's
	awaitedPending                // it has been sent
	awaitedUsed                   // it has succeeded
)

// Start listens for the client's platform connection.
func Start(cfg Config) (*Relay, error) {
	folder := filepath.Join(cfg.Dir, schemeFolder)
	if err := os.Mkdir(folder, 0o700); err != nil {
		return nil, err
	}
	l, err := listen(cfg.Dir, folder)
	if err != nil {
		_ = os.RemoveAll(folder)
		return nil, err
	}
	if cfg.limits == (limits{}) {
		cfg.limits = usualLimits
	}
	r := &Relay{cfg: cfg, platform: l, open: map[io.Closer]struct{}{l: {}}, links: map[*link]struct{}{}, constants: newConstants()}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.close = sync.OnceValue(r.closeAll)
	r.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				r.disconnected(platformName, fmt.Errorf("no further connection can be accepted: %w", err))
				return
			}
			r.wg.Go(func() { r.carry(platformName, c, cfg.Platform, 0) })
		}
	})
	return r, nil
}

func listen(dir, folder string) (net.Listener, error) {
	if err := os.Symlink(".", filepath.Join(folder, "[]")); err != nil {
		return nil, err
	}
	return net.Listen("unix", filepath.Join(dir, "p.sock"))
}

// URL is what the client connects its platform to.
func (r *Relay) URL() string { return "unix-connect://" + r.platform.Addr().String() }

// Scheme is the value of [SchemeVariable] for a relay in dir.
func Scheme(dir string) string {
	return "unix-connect://" + filepath.Join(dir, strings.TrimSuffix(schemeFolder, ":"))
}

// Close ends every connection and removes the sockets. It returns after 2 s at
// the latest, with an error if something still blocks then: a stream to the debug
// server whose Write or Close does not return.
func (r *Relay) Close() error { return r.close() }

func (r *Relay) closeAll() error {
	r.mu.Lock()
	r.closed = true
	all := slices.Collect(maps.Keys(r.open))
	r.mu.Unlock()
	r.cancel()
	ended := make(chan struct{})
	for _, c := range all {
		r.wg.Go(func() { _ = c.Close() }) // one may block
	}
	go func() { r.wg.Wait(); close(ended) }()
	var err error
	select {
	case <-ended:
	case <-time.After(r.cfg.limits.close):
		err = fmt.Errorf("connections to the debug server have not ended within %v", r.cfg.limits.close)
	}
	return errors.Join(err, os.RemoveAll(filepath.Join(r.cfg.Dir, schemeFolder)))
}

// add notes what Close is to close; it closes it and returns false if the relay
// is being closed.
func (r *Relay) add(c io.Closer) bool {
	r.mu.Lock()
	closed := r.closed
	if !closed {
		r.open[c] = struct{}{}
	}
	r.mu.Unlock()
	if closed {
		_ = c.Close()
	}
	return !closed
}

func (r *Relay) remove(c io.Closer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.open, c)
}

// Stopped reports whether there is an attached process and it does not run: the client
// has not resumed it since the debug server has told its last stop.
func (r *Relay) Stopped() bool {
	r.mu.Lock()
	links := slices.Collect(maps.Keys(r.links))
	r.mu.Unlock()
	for _, k := range links { // not under the lock: a conversation asks the relay under its own
		if k.talk.isStopped() {
			return true
		}
	}
	return false
}

// StopInPlace makes the attached process stop where it is: the client's next
// resume is answered at once with the stop reply of the attach, and the process
// does not run. To be called while it stands there, before the client resumes it.
func (r *Relay) StopInPlace() {
	r.mu.Lock()
	links := slices.Collect(maps.Keys(r.links))
	r.mu.Unlock()
	for _, k := range links { // not under the lock, as in Stopped
		k.talk.stopInPlace()
	}
}

// Detach makes the client's detach from the attached process by another way: the debug
// server does not hear of it, and take, which lets go of the process, is called instead.
// By then the client has taken its breakpoints out of it. The client hears that it has
// failed if take does, or does not return within 10 s.
func (r *Relay) Detach(take func(context.Context) error) {
	r.mu.Lock()
	r.take = take
	links := slices.Collect(maps.Keys(r.links))
	r.mu.Unlock()
	for _, k := range links { // not under the lock, as in Stopped
		k.talk.takeDetach()
	}
}

// claim reports whether an attach to that name is the session's own.
func (r *Relay) claim(name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if name != r.cfg.Awaited || r.awaited != awaitedOpen {
		return false
	}
	r.awaited = awaitedPending
	return true
}

// settle notes how the session's own attach has ended. One that failed may be
// tried again.
func (r *Relay) settle(attached bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.awaited = awaitedOpen; attached {
		r.awaited = awaitedUsed
	}
}

// carry dials the server's socket and runs the two pumps of one connection.
func (r *Relay) carry(name string, client net.Conn, socket string, serverPID int) {
	if !r.add(client) {
		return
	}
	defer r.remove(client)
	server, err := within(r.ctx, r.cfg.limits.dial, func(ctx context.Context) (Conn, error) {
		return r.cfg.Dial(ctx, socket)
	}, func(late Conn) { _ = late.Close() })
	if err != nil {
		r.disconnected(name, fmt.Errorf("no connection to the debug server: %w", err))
		_ = client.Close()
		return
	}
	if !r.add(server) {
		_ = client.Close()
		return
	}
	defer r.remove(server)
	k := newLink(r, name, direct(client), direct(server), serverPID)
	r.mu.Lock()
	r.links[k] = struct{}{}
	r.mu.Unlock()
	k.run(func(err error) { r.disconnected(name, err) })
	r.mu.Lock()
	delete(r.links, k)
	r.mu.Unlock()
}

func (r *Relay) disconnected(name string, err error) {
	r.mu.Lock()
	closed := r.closed
	r.mu.Unlock()
	if closed {
		return
	}
	var ignored error
	defer catch(&ignored) // an observer that panics about an end cannot be told so
	r.cfg.Observer.Disconnected(name, err)
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
	r.servers++
	name := fmt.Sprintf("g%d", r.servers)
	r.mu.Unlock()
	base := name + ".sock"
	l, err := net.Listen("unix", filepath.Join(r.cfg.Dir, schemeFolder, base))
	if err != nil {
		return nil, err
	}
	if !r.add(l) {
		return nil, net.ErrClosed
	}
	r.wg.Go(func() {
		c, err := l.Accept()
		r.remove(l)
		_ = l.Close()
		if err != nil {
			r.disconnected(name, fmt.Errorf("the client's connection cannot be accepted: %w", err))
			return
		}
		r.carry(name, c, string(remote), pid)
	})
	return fmt.Appendf(nil, "pid:%d;socket_name:%s;", pid, hex.EncodeToString([]byte("/"+base))), nil
}
