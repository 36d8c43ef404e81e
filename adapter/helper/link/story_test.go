package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Both directions carry checked random bytes while transport after transport is cut
// at any byte, of the handshakes too.
func TestNoByteIsLostOrDoubledInAThousandCuts(t *testing.T) {
	const cuts = 1000
	r := rand.New(rand.NewPCG(1, 2))
	e := connect(t, func(co *ClientOptions, so *ServerOptions) {
		co.Window, so.Window = 64<<10, 64<<10
	})
	e.mu.Lock()
	e.life = func() int64 {
		switch {
		case e.cuts.Load() >= cuts:
			return 1 << 62
		case r.IntN(5) == 0:
			return r.Int64N(300) // within the handshake or just after it
		}
		return r.Int64N(60_000)
	}
	e.mu.Unlock()
	e.set(nil).cut()

	enough := func() bool { return e.cuts.Load() >= cuts }
	var all sync.WaitGroup
	for seed, dir := range []struct{ from, to *Conn }{{e.client, e.server.Conn()}, {e.server.Conn(), e.client}} {
		all.Go(func() {
			if err := records(dir.from, uint64(seed), 3000, enough); err != nil {
				t.Errorf("writer %d: %v", seed, err)
			}
		})
		all.Go(func() {
			total, err := check(dir.to, uint64(seed), 3000)
			if err != nil {
				t.Errorf("reader %d: %v", seed, err)
			}
			t.Logf("direction %d: %d bytes", seed, total)
		})
	}
	finished := make(chan struct{})
	go func() { all.Wait(); close(finished) }()
	select {
	case <-finished:
	case <-time.After(bound):
		t.Fatalf("not done after %d cuts, %d resumed", e.cuts.Load(), e.resumed.Load())
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	t.Logf("%d cuts, %d dials", e.cuts.Load(), e.dials)
	if e.dials < cuts+1 {
		t.Errorf("%d dials for %d cuts", e.dials, cuts)
	}
}

// What follows runs on synctest's clock: pauses take no time, and a goroutine that
// does not end fails the test.

func TestAHalfOpenTransportIsNoticedAndReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := connect(t, nil)
		first := e.set(nil)
		first.hold(true)
		began := time.Now()
		if _, err := e.client.Write([]byte("still there?")); err != nil {
			t.Fatal(err)
		}
		why := <-e.why
		var silent silentError
		if took := time.Since(began); !errors.As(why, &silent) || took > 10*time.Second {
			t.Errorf("cut after %v: %v; want silence, after 10 s at most", took, why)
		}
		b := make([]byte, 12)
		if _, err := io.ReadFull(e.server.Conn(), b); err != nil || string(b) != "still there?" {
			t.Errorf("read %q, %v", b, err)
		}
		synctest.Wait()
		if e.resumed.Load() != 1 {
			t.Errorf("resumed %d times", e.resumed.Load())
		}
		first.cut()
	})
}

func TestAnIdleStreamStaysUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := connect(t, func(_ *ClientOptions, so *ServerOptions) { so.Lease = time.Minute })
		time.Sleep(24 * time.Hour)
		if _, err := e.client.Write([]byte("x")); err != nil {
			t.Error(err)
		}
		b := make([]byte, 1)
		if _, err := e.server.Conn().Read(b); err != nil {
			t.Error(err)
		}
		if n := e.cuts.Load(); n != 0 {
			t.Errorf("%d cuts: %v", n, <-e.why)
		}
	})
}

