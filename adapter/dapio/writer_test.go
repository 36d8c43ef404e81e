package dapio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// limit bounds every wait.
const limit = 10 * time.Second

func wait[T any](t *testing.T, ch <-chan T, what string) (got T) {
	t.Helper()
	select {
	case got = <-ch:
	case <-time.After(limit):
		t.Fatalf("not within %v: %s", limit, what)
	}
	return got
}

func message(t *testing.T, raw string) *Message {
	t.Helper()
	m, err := Parse([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// piped returns a Writer and what its peer reads from. They end with the test.
func piped(t *testing.T) (*io.PipeReader, *Writer) {
	in, out := io.Pipe()
	w := NewWriter(out)
	t.Cleanup(func() {
		w.Abort()
		_ = in.Close()
		wait(t, w.Done(), "the writer's end")
	})
	return in, w
}

// own builds a message of the adapter's own for Send, of size bytes with its header.
func own(size int) func(seq int64) []byte {
	return func(seq int64) []byte {
		content := fmt.Appendf(nil, `{"seq":%d,"own":""}`, seq)
		for len(fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(content), content)) < size {
			content = slices.Insert(content, len(content)-2, 'a')
		}
		return content
	}
}

func send(t *testing.T, w *Writer, build func(seq int64) []byte) {
	t.Helper()
	if err := w.Send(build); err != nil {
		t.Fatal(err)
	}
}

// later runs f in a goroutine of the test's bubble and returns when it has ended
// or waits for something.
func later(f func() error) (ended chan error) {
	ended = make(chan error, 1)
	go func() { ended <- f() }()
	synctest.Wait()
	return ended
}

func mustWait(t *testing.T, ended chan error, what string) {
	t.Helper()
	synctest.Wait()
	select {
	case err := <-ended:
		t.Fatalf("%s did not wait; it returned %v", what, err)
	default:
	}
}

func mustEnd(t *testing.T, ended chan error, want error, what string) {
	t.Helper()
	synctest.Wait()
	select {
	case err := <-ended:
		if !errors.Is(err, want) {
			t.Errorf("%s returned %v, want %v", what, err, want)
		}
	default:
		t.Fatalf("%s still waits", what)
	}
}

// Many senders share a connection: the numbers are given out in the order of
// the bytes, none twice, none left out, and each sender's messages stay in order.
func TestNumbersAreInTheOrderOfTheBytes(t *testing.T) {
	const senders, each = 8, 200
	in, w := piped(t)
	var sent [][]byte
	w.Sent = func(raw []byte) { sent = append(sent, raw) }
	var all sync.WaitGroup
	for s := range senders {
		all.Go(func() {
			for i := range each {
				m, err := Parse(fmt.Appendf(nil, `{"seq":0,"type":"event","event":"x","sender":%d,"i":%d}`, s, i))
				if err == nil && i%2 == 0 {
					var told int64
					err = w.Forward(m, 0, func(seq int64) { told = seq })
					if told == 0 {
						t.Error("before was not called")
					}
				} else if err == nil {
					err = w.Send(func(seq int64) []byte { return m.splice(nil, m.renumber(seq, 0)) })
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	r := NewReader(in)
	next := map[int64]int64{}
	for want := int64(1); want <= senders*each; want++ {
		m, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if m.Seq != want {
			t.Fatalf("message %d has the number %d", want, m.Seq)
		}
		s, i := m.Get("sender").Int(), m.Get("i").Int()
		if i != next[s] {
			t.Fatalf("sender %d: message %d came where %d should", s, i, next[s])
		}
		next[s]++
	}
	all.Wait()
	w.Close()
	wait(t, w.Done(), "the writer's end")
	for i, raw := range sent {
		if seq := message(t, string(raw)).Seq; seq != int64(i)+1 {
			t.Fatalf("the trace has number %d at place %d", seq, i+1)
		}
	}
	if len(sent) != senders*each {
		t.Errorf("the trace has %d of %d messages", len(sent), senders*each)
	}
}

// The number is known to the caller before the answer can come.
func TestBeforeRunsBeforeTheAnswer(t *testing.T) {
	in, w := piped(t)
	pending := make(chan int64, 1)
	go func() {
		_ = w.Forward(message(t, `{"seq":5,"type":"request"}`), 0, func(seq int64) { pending <- seq })
	}()
	m, err := NewReader(in).Next()
	if err != nil {
		t.Fatal(err)
	}
	select {
	case seq := <-pending:
		if seq != m.Seq {
			t.Errorf("told %d, sent %d", seq, m.Seq)
		}
	default:
		t.Error("the message went out before its sender knew the number")
	}
}

// Some debuggers read a pipe once for each message, so it comes in one piece.
func TestAMessageIsOneWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var writes pieces
		w := NewWriter(&writes)
		defer w.Close()
		if err := w.Forward(message(t, `{"seq":5,"type":"request"}`), 0, nil); err != nil {
			t.Fatal(err)
		}
		send(t, w, func(int64) []byte { return []byte("{}") })
		synctest.Wait()
		want := []string{"Content-Length: 26\r\n\r\n" + `{"seq":1,"type":"request"}`, "Content-Length: 2\r\n\r\n{}"}
		if fmt.Sprint(writes) != fmt.Sprint(want) {
			t.Errorf("wrote %q, want %q", writes, want)
		}
	})
}

// pieces is what each Write was given.
type pieces []string

func (p *pieces) Write(b []byte) (int, error) {
	*p = append(*p, string(b))
	return len(b), nil
}

// The router must never wait for a peer.
func TestNothingBlocksOnAPeerThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, w := piped(t)
		for n := range 100 {
			if err := w.Forward(message(t, `{"seq":1}`), 0, nil); err != nil {
				t.Fatal(err)
			}
			send(t, w, own(100+n))
		}
		r := NewReader(in)
		for n := range 200 {
			m, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			if m.Seq != int64(n)+1 || m.Get("own").Exists() != (n%2 == 1) {
				t.Fatalf("message %d is %s", n+1, m.Raw)
			}
		}
		synctest.Wait()
		if w.Queued() != 0 {
			t.Errorf("%d bytes are still queued", w.Queued())
		}
		w.Close()
		wait(t, w.Done(), "the writer's end")
	})
}

// Producers that wait before each message take no more than the bound and a message
// each.
func TestMemoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, w := piped(t)
		m := message(t, `{"seq":1,"x":"`+strings.Repeat("a", 1<<20)+`"}`)
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for w.Wait(t.Context(), 8<<20) == nil && w.Forward(m, 0, nil) == nil {
				}
			})
		}
		synctest.Wait()
		if q := w.Queued(); q < 8<<20 || q > 12<<20+4000 {
			t.Errorf("%d bytes are queued", q)
		}
		w.Abort()
		all.Wait()
	})
}

