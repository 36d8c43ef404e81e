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
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// limit bounds every wait of a story.
const limit = 10 * time.Second

// story is a relay between a client and a debug server that are both the
// test's, so that each can say anything. It is the relay's Observer, too.
type story struct {
	t     *testing.T
	relay *Relay
	dir   string // the relay's
	plat  net.Listener
	gdb   net.Listener
	news  chan string
	peers []*peer

	closeFails bool // the story has made Close fail

	mu      sync.Mutex
	traffic []string
	onEnd   func() // if set, called within Disconnected
}

// begin starts a relay that awaits Envoy; its Dir and Platform are the story's,
// and so are its Dial and Observer unless they are set. At the end it is closed,
// and no goroutine of it may be left.
func begin(t *testing.T, cfg Config) *story {
	t.Helper()
	// Not t.TempDir: the names of sockets are at most 107 bytes long.
	root, err := os.MkdirTemp("", "relay")
	if err != nil {
		t.Fatal(err)
	}
	s := &story{t: t, dir: filepath.Join(root, "r"), news: make(chan string, 100)}
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if s.plat, err = net.Listen("unix", filepath.Join(root, "plat")); err != nil {
		t.Fatal(err)
	}
	if s.gdb, err = net.Listen("unix", filepath.Join(root, "gdb")); err != nil {
		t.Fatal(err)
	}
	cfg.Dir, cfg.Platform, cfg.Awaited = s.dir, filepath.Join(root, "plat"), "envoy"
	if cfg.Observer == nil {
		cfg.Observer = s
	}
	if cfg.Dial == nil {
		cfg.Dial = func(ctx context.Context, socket string) (Conn, error) {
			c, err := new(net.Dialer).DialContext(ctx, "unix", socket)
			if err != nil {
				return nil, err
			}
			return c.(*net.UnixConn), nil
		}
	}
	if s.relay, err = Start(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		closed := s.relay.Close() // first: the ends below are nobody's story
		if closed != nil && !s.closeFails {
			t.Errorf("the relay does not end: %v", closed)
		}
		for _, p := range s.peers {
			p.closes()
		}
		_ = s.plat.Close()
		_ = s.gdb.Close()
		_ = os.RemoveAll(root)
		if left := goroutines(); left != "" {
			t.Errorf("goroutines are left:\n%s", left)
		}
		if t.Failed() {
			s.mu.Lock()
			defer s.mu.Unlock()
			t.Logf("traffic:\n%s", strings.Join(s.traffic, "\n"))
		}
	})
	return s
}

// Arming implements Observer.
func (s *story) Arming(a Arming) {
	s.news <- fmt.Sprintf("arming %s %s at server %d", a.Packet, a.Name, a.ServerPID)
}

// Attached implements Observer.
func (s *story) Attached(a Attached) {
	s.news <- fmt.Sprintf("attached %d, swallowed %v, error %v, ended %v", a.PID, a.Skipped, a.Err, errors.Is(a.Err, ErrEnded))
}

// Exited implements Observer.
func (s *story) Exited(e Exit) {
	s.news <- fmt.Sprintf("exited: %v, process %d", e, e.PID)
}

// Refused implements Observer.
func (s *story) Refused(r Refused) {
	s.news <- fmt.Sprintf("%s: %s", r.What, r.Err)
}

// Disconnected implements Observer.
func (s *story) Disconnected(conn string, err error) {
	s.mu.Lock()
	onEnd := s.onEnd
	s.mu.Unlock()
	if onEnd != nil {
		onEnd()
	}
	s.news <- fmt.Sprintf("disconnected %s: %v", conn, err)
}

// atEnd sets what is done within Disconnected.
func (s *story) atEnd(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onEnd = do
}

// Packet implements Observer.
func (s *story) Packet(conn string, fromServer bool, f Frame) {
	arrow := "→"
	if fromServer {
		arrow = "←"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.traffic = append(s.traffic, fmt.Sprintf("%s %s %.200q", conn, arrow, f.Raw))
}

// observes expects this as the next call of the observer.
func (s *story) observes(want string) {
	s.t.Helper()
	select {
	case got := <-s.news:
		if got != want {
			s.t.Fatalf("the observer was told %q, want %q", got, want)
		}
	case <-time.After(limit):
		s.t.Fatalf("the observer was not told %q", want)
	}
}

// observesNothing expects that the relay has had nothing else to tell.
func (s *story) observesNothing() {
	s.t.Helper()
	select {
	case got := <-s.news:
		s.t.Fatalf("the observer was told %q", got)
	default:
	}
}

// peer is one end of a connection.
type peer struct {
	t    *testing.T
	who  string
	conn *net.UnixConn
	r    *Reader
}

func (s *story) peer(who string, c net.Conn, err error) *peer {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("%s: %v", who, err)
	}
	_ = c.SetDeadline(time.Now().Add(limit))
	p := &peer{s.t, who, c.(*net.UnixConn), NewReader(c)}
	s.peers = append(s.peers, p)
	return p
}

func (s *story) accept(who string, l net.Listener) *peer {
	s.t.Helper()
	_ = l.(*net.UnixListener).SetDeadline(time.Now().Add(limit))
	c, err := l.Accept()
	return s.peer(who, c, err)
}

// platform is the client's first connection.
func (s *story) platform() (client, server *peer) {
	s.t.Helper()
	c, err := net.Dial("unix", strings.TrimPrefix(s.relay.URL(), "unix-connect://"))
	client = s.peer("platform client", c, err)
	return client, s.accept("platform server", s.plat)
}