// A reader that takes nothing for an hour holds the writer back, and nothing else.
func TestASlowReaderHoldsBackTheWriterAndIsNoDeadTransport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const window = 4 << 20
		e := connect(t, nil)
		wrote := make(chan error, 1)
		var written atomic.Int64
		go func() {
			piece := make([]byte, 100_000)
			for range 100 {
				n, err := e.client.Write(piece)
				written.Add(int64(n))
				if err != nil {
					wrote <- err
					return
				}
			}
			wrote <- nil
		}()
		time.Sleep(time.Hour)
		if n := written.Load(); n > window || n < window-200_000 {
			t.Errorf("%d bytes were written, want up to the window of %d", n, window)
		}
		for _, c := range []*Conn{e.client, e.server.Conn()} {
			c.mu.Lock()
			if len(c.out.b)+len(c.in.b) > 2*window {
				t.Errorf("%d and %d bytes of memory for a window of %d", len(c.out.b), len(c.in.b), window)
			}
			c.mu.Unlock()
		}
		// The other direction goes on meanwhile.
		_, _ = e.server.Conn().Write([]byte("y"))
		if _, err := io.ReadFull(e.client, make([]byte, 1)); err != nil {
			t.Error(err)
		}
		if n, err := io.CopyN(io.Discard, e.server.Conn(), 10_000_000); err != nil {
			t.Errorf("read %d bytes: %v", n, err)
		}
		if err := <-wrote; err != nil {
			t.Error(err)
		}
		if n := e.cuts.Load(); n != 0 {
			t.Errorf("%d cuts: %v", n, <-e.why)
		}
		time.Sleep(10 * time.Second) // for the ack
		e.client.mu.Lock()
		defer e.client.mu.Unlock()
		if e.client.out.n != 0 || len(e.client.out.b) > smallRing {
			t.Errorf("%d bytes are kept in %d when all has been read", e.client.out.n, len(e.client.out.b))
		}
	})
}

func TestAClientGivesUpAfterReconnectAndSaysWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := connect(t, func(co *ClientOptions, _ *ServerOptions) { co.Reconnect = 5 * time.Minute })
		refused := errors.New("connect: connection refused")
		began := time.Now()
		e.set(refused).cut()
		_, err := e.client.Read(make([]byte, 1))
		var lost *LostError
		if !errors.As(err, &lost) || !errors.Is(err, refused) {
			t.Fatalf("read: %v", err)
		}
		if took := time.Since(began); took != 5*time.Minute || lost.Waited != took {
			t.Errorf("given up after %v, the error says %v", took, lost.Waited)
		}
		if _, err := e.client.Write([]byte("x")); !errors.As(err, &lost) {
			t.Errorf("write: %v", err)
		}
		if !errors.As(e.client.Err(), &lost) {
			t.Errorf("err: %v", e.client.Err())
		}
		e.mu.Lock()
		dials := e.dials
		e.mu.Unlock()
		if dials < 100 || dials > 400 {
			t.Errorf("%d dials in 5 minutes", dials)
		}
		if err := e.client.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
}

func TestADialThatHangsIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangs := make(chan struct{})
		var late atomic.Bool
		e := connect(t, func(co *ClientOptions, _ *ServerOptions) {
			dial := co.Dial
			co.Reconnect = time.Minute
			co.Dial = func(ctx context.Context) (io.ReadWriteCloser, error) {
				if late.Load() {
					<-hangs
				}
				return dial(ctx)
			}
		})
		late.Store(true)
		e.set(nil).cut()
		if _, err := e.client.Read(make([]byte, 1)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("read: %v", err)
		}
		close(hangs) // what it makes now is closed
		synctest.Wait()
	})
}

func TestADialThatCanNeverWorkEndsTheStreamAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := connect(t, nil)
		forbidden := errors.New("pods/exec is forbidden")
		began := time.Now()
		e.set(Permanent(forbidden)).cut()
		if _, err := e.client.Read(make([]byte, 1)); !errors.Is(err, forbidden) || time.Since(began) > 0 {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		synctest.Wait()
		if n := e.cuts.Load(); n != 0 {
			t.Error("the user is told to wait for what cannot come")
		}
	})
}

func TestTheLeaseEndsAStreamWithoutAClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := make(chan bool, 10)
		e := connect(t, func(_ *ClientOptions, so *ServerOptions) {
			so.Lease, so.Connected = 6*time.Minute, func(on bool) { seen <- on }
		})
		time.Sleep(time.Hour)
		away := errors.New("away")
		e.set(away).cut()
		time.Sleep(4 * time.Minute)
		e.set(nil)
		synctest.Wait()
		time.Sleep(4 * time.Second) // the client is back
		if n := e.resumed.Load(); n != 1 {
			t.Fatalf("resumed %d times", n)
		}
		began := time.Now()
		e.set(away).cut()
		if _, err := e.server.Conn().Read(make([]byte, 1)); !errors.Is(err, ErrLease) || time.Since(began) != 6*time.Minute {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		synctest.Wait()
		close(seen)
		var states []bool
		for on := range seen {
			states = append(states, on)
		}
		if fmt.Sprint(states) != "[true false true false]" {
			t.Errorf("connected: %v", states)
		}
	})
}

func TestALeaseRunsFromTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewServer(ServerOptions{Lease: time.Hour, First: time.Minute})
		began := time.Now()
		if _, err := s.Conn().Read(make([]byte, 1)); !errors.Is(err, ErrLease) || time.Since(began) != time.Minute {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

func TestOthersAreRefusedAndToldWhoHasTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := connect(t, nil)
		began := time.Now()
		time.Sleep(time.Hour)
		for _, other := range []struct{ session, token, reason, who string }{
			{session, "a guess", RefusedToken, "ann@laptop"},
			{session, token, RefusedTaken, "ann@laptop"},
			{"ffffffff", token, RefusedSession, ""},
		} {
			_, err := Connect(t.Context(), ClientOptions{Session: other.session, Token: other.token, Who: "bob", Dial: e.dial})
			var refused *Refused
			if !errors.As(err, &refused) {
				t.Fatalf("%+v: %v", other, err)
			}
			if refused.Reason != other.reason || refused.Who != other.who || other.who != "" && !refused.Since.Equal(began) {
				t.Errorf("%+v: %+v", other, refused)
			}
		}
		if n := e.cuts.Load(); n != 0 {
			t.Errorf("the session was cut %d times", n)
		}
	})
}

// A cut that only the client has noticed: the server still has the old transport.
func TestANewerTransportTakesThePlaceOfAHalfOpenOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := connect(t, nil)
		old := e.set(nil)
		synctest.Wait() // nothing is under way
		old.hold(true)
		if _, err := e.server.Conn().Write([]byte("lost on the way")); err != nil {
			t.Fatal(err)
		}
		old.a.Close()
		b := make([]byte, 15)
		if _, err := io.ReadFull(e.client, b); err != nil || string(b) != "lost on the way" {
			t.Errorf("read %q, %v", b, err)
		}
		synctest.Wait()
		e.mu.Lock()
		if len(e.served) != 1 || !errors.Is(e.served[0], errReplaced) {
			t.Errorf("the first transport ended with %v", e.served)
		}
		e.mu.Unlock()
		old.cut()
	})
}

// A hello that was under way while the client has connected anew.
func TestAnOlderTransportThatComesLateIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var first *client
		e := connect(t, nil)
		first = &client{Conn: newConn(Options{}.withDefaults()), opts: ClientOptions{Session: session, Token: token}, id: "other"}
		first.opts.Options = first.opts.Options.withDefaults()
		e.server.mu.Lock()
		first.id = e.server.client // the same client
		e.server.mu.Unlock()
		rwc, err := e.dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		late := newTransport(rwc, time.Minute)
		var refused *Refused
		if err := first.handshake(late, 1); !errors.As(err, &refused) || refused.Reason != RefusedStale {
			t.Errorf("the late transport: %v", err)
		}
		late.end(errOver)
		if n := e.cuts.Load(); n != 0 {
			t.Errorf("the stream was cut %d times", n)
		}
	})
}

// A client that has lost its memory, or a server that was replaced by another one.
func TestAGapIsAnErrorAndNoStreamWithAHole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := connect(t, nil)
		if _, err := e.client.Write([]byte("abc")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(e.server.Conn(), make([]byte, 3)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		e.mu.Lock()
		e.server = NewServer(ServerOptions{Session: session, Token: token})
		e.mu.Unlock()
		time.Sleep(time.Minute) // the ack has come
		e.set(nil).cut()
		_, err := e.client.Read(make([]byte, 1))
		var refused *Refused
		if !errors.As(err, &refused) || refused.Reason != RefusedGap {
			t.Errorf("read: %v", err)
		}
	})
}