// Wait holds back a producer until the peer has read enough.
func TestWait(t *testing.T) {
	gone, late := errors.New("gone"), errors.New("late")
	for _, test := range []struct {
		name  string
		below int
		do    func(in *io.PipeReader, w *Writer, cancel context.CancelCauseFunc)
		want  error
	}{
		{"the peer reads", 201, func(in *io.PipeReader, _ *Writer, _ context.CancelCauseFunc) {
			_, _ = io.ReadFull(in, make([]byte, 200))
		}, nil},
		{"the peer reads all", 0, func(in *io.PipeReader, _ *Writer, _ context.CancelCauseFunc) {
			_, _ = io.ReadFull(in, make([]byte, 400))
		}, nil},
		{"the context ends", 400, func(_ *io.PipeReader, _ *Writer, cancel context.CancelCauseFunc) { cancel(late) }, late},
		{"the peer goes", 400, func(in *io.PipeReader, _ *Writer, _ context.CancelCauseFunc) { _ = in.CloseWithError(gone) }, gone},
		{"the writer is closed", 400, func(_ *io.PipeReader, w *Writer, _ context.CancelCauseFunc) { w.Close() }, ErrClosed},
		{"the writer is aborted", 400, func(_ *io.PipeReader, w *Writer, _ context.CancelCauseFunc) { w.Abort() }, ErrClosed},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				in, w := piped(t)
				send(t, w, own(200))
				send(t, w, own(200))
				if err := w.Wait(t.Context(), 401); err != nil {
					t.Errorf("Wait for what is so already returned %v", err)
				}
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				waited := later(func() error { return w.Wait(ctx, test.below) })
				mustWait(t, waited, "Wait")
				test.do(in, w, cancel)
				mustEnd(t, waited, test.want, "Wait")
			})
		})
	}
}

// A peer that reads no more must not hold up the session's end.
func TestAbortFreesWhoeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, w := piped(t)
		var sent int
		w.Sent = func([]byte) { sent++ }
		send(t, w, own(200))
		send(t, w, own(200))
		forwarded := later(func() error { return w.Wait(t.Context(), 1) })
		mustWait(t, forwarded, "Wait")
		w.Abort()
		mustEnd(t, forwarded, ErrClosed, "Wait")
		if w.Queued() != 0 {
			t.Errorf("%d bytes are still queued", w.Queued())
		}
		if err := w.Send(own(100)); !errors.Is(err, ErrClosed) {
			t.Errorf("Send returned %v", err)
		}
		select {
		case <-w.Done():
			t.Error("done with a write under way")
		default:
		}
		_ = in.Close() // as the stream's owner does
		wait(t, w.Done(), "the writer's end")
		if w.Queued() != 0 || sent != 1 {
			t.Errorf("%d bytes are queued; the trace has %d messages of the one that was being written", w.Queued(), sent)
		}
		if err := w.Send(own(100)); !errors.Is(err, ErrClosed) {
			t.Errorf("after the failed write Send returned %v", err)
		}
	})
}

func TestAbortOfAnIdleWriterEndsIt(t *testing.T) {
	w := NewWriter(io.Discard)
	w.Abort()
	wait(t, w.Done(), "the writer's end")
}

func TestAbortCutsShortAClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, w := piped(t)
		send(t, w, own(200))
		send(t, w, own(200))
		w.Close()
		synctest.Wait()
		w.Abort()
		if _, err := io.ReadFull(in, make([]byte, 200)); err != nil { // the message under way
			t.Fatal(err)
		}
		wait(t, w.Done(), "the writer's end")
	})
}

