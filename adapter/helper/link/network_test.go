package link

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// bound is how long anything in these tests may take.
const bound = 2 * time.Minute

// network makes transports between a client and a server. A test proxy stands in each
// of them, and loses what it holds when it is cut.
type network struct {
	server *Server
	// life is how many bytes a transport carries, in both directions together, until
	// it is cut; nil means no end.
	life func() int64

	mu     sync.Mutex
	refuse error // of the next dials
	proxy  *proxy
	dials  int
	served []error
}

// dial is for ClientOptions.Dial.
func (n *network) dial(context.Context) (io.ReadWriteCloser, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dials++
	if n.refuse != nil {
		return nil, n.refuse
	}
	client, a := net.Pipe()
	b, server := net.Pipe()
	p := &proxy{a: a, b: b, left: 1 << 62}
	if n.life != nil {
		p.left = n.life()
	}
	p.flowing.L = &p.mu
	go p.copy(a, b)
	go p.copy(b, a)
	n.proxy = p
	go func() {
		err := n.server.Serve(server)
		n.mu.Lock()
		defer n.mu.Unlock()
		n.served = append(n.served, err)
	}()
	return client, nil
}

func (n *network) set(refuse error) *proxy {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.refuse = refuse
	return n.proxy
}

// proxy passes bytes on, one direction a goroutine.
type proxy struct {
	a, b net.Conn

	mu      sync.Mutex
	flowing sync.Cond
	held    bool
	left    int64 // bytes until the cut
}

func (p *proxy) copy(to, from net.Conn) {
	buf := make([]byte, 20_000)
	for {
		n, err := from.Read(buf)
		p.mu.Lock()
		for p.held {
			p.flowing.Wait()
		}
		over := int64(n) >= p.left
		n = int(min(int64(n), p.left))
		p.left -= int64(n)
		p.mu.Unlock()
		if _, w := to.Write(buf[:n]); w != nil || err != nil || over {
			p.cut()
			return
		}
	}
}

func (p *proxy) cut() {
	p.a.Close()
	p.b.Close()
	p.hold(false)
}

// hold keeps everything, without an end: a half-open transport.
func (p *proxy) hold(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = on
	p.flowing.Broadcast()
}

// ends are a connected pair.
type ends struct {
	*network
	client  *Conn
	cuts    atomic.Int64
	resumed atomic.Int64
	why     chan error // of the cuts; not all if nobody reads
}

const session, token = "0a1b2c3d", "a secret"

// connect makes a pair; change may be nil.
func connect(t *testing.T, change func(*ClientOptions, *ServerOptions)) *ends {
	t.Helper()
	e := &ends{network: &network{}, why: make(chan error, 100)}
	co := ClientOptions{Session: session, Token: token, Who: "ann@laptop", Dial: e.dial,
		Cut: func(err error) {
			e.cuts.Add(1)
			select {
			case e.why <- err:
			default:
			}
		},
		Resumed: func(time.Duration) { e.resumed.Add(1) }}
	so := ServerOptions{Session: session, Token: token}
	if change != nil {
		change(&co, &so)
	}
	e.server = NewServer(so)
	var err error
	if e.client, err = Connect(t.Context(), co); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = e.client.Close()
		_ = e.server.Conn().Close()
	})
	return e
}

// records writes records of random bytes until stop says so, and one that is empty.
func records(w io.Writer, seed uint64, largest int, stop func() bool) error {
	r := rand.New(rand.NewPCG(seed, 0))
	for {
		n := 1 + r.IntN(largest)
		if stop() {
			n = 0
		}
		b := binary.BigEndian.AppendUint32(nil, uint32(n))
		for range n {
			b = append(b, byte(r.Uint32()))
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
		if n == 0 {
			return nil
		}
	}
}

// check reads what records writes and compares each byte. It returns how many there
// were.
func check(in io.Reader, seed uint64, largest int) (total int64, err error) {
	r := rand.New(rand.NewPCG(seed, 0))
	for {
		var h [4]byte
		if _, err := io.ReadFull(in, h[:]); err != nil {
			return total, err
		}
		n, want := int(binary.BigEndian.Uint32(h[:])), 1+r.IntN(largest)
		if n == 0 {
			return total, nil
		}
		if n != want {
			return total, fmt.Errorf("after %d bytes a record has %d bytes, not %d", total, n, want)
		}
		b := make([]byte, n)
		if _, err := io.ReadFull(in, b); err != nil {
			return total, err
		}
		for i := range b {
			if want := byte(r.Uint32()); b[i] != want {
				return total, fmt.Errorf("byte %d is %#x, not %#x", total+int64(i), b[i], want)
			}
		}
		total += int64(n)
	}
}
