//go:build linux

package server

import (
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"github.com/envoydbg/envoydbg/adapter/gdbremote"
	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/helper/gate"
)

// byHand are the connections to a platform that was started by hand, and to the debug
// servers that it has started for this session.
type byHand struct {
	helper.PlatformConnectParams
	host string

	mu    sync.Mutex
	ports map[string]bool        // of debug servers that the platform has told
	open  map[*handConn]struct{} // connections to debug servers that have not ended theirs
}

func newByHand(p helper.PlatformConnectParams) *byHand {
	host, _, _ := net.SplitHostPort(p.Address)
	return &byHand{PlatformConnectParams: p, host: host, ports: map[string]bool{}, open: map[*handConn]struct{}{}}
}

// dial connects to the platform, or to a debug server that it has told of.
func (h *byHand) dial(address string) (serverConn, error) {
	host, port, err := net.SplitHostPort(address)
	h.mu.Lock()
	told := h.ports[port]
	h.mu.Unlock()
	if err != nil || address != h.Address && (host != h.host || !told) {
		return nil, fmt.Errorf("%s is not an address of this session's debug server", address)
	}
	conn, err := net.DialTimeout("tcp", address, dialBound)
	if err != nil {
		return nil, err
	}
	tcp := conn.(*net.TCPConn)
	if address == h.Address {
		return &platformConn{serverConn: tcp, hand: h, in: gdbremote.NewReader(tcp)}, nil
	}
	c := &handConn{serverConn: tcp, hand: h, ended: make(chan struct{})}
	h.mu.Lock()
	h.open[c] = struct{}{}
	h.mu.Unlock()
	return c, nil
}

// platformConn is a connection to the platform. Where that names the port of a debug
// server, it says it in the way of one that listens at a socket: the adapter dials both
// alike, through the helper.
type platformConn struct {
	serverConn
	hand    *byHand
	in      *gdbremote.Reader
	pending []byte // of a frame that was read
}

// launched is the answer to qLaunchGDBServer. lldb-server 22 does not tell the process.
var launched = regexp.MustCompile(`^pid:(\d+);port:(\d+);(?:socket_name:[0-9a-f]*;)?$`)

// Read implements io.Reader.
func (c *platformConn) Read(p []byte) (int, error) {
	if len(c.pending) == 0 {
		f, err := c.in.Next()
		if err != nil {
			return 0, err
		}
		c.pending = f.Raw
		if m := launched.FindSubmatch(f.Payload); f.Kind == gdbremote.KindPacket && m != nil {
			port := string(m[2])
			c.hand.mu.Lock()
			c.hand.ports[port] = true
			c.hand.mu.Unlock()
			name := helper.ByHandScheme + net.JoinHostPort(c.hand.host, port)
			c.pending = gdbremote.Encode(fmt.Sprintf("pid:%s;port:0;socket_name:%s;", m[1], hex.EncodeToString([]byte(name))))
		}
	}
	n := copy(p, c.pending)
	c.pending = c.pending[n:]
	return n, nil
}

// handConn is a connection to a debug server.
type handConn struct {
	serverConn
	hand  *byHand
	left  sync.Once
	once  sync.Once
	ended chan struct{} // closed when the debug server has ended its side
}

// Read implements io.Reader.
func (c *handConn) Read(p []byte) (int, error) {
	n, err := c.serverConn.Read(p)
	if err != nil {
		c.once.Do(func() {
			close(c.ended)
			c.hand.mu.Lock()
			delete(c.hand.open, c)
			c.hand.mu.Unlock()
		})
	}
	return n, err
}

// Close implements io.Closer. The connection is there until the debug server has ended its
// side of it: whether it does is the evidence that it has ended. One goroutine reads until
// then.
func (c *handConn) Close() error {
	c.left.Do(func() {
		_ = c.CloseWrite()
		go func() {
			_, _ = io.Copy(io.Discard, c)
			_ = c.serverConn.Close()
		}()
	})
	return nil
}

// Bounds of the end of a debug server that the platform has started.
const (
	leaveBound = 300 * time.Millisecond // by itself, when its connection ends
	decoyBound = 2 * time.Second        // when it has found the decoy
)

// endHand ends the debug servers that the platform has started for this session. Each
// ends when its connection does, but not while it waits for a name: it does not look at
// its connection then, and may be no process of ours to signal. So it is given what it
// waits for, a process of that name which does nothing.
func (s *session) endHand() error {
	h := s.hand.Load()
	if h == nil {
		return nil
	}
	h.mu.Lock()
	var open []*handConn
	for c := range h.open {
		open = append(open, c)
	}
	h.mu.Unlock()
	for _, c := range open {
		_ = c.Close()
	}
	if len(open) == 0 || allEnded(open, leaveBound) {
		return nil
	}
	if there, err := byExeName(h.Awaited); err == nil && len(there) == 0 {
		decoy, err := gate.Decoy(filepath.Join(s.private(), "decoy"), h.Awaited)
		if err != nil {
			return fmt.Errorf("%w (%w)", errStillWaits, err)
		}
		ch, _, err := s.startQuiet(command{Path: decoy, Args: []string{decoy, wordRest}, Env: os.Environ()})
		if err != nil {
			return fmt.Errorf("%w (%w)", errStillWaits, err)
		}
		defer s.kill(ch)
	}
	if !allEnded(open, decoyBound) {
		return errStillWaits
	}
	return nil
}

// allEnded waits until all of them have ended, or for the bound.
func allEnded(conns []*handConn, bound time.Duration) bool {
	late := time.After(bound)
	for _, c := range conns {
		select {
		case <-c.ended:
		case <-late:
			return false
		}
	}
	return true
}