// The trace may be on a disk that does not answer.
func TestATraceThatBlocksHoldsUpOnlyTheWriting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewWriter(io.Discard)
		free := make(chan struct{})
		w.Sent = func([]byte) { <-free }
		send(t, w, own(100))
		synctest.Wait()
		send(t, w, own(100))
		if w.Queued() != 200 {
			t.Errorf("%d bytes are queued", w.Queued())
		}
		w.Close()
		w.Abort()
		close(free)
		wait(t, w.Done(), "the writer's end")
	})
}

// The caller's mistake costs its own message and no other.
func TestAPanicOfTheCallersLeavesTheWriterUsable(t *testing.T) {
	in, w := piped(t)
	mistake := func(do func()) {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		do()
	}
	mistake(func() { _ = w.Send(func(int64) []byte { panic("build") }) })
	mistake(func() { _ = w.Forward(message(t, "{}"), 0, func(int64) { panic("before") }) })
	send(t, w, own(100))
	if m, err := NewReader(in).Next(); err != nil || m.Seq != 1 {
		t.Errorf("got %v, %v; want number 1", m, err)
	}
}

func TestCloseFreesWhoeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, w := piped(t)
		send(t, w, own(200))
		freed := later(func() error { return w.Wait(t.Context(), 1) })
		mustWait(t, freed, "Wait")
		w.Close()
		mustEnd(t, freed, ErrClosed, "Wait")
	})
}

func TestCloseLetsTheLastMessagesOut(t *testing.T) {
	in, w := piped(t)
	for range 3 {
		send(t, w, own(100))
	}
	w.Close()
	w.Close() // is harmless
	select {
	case <-w.Done():
		t.Fatal("done before the peer has read")
	default:
	}
	r := NewReader(in)
	for want := int64(1); want <= 3; want++ {
		if m, err := r.Next(); err != nil || m.Seq != want {
			t.Fatalf("got %v, %v; want number %d", m, err, want)
		}
	}
	wait(t, w.Done(), "the writer's end")
	if err := w.Send(own(100)); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed writer took a message: %v", err)
	}
	if err := w.Forward(message(t, "{}"), 0, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed writer took a message: %v", err)
	}
}

func TestAPeerThatHasGoneIsAnError(t *testing.T) {
	gone := errors.New("gone")
	in, w := piped(t)
	_ = in.CloseWithError(gone)
	send(t, w, own(100))
	wait(t, w.Done(), "the writer's end")
	if err := w.Send(own(100)); !errors.Is(err, gone) {
		t.Errorf("got %v", err)
	}
	w.Abort() // changes nothing any more
	if err := w.Forward(message(t, "{}"), 0, nil); !errors.Is(err, gone) {
		t.Errorf("got %v", err)
	}
	if w.Queued() != 0 {
		t.Errorf("%d bytes are still queued", w.Queued())
	}
}

// streams are the kinds of stream a client or lldb-dap is at the end of.
var streams = map[string]func(t *testing.T) (in io.ReadCloser, out io.WriteCloser){
	"pipe": func(t *testing.T) (io.ReadCloser, io.WriteCloser) {
		in, out, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		return in, out
	},
	"socket": func(t *testing.T) (io.ReadCloser, io.WriteCloser) {
		listener, err := net.Listen("unix", t.TempDir()+"/s")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		out, err := net.DialTimeout("unix", listener.Addr().String(), limit)
		if err != nil {
			t.Fatal(err)
		}
		in, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		return in, out
	},
}

// What the system takes in parts arrives whole and in order.
func TestAMessageLargerThanTheStreamsBuffer(t *testing.T) {
	for name, stream := range streams {
		t.Run(name, func(t *testing.T) {
			in, out := stream(t)
			defer in.Close()
			w := NewWriter(out)
			for n := range 60 {
				m := message(t, fmt.Sprintf(`{"seq":0,"n":%d,"padding":%q}`, n, strings.Repeat("a", n*3989)))
				if err := w.Forward(m, 0, nil); err != nil {
					t.Fatal(err)
				}
			}
			r := NewReader(in)
			for n := range 60 {
				m, err := r.Next()
				if err != nil {
					t.Fatal(err)
				}
				if got := m.Get("n").Int(); got != int64(n) || len(m.Get("padding").Str) != n*3989 {
					t.Fatalf("message %d of %d bytes came where %d should", got, len(m.Raw), n)
				}
			}
			w.Close()
			wait(t, w.Done(), "the writer's end")
			_ = out.Close()
		})
	}
}

// A write that waits for the peer ends when the stream is closed.
func TestAbortAndCloseEndAWriteUnderWay(t *testing.T) {
	for name, stream := range streams {
		t.Run(name, func(t *testing.T) {
			in, out := stream(t)
			defer in.Close()
			w := NewWriter(out)
			send(t, w, func(int64) []byte { return bytes.Repeat([]byte("a"), 4<<20) })
			w.Abort()
			_ = out.Close()
			wait(t, w.Done(), "the writer's end")
		})
	}
}
