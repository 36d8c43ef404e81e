package gdbremote

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// heap is what is in use, in bytes.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}

// pattern is an endless stream that tells its places apart.
type pattern struct{ at int }

func (p *pattern) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'a' + byte((p.at+i)/1000%26)
	}
	p.at += len(b)
	return len(b), nil
}

// A packet of 100 MB passes, each way, unchanged and without filling the memory.
func TestAPacketOf100MBPasses(t *testing.T) {
	const size = 100 << 20
	s := begin(t, Config{})
	client, server := s.debugServer()
	noAck(client, server)
	before, most := heap(), uint64(0)
	for _, way := range []struct{ from, to *peer }{{client, server}, {server, client}} {
		way.from.unlimited()
		way.to.unlimited()
		sent := make(chan error, 1)
		go func() {
			_, err := io.Copy(way.from.conn, io.MultiReader(strings.NewReader("$"), io.LimitReader(&pattern{}, size), strings.NewReader("#00")))
			sent <- err
		}()
		got := io.LimitReader(way.to.r.br, size+4)
		want := io.MultiReader(strings.NewReader("$"), io.LimitReader(&pattern{}, size), strings.NewReader("#00"))
		var a, b [64 << 10]byte
		for n := 0; n < size+4; {
			k, err := got.Read(a[:])
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(want, b[:k]); err != nil || !bytes.Equal(a[:k], b[:k]) {
				t.Fatalf("the bytes from %d on have changed", n)
			}
			if n/(20<<20) != (n+k)/(20<<20) {
				most = max(most, heap())
			}
			n += k
		}
		if err := <-sent; err != nil {
			t.Fatal(err)
		}
	}
	if most > before+16<<20 {
		t.Errorf("the heap grows from %d to %d bytes", before, most)
	}
	passes(client, server, "qC") // and the conversation goes on
	passes(server, client, "QC126b")
}

// Who stops reading holds back who writes, and the memory does not grow. Close
// ends both all the same.
func TestWhoStopsReadingHoldsBackTheWriter(t *testing.T) {
	for _, fromServer := range []bool{false, true} {
		for name, packet := range map[string]string{
			"an endless packet": "$" + strings.Repeat("a", 1<<16),
			"many packets":      strings.Repeat(string(Encode("QC126b")), 500),
			"many acks":         strings.Repeat("+", 1<<16),
		} {
			t.Run(name, func(t *testing.T) {
				s := begin(t, Config{})
				client, server := s.debugServer()
				noAck(client, server)
				writer := client
				if fromServer {
					writer = server
				}
				// Written until nothing is taken any more.
				written := 0
				for {
					_ = writer.conn.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
					n, err := io.WriteString(writer.conn, packet)
					written += n
					if err != nil {
						if !isTimeout(err) && !fromServer && name == "many packets" {
							break // more requests than answers: that ends it, too
						}
						if !isTimeout(err) {
							t.Fatal(err)
						}
						break
					}
					if written > 64<<20 {
						t.Fatalf("%d bytes were taken for a reader that does not read", written)
					}
					packet = strings.TrimPrefix(packet, "$")
				}
				began := time.Now()
				if err := s.relay.Close(); err != nil {
					t.Error(err)
				}
				if took := time.Since(began); took > time.Second {
					t.Errorf("Close took %v", took)
				}
			})
		}
	}
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// Too many requests without an answer end their connection, with the reason.
func TestAFloodOfRequestsEndsTheConnection(t *testing.T) {
	s := begin(t, Config{})
	client, server := s.debugServer()
	noAck(client, server)
	go func() { _, _ = io.Copy(io.Discard, server.conn) }()
	client.write(strings.Repeat(string(Encode("qC")), maxPending+1))
	s.observes("disconnected g1: " + errTooManyRequests.Error())
	client.receivesEnd()
}

// A request may be sent in many pieces; what the relay itself has to say to the
// server waits for its end.
func TestTheRelaysOwnPacketsDoNotFallIntoALongOne(t *testing.T) {
	s := begin(t, Config{SkipToExec: true})
	client, server := s.awaiting()
	long := "$" + strings.Repeat("a", 3<<20) + "#00"
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		client.write(long[:2<<20])
	}()
	first := make([]byte, 1<<20)
	if _, err := io.ReadFull(server.r.br, first); err != nil {
		t.Fatal(err)
	}
	server.sends(attached) // upon which the relay resumes the process
	go func() {
		<-sent
		client.write(long[2<<20:])
	}()
	rest := make([]byte, len(long)-len(first))
	if _, err := io.ReadFull(server.r.br, rest); err != nil {
		t.Fatal(err)
	}
	if string(first)+string(rest) != long {
		t.Fatal("the long packet has changed")
	}
	server.receives("vCont;c")
}