func TestCloseDeliversWhatWasWritten(t *testing.T) {
	for _, side := range []string{"client", "server"} {
		t.Run(side, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := connect(t, nil)
				closer, other := e.client, e.server.Conn()
				if side == "server" {
					closer, other = other, closer
				}
				if _, err := closer.Write(make([]byte, 1_000_000)); err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				if err := closer.Close(); err != nil || time.Since(began) > 0 {
					t.Errorf("close, after %v: %v", time.Since(began), err)
				}
				b, err := io.ReadAll(other)
				if len(b) != 1_000_000 || err != nil {
					t.Errorf("read %d bytes, %v", len(b), err)
				}
				if _, err := other.Write([]byte("x")); !errors.Is(err, io.ErrClosedPipe) {
					t.Errorf("write to a closed stream: %v", err)
				}
				if _, err := closer.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
					t.Errorf("read after close: %v", err)
				}
				if err := other.Close(); err != nil || other.Err() != nil {
					t.Errorf("close of the other end: %v, %v", err, other.Err())
				}
				if n := e.cuts.Load(); n != 0 {
					t.Errorf("an orderly end was a cut: %v", <-e.why)
				}
			})
		})
	}
}

// Close during an outage makes one more attempt to tell the other end.
func TestCloseWhileCutOff(t *testing.T) {
	for _, back := range []bool{true, false} {
		t.Run(fmt.Sprint("back ", back), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := connect(t, nil)
				if _, err := e.client.Write([]byte("last words")); err != nil {
					t.Fatal(err)
				}
				e.set(errors.New("away")).cut()
				synctest.Wait()
				if back {
					e.set(nil)
				}
				began := time.Now()
				err := e.client.Close()
				if took := time.Since(began); took > time.Second {
					t.Errorf("close took %v", took)
				}
				if back {
					b, readErr := io.ReadAll(e.server.Conn())
					if err != nil || readErr != nil || string(b) != "last words" {
						t.Errorf("close: %v, the other end read %q, %v", err, b, readErr)
					}
				} else if !errors.Is(err, ErrUndelivered) {
					t.Errorf("close: %v", err)
				}
			})
		})
	}
}

func TestCloseInterruptsReadAndWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := connect(t, nil)
		results := make(chan error, 2)
		go func() {
			_, err := e.client.Read(make([]byte, 1))
			results <- err
		}()
		go func() {
			_, err := e.client.Write(make([]byte, 20<<20))
			results <- err
		}()
		synctest.Wait()
		_ = e.client.Close()
		for range 2 {
			if err := <-results; !errors.Is(err, net.ErrClosed) {
				t.Errorf("interrupted with %v", err)
			}
		}
	})
}

// The first handshake may break off, too, after the server has taken the client in.
func TestTheFirstHandshakeIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{server: NewServer(ServerOptions{Session: session, Token: token})}
		lives := []int64{0, 5, 100, 250, 1 << 62}
		n.life = func() int64 { life := lives[0]; lives = lives[1:]; return life }
		c, err := Connect(t.Context(), ClientOptions{Session: session, Token: token, Dial: n.dial})
		if err != nil {
			t.Fatal(err)
		}
		if len(lives) > 1 {
			t.Errorf("connected with a transport that should have been cut; %v are left", lives)
		}
		_ = c.Close()
		_ = n.server.Conn().Close()
	})
}

func TestAServerOfAnotherVersionIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewServer(ServerOptions{})
		client, server := net.Pipe()
		served := make(chan error, 1)
		go func() { served <- s.Serve(server) }()
		if _, err := client.Write(append([]byte(preamble), Version+1)); err != nil {
			t.Fatal(err)
		}
		f, err := readFrame(client, make([]byte, bufferSize))
		if err != nil || f.kind != frameRefused {
			t.Fatalf("%+v, %v", f, err)
		}
		client.Close()
		var refused *Refused
		if err := <-served; !errors.As(err, &refused) || refused.Reason != RefusedVersion || refused.Version != Version {
			t.Errorf("served: %v", err)
		}
	})
}

// A client that stops within its hello does not keep the server.
func TestAHelloThatNeverEndsIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewServer(ServerOptions{})
		client, server := net.Pipe()
		gone := make(chan struct{})
		go func() { // a byte at a time, so that it is never silent
			defer close(gone)
			for i := 0; ; i++ {
				if _, err := client.Write([]byte{(preamble + "\x01\x01\x00\x00\x0f\xff")[min(i, len(preamble)+5)]}); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}()
		began := time.Now()
		if err := s.Serve(server); err == nil || time.Since(began) > 10*time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		<-gone
	})
}