// launch lets the client ask the platform for a debug server.
func (s *story) launch(client, server *peer) (name string) {
	s.t.Helper()
	client.sends("qLaunchGDBServer;host:localhost;")
	server.receives("qLaunchGDBServer;host:localhost;")
	server.sends("pid:77;port:0;socket_name:" + hex.EncodeToString([]byte(s.gdb.Addr().String())) + ";")
	reply := client.next().Payload
	encoded, ok := field(reply, "socket_name")
	decoded, err := hex.DecodeString(encoded)
	if pid, _ := field(reply, "pid"); !ok || err != nil || pid != "77" {
		s.t.Fatalf("the client was told %q", reply)
	}
	return string(decoded)
}

// debugServer is the client's second connection, after the first.
func (s *story) debugServer() (client, server *peer) {
	s.t.Helper()
	return s.connect(s.launch(s.platform()))
}

// connect is the connection to the socket that the platform has named.
func (s *story) connect(name string) (client, server *peer) {
	s.t.Helper()
	c, err := net.Dial("unix", filepath.Join(s.dir, schemeFolder)+name)
	client = s.peer("client", c, err)
	return client, s.accept("server", s.gdb)
}

// until waits for something that is about to become true.
func (s *story) until(true func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(limit); !true(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("it does not become true\n%s", stacks())
		}
	}
}

// noAck ends the acknowledged mode, as LLDB does first of all.
func noAck(client, server *peer) {
	client.t.Helper()
	client.write("+")
	server.frame("+")
	client.sends("QStartNoAckMode")
	server.receives("QStartNoAckMode")
	server.write("+")
	client.frame("+")
	server.sends("OK")
	client.receives("OK")
	client.write("+")
	server.frame("+")
}

// awaiting is a debug server that the client has told to wait for Envoy.
func (s *story) awaiting() (client, server *peer) {
	s.t.Helper()
	client, server = s.debugServer()
	noAck(client, server)
	passes(client, server, awaitEnvoy)
	s.observes(armed)
	return client, server
}

// passes is a packet that arrives as it was sent.
func passes(from, to *peer, payload string) {
	from.t.Helper()
	from.sends(payload)
	to.receives(payload)
}

// holdsTheGate is a server that has attached to the gate, and is told to let it
// run to its exec.
func (p *peer) holdsTheGate() {
	p.t.Helper()
	p.sends(attached)
	p.receives("vCont;c")
}

func (p *peer) write(raw string) {
	p.t.Helper()
	if _, err := io.WriteString(p.conn, raw); err != nil {
		p.t.Fatalf("%s sends %.100q: %v", p.who, raw, err)
	}
}

// sends sends a packet.
func (p *peer) sends(payload string) { p.t.Helper(); p.write(string(Encode(payload))) }

func (p *peer) next() Frame {
	p.t.Helper()
	f, err := p.r.Next()
	var parts []byte // of a long packet
	for err == nil && f.More {
		parts = append(parts, f.Raw...)
		f, err = p.r.Next()
	}
	if err != nil {
		p.t.Fatalf("%s receives nothing: %v\n%s", p.who, err, stacks())
	}
	if parts != nil {
		f.Raw = append(parts, f.Raw...)
	}
	return f
}

// frame expects these bytes as the next frame.
func (p *peer) frame(raw string) {
	p.t.Helper()
	if f := p.next(); string(f.Raw) != raw {
		p.t.Fatalf("%s receives %.200q, want %.200q", p.who, f.Raw, raw)
	}
}

// answersAttach lets the server answer the session's own attach with a stop. The
// client gets it with a reason that no setting of LLDB's skips.
func answersAttach(server, client *peer, stop string) {
	client.t.Helper()
	server.sends(stop)
	client.receives(asShown(stop))
}

// asShown is a stop at the attach as the client sees it.
func asShown(stop string) string {
	return strings.NewReplacer("reason:exec;", "reason:exception;", "reason:signal;", "reason:exception;").Replace(stop)
}

// receives expects this packet next.
func (p *peer) receives(payload string) { p.t.Helper(); p.frame(string(Encode(payload))) }

// receivesEnd expects the end of the connection.
func (p *peer) receivesEnd() {
	p.t.Helper()
	if f, err := p.r.Next(); err == nil {
		p.t.Fatalf("%s receives %q, want the end", p.who, f.Raw)
	} else if errors.Is(err, os.ErrDeadlineExceeded) {
		p.t.Fatalf("%s: the connection does not end\n%s", p.who, stacks())
	}
}

// unlimited takes the bound from a wait that is long by itself.
func (p *peer) unlimited() { _ = p.conn.SetDeadline(time.Now().Add(12 * limit)) }

// closes ends the connection.
func (p *peer) closes() { _ = p.conn.Close() }

// open reports whether the other side has not closed the connection, now.
func (p *peer) open() bool {
	raw, err := p.conn.SyscallConn()
	if err != nil {
		return false
	}
	open := false
	err = raw.Read(func(fd uintptr) bool {
		n, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		open = n > 0 || errors.Is(err, syscall.EAGAIN)
		return true
	})
	return err == nil && open
}

func stacks() string {
	b := make([]byte, 1<<20)
	return string(b[:runtime.Stack(b, true)])
}

// goroutines are those of a relay, once they have had time to end: those that
// Close does not wait for are those whose end it causes.
func goroutines() string {
	var left []string
	for deadline := time.Now().Add(limit); ; time.Sleep(time.Millisecond) {
		left = nil
		for _, g := range strings.Split(stacks(), "\n\n") {
			if strings.Contains(g, "gdbremote.(*Relay)") || strings.Contains(g, "gdbremote.(*link)") || strings.Contains(g, "gdbremote.within") {
				left = append(left, g)
			}
		}
		if len(left) == 0 || time.Now().After(deadline) {
			return strings.Join(left, "\n\n")
		}
	}
}