// A client that ends in the middle of a long packet leaves nothing held.
func TestAClientThatLeavesWithinALongPacket(t *testing.T) {
	s := begin(t, Config{SkipToExec: true})
	client, server := s.awaiting()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, server.r.br)
	}()
	client.write("$" + strings.Repeat("a", 3<<20))
	client.closes()
	<-ended
	server.sends(attached) // the relay tries to answer, and does not wait
	s.observes("disconnected g1: <nil>")
}

// panicking is an observer that panics when a packet says so.
type panicking struct {
	*story
	ready chan struct{} // closed when there is the story
	at    atomic.Value  // string
}

func (p *panicking) Packet(conn string, fromServer bool, f Frame) {
	if at, _ := p.at.Load().(string); at != "" && strings.Contains(string(f.Raw), at) {
		panic("a fault of the observer's")
	}
	<-p.ready
	p.story.Packet(conn, fromServer, f)
}

// A panic ends the connection that it happens on, with its stack, and no other.
func TestAPanicEndsOneConnection(t *testing.T) {
	for _, fromServer := range []bool{false, true} {
		p := &panicking{ready: make(chan struct{})}
		errs := make(chan error, 1)
		p.at.Store("")
		s := begin(t, Config{Observer: observed{p, errs}})
		p.story = s
		close(p.ready)
		platform, platformServer := s.platform()
		client, server := s.connect(s.launch(platform, platformServer))
		noAck(client, server)
		// Even where the end of the connection would be nothing to tell.
		passes(client, server, "vCont;c")
		passes(server, client, "W00")
		p.at.Store("boom")
		if fromServer {
			server.sends("boom")
		} else {
			client.sends("boom")
		}
		select {
		case err := <-errs:
			var panicked *PanicError
			if !errors.As(err, &panicked) || !strings.Contains(string(panicked.Stack), "Packet") ||
				err.Error() != "internal error in the relay: a fault of the observer's" {
				t.Errorf("the observer is told %v", err)
			}
		case <-time.After(limit):
			t.Fatal("the observer is not told")
		}
		client.receivesEnd()
		server.receivesEnd()
		p.at.Store("")
		s.launch(platform, platformServer)
		if err := s.relay.Close(); err != nil {
			t.Error(err)
		}
	}
}

// observed hands on the errors of connections as they are.
type observed struct {
	*panicking
	errs chan error
}

func (o observed) Disconnected(_ string, err error) { o.errs <- err }

// Nor does a panic of the observer's about the end, or of who dials or admits.
func TestAPanicElsewhere(t *testing.T) {
	t.Run("about an end", func(t *testing.T) {
		s := begin(t, Config{})
		client, server := s.debugServer()
		s.atEnd(func() { panic("a fault of the observer's") })
		server.closes()
		client.receivesEnd()
	})
	t.Run("in a dial", func(t *testing.T) {
		s := begin(t, Config{Dial: func(context.Context, string) (Conn, error) { panic("no line") }})
		c, err := net.Dial("unix", strings.TrimPrefix(s.relay.URL(), "unix-connect://"))
		client := s.peer("client", c, err)
		s.observes("disconnected platform: no connection to the debug server: internal error in the relay: no line")
		client.receivesEnd()
	})
	t.Run("about a process", func(t *testing.T) {
		s := begin(t, Config{Admit: func(context.Context, int) error { panic("no idea") }})
		_, server := s.awaiting()
		server.sends(attached)
		server.receives("D")
		server.sends("OK")
		s.observes("attached 4715, swallowed [], error internal error in the relay: no idea, ended false")
	})
}

