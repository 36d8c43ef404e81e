package dapio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"
)

// limit bounds every wait.
const limit = 10 * time.Second

func wait(t *testing.T, ch <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-ch:
	case <-time.After(limit):
		t.Fatalf("not within %v: %s", limit, what)
	}
}

func message(t *testing.T, raw string) *Message {
	t.Helper()
	m, err := Parse([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Many senders share a connection: the numbers are given out in the order of
// the bytes, none twice, none left out, and each sender's messages stay in order.
func TestNumbersAreInTheOrderOfTheBytes(t *testing.T) {
	const senders, each = 8, 200
	in, out := io.Pipe()
	w := NewWriter(out)
	var sent []int64
	w.Sent = func(raw []byte) { sent = append(sent, message(t, string(raw)).Seq) }
	var all sync.WaitGroup
	for s := range senders {
		all.Go(func() {
			for i := range each {
				m, err := Parse(fmt.Appendf(nil, `{"type":"event","event":"x","sender":%d,"i":%d,"seq":0}`, s, i))
				if err == nil && i%2 == 0 {
					var told int64
					err = w.Forward(m, 0, func(seq int64) { told = seq })
					if told == 0 {
						t.Error("before was not called")
					}
				} else if err == nil {
					err = w.Send(func(seq int64) []byte { return m.appendRenumbered(nil, seq, 0) })
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
	for i, seq := range sent {
		if seq != int64(i)+1 {
			t.Fatalf("the trace has number %d at place %d", seq, i+1)
		}
	}
}

// The number is known to the caller before the answer can come.
func TestBeforeRunsBeforeTheAnswer(t *testing.T) {
	in, out := io.Pipe()
	w := NewWriter(out)
	defer w.Close()
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

// A peer that does not read holds back what is forwarded to it, and with that
// the reading on the other side; what the adapter has to say is still taken.
func TestForwardWaitsForASlowPeerAndSendDoesNot(t *testing.T) {
	in, out := io.Pipe()
	w := NewWriter(out)
	w.max = 1 << 10
	big := message(t, `{"seq":1,"type":"event","x":"`+string(bytes.Repeat([]byte("a"), w.max))+`"}`)
	if err := w.Forward(big, 0, nil); err != nil {
		t.Fatal(err)
	}
	entered := make(chan struct{})
	forwarded := make(chan error, 1)
	go func() {
		close(entered)
		forwarded <- w.Forward(message(t, `{"seq":2}`), 0, nil)
	}()
	wait(t, entered, "the second Forward's start")
	for i := range 100 {
		if err := w.Send(func(seq int64) []byte { return fmt.Appendf(nil, `{"seq":%d,"own":%d}`, seq, i) }); err != nil {
			t.Fatal(err)
		}
	}
	if w.Queued() <= w.max {
		t.Fatalf("%d bytes are queued", w.Queued())
	}
	select {
	case err := <-forwarded:
		t.Fatalf("Forward did not wait for the peer; error %v", err)
	default:
	}
	r := NewReader(in)
	own := int64(0)
	for n := range 102 {
		m, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if m.Seq != int64(n)+1 {
			t.Fatalf("message %d has the number %d", n+1, m.Seq)
		}
		if m.Get("own").Exists() {
			if m.Get("own").Int() != own {
				t.Fatalf("own message %s came where %d should", m.Raw, own)
			}
			own++
		}
	}
	if err := <-forwarded; err != nil {
		t.Error(err)
	}
	w.Close()
	wait(t, w.Done(), "the writer's end")
	if w.Queued() != 0 {
		t.Errorf("%d bytes are still queued", w.Queued())
	}
}

func TestCloseFreesAForwardThatWaits(t *testing.T) {
	in, out := io.Pipe()
	w := NewWriter(out)
	w.max = 1 << 10
	if err := w.Send(func(int64) []byte { return make([]byte, w.max+1) }); err != nil {
		t.Fatal(err)
	}
	freed := make(chan error, 1)
	go func() { freed <- w.Forward(message(t, `{"seq":2}`), 0, nil) }()
	w.Close()
	select {
	case err := <-freed:
		if !errors.Is(err, ErrClosed) {
			t.Errorf("got %v", err)
		}
	case <-time.After(limit):
		t.Fatal("Forward still waits")
	}
	_ = in.Close()
	wait(t, w.Done(), "the writer's end")
}

func TestCloseLetsTheLastMessagesOut(t *testing.T) {
	in, out := io.Pipe()
	w := NewWriter(out)
	for range 3 {
		if err := w.Send(func(seq int64) []byte { return fmt.Appendf(nil, `{"seq":%d}`, seq) }); err != nil {
			t.Fatal(err)
		}
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
	if err := w.Send(func(int64) []byte { return []byte("{}") }); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed writer took a message: %v", err)
	}
	if err := w.Forward(message(t, "{}"), 0, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed writer took a message: %v", err)
	}
}

func TestAPeerThatHasGoneIsAnError(t *testing.T) {
	gone := errors.New("gone")
	in, out := io.Pipe()
	_ = in.CloseWithError(gone)
	w := NewWriter(out)
	if err := w.Send(func(int64) []byte { return []byte("{}") }); err != nil {
		t.Fatal(err)
	}
	wait(t, w.Done(), "the writer's end")
	if err := w.Send(func(int64) []byte { return []byte("{}") }); !errors.Is(err, gone) {
		t.Errorf("got %v", err)
	}
	if err := w.Forward(message(t, "{}"), 0, nil); !errors.Is(err, gone) {
		t.Errorf("got %v", err)
	}
	if w.Queued() != 0 {
		t.Errorf("%d bytes are still queued", w.Queued())
	}
}