// What never answers is given up, whether it heeds its context or not.
func TestWhatNeverAnswersIsGivenUp(t *testing.T) {
	short := usualLimits
	short.dial, short.admit, short.leave = 50*time.Millisecond, 50*time.Millisecond, 50*time.Millisecond
	t.Run("a dial", func(t *testing.T) {
		never := make(chan struct{})
		defer close(never)
		s := begin(t, Config{limits: short, Dial: func(context.Context, string) (Conn, error) { <-never; return nil, net.ErrClosed }})
		c, err := net.Dial("unix", strings.TrimPrefix(s.relay.URL(), "unix-connect://"))
		client := s.peer("client", c, err)
		s.observes("disconnected platform: no connection to the debug server: context deadline exceeded")
		client.receivesEnd()
	})
	t.Run("who decides about a process", func(t *testing.T) {
		never := make(chan struct{})
		defer close(never)
		s := begin(t, Config{limits: short, Admit: func(context.Context, int) error { <-never; return nil }})
		client, server := s.awaiting()
		server.sends(attached)
		server.receives("D")
		server.sends("OK")
		client.receives("E01")
		s.observes("attached 4715, swallowed [], error context deadline exceeded, ended false")
	})
	t.Run("a debug server whose client has left", func(t *testing.T) {
		s := begin(t, Config{limits: short})
		client, server := s.awaiting()
		client.closes()
		server.receivesEnd() // the client's direction; the server says nothing more
		s.observes("disconnected g1: <nil>")
	})
}

// A connection that comes when it is not waited for any more is closed.
func TestALateConnectionIsClosed(t *testing.T) {
	go1, closed := make(chan struct{}), make(chan struct{})
	short := usualLimits
	short.dial = 50 * time.Millisecond
	s := begin(t, Config{limits: short, Dial: func(context.Context, string) (Conn, error) {
		<-go1
		return &stuck{closed: closed}, nil
	}})
	c, err := net.Dial("unix", strings.TrimPrefix(s.relay.URL(), "unix-connect://"))
	s.peer("client", c, err).receivesEnd()
	s.observes("disconnected platform: no connection to the debug server: context deadline exceeded")
	close(go1)
	select {
	case <-closed:
	case <-time.After(limit):
		t.Error("the late connection is not closed")
	}
}

// stuck is a stream that takes nothing and says nothing; its Close may block, too.
type stuck struct {
	closed chan struct{} // closed by Close, once
	free   chan struct{} // if set, everything blocks until it is closed
}

func (c *stuck) wait() (int, error) {
	if c.free != nil {
		<-c.free
	} else {
		<-c.closed
	}
	return 0, net.ErrClosed
}

func (c *stuck) Read([]byte) (int, error)  { return c.wait() }
func (c *stuck) Write([]byte) (int, error) { return c.wait() }
func (c *stuck) CloseWrite() error         { _, err := c.wait(); return err }

func (c *stuck) Close() error {
	if c.free != nil {
		<-c.free
		return nil
	}
	close(c.closed)
	return nil
}

// Close is bounded even if the stream to the debug server blocks in all it does,
// and says so; when the stream comes free, everything ends.
func TestCloseDoesNotWaitForAStreamThatBlocks(t *testing.T) {
	free := make(chan struct{})
	dialled := make(chan struct{})
	short := usualLimits
	short.close = 200 * time.Millisecond
	s := begin(t, Config{limits: short, Dial: func(context.Context, string) (Conn, error) {
		close(dialled)
		return &stuck{free: free}, nil
	}})
	s.closeFails = true
	c, err := net.Dial("unix", strings.TrimPrefix(s.relay.URL(), "unix-connect://"))
	client := s.peer("client", c, err)
	<-dialled
	client.sends("qC")
	s.until(func() bool { s.mu.Lock(); defer s.mu.Unlock(); return len(s.traffic) > 0 })
	ended := make(chan error, 1)
	go func() { ended <- s.relay.Close() }()
	select {
	case err := <-ended:
		if err == nil || err.Error() != "connections to the debug server have not ended within 200ms" {
			t.Errorf("Close: %v", err)
		}
	case <-time.After(limit):
		t.Fatal("Close does not return")
	}
	client.receivesEnd()
	close(free)
}

// The observer hears of a socket that takes no connection any more.
func TestASocketThatBreaksIsTold(t *testing.T) {
	s := begin(t, Config{})
	_ = s.relay.platform.Close()
	select {
	case got := <-s.news:
		if !strings.HasPrefix(got, "disconnected platform: no further connection can be accepted: ") {
			t.Errorf("the observer is told %q", got)
		}
	case <-time.After(limit):
		t.Error("the observer is not told")
	}
}
