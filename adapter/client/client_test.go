package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/dapio"
)

// limit bounds every wait.
const limit = 10 * time.Second

// adapter is the other end of a client's connection, played by the test.
type adapter struct {
	t   *testing.T
	in  *dapio.Reader
	out *io.PipeWriter
}

// newAdapter returns an adapter and the streams of its client.
func newAdapter(t *testing.T) (*adapter, io.Reader, io.Writer) {
	fromClient, toAdapter := io.Pipe()
	fromAdapter, toClient := io.Pipe()
	t.Cleanup(func() { _ = toClient.Close(); _ = fromClient.Close() })
	return &adapter{t, dapio.NewReader(fromClient), toClient}, fromAdapter, toAdapter
}

// request takes the client's next message.
func (a *adapter) request() *dapio.Message {
	a.t.Helper()
	m, err := a.in.Next()
	if err != nil {
		a.t.Fatal(err)
	}
	return m
}

// say sends a message.
func (a *adapter) say(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if _, err := fmt.Fprintf(a.out, "Content-Length: %d\r\n\r\n%s", len(text), text); err != nil {
		a.t.Error(err)
	}
}

func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}

func TestAnAnswerIsFoundByItsRequest(t *testing.T) {
	a, in, out := newAdapter(t)
	c := New(in, out)
	go func() {
		first, second := a.request(), a.request()
		// Answered in the other order, with an event between them.
		a.say(`{"seq":1,"type":"response","request_seq":%d,"success":true,"command":"threads","body":{"n":2}}`, second.Seq)
		a.say(`{"seq":2,"type":"event","event":"output","body":{"output":"text"}}`)
		a.say(`{"seq":3,"type":"response","request_seq":%d,"success":true,"command":"threads","body":{"n":1}}`, first.Seq)
	}()
	seq, err := c.Send("threads", nil)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct{ N int }
	if err := c.Call(bounded(t), "threads", map[string]int{"x": 7}, &answer); err != nil || answer.N != 2 {
		t.Errorf("the second request: %v, n %d", err, answer.N)
	}
	if err := c.Answer(bounded(t), seq, &answer); err != nil || answer.N != 1 {
		t.Errorf("the first request: %v, n %d", err, answer.N)
	}
	if e, err := c.Event(bounded(t), 0, "output"); err != nil || e.Get("body.output").Str != "text" || e.Sent {
		t.Errorf("the event: %v, %v", e.Message, err)
	}
	log := c.Log()
	if len(log) != 5 || !log[0].Sent || log[1].Get("arguments.x").Int() != 7 {
		t.Errorf("the log has %d entries, want both requests, both answers and the event:\n%s", len(log), c.Dump())
	}
}

func TestARefusalIsAnErrorWithItsTextAndNumber(t *testing.T) {
	for _, x := range []struct {
		body string
		want Error
	}{
		{`{"error":{"id":1203,"format":"the whole text"}}`, Error{"attach", 1203, "the whole text"}},
		{`{}`, Error{"attach", 0, "in short"}},
	} {
		m, err := dapio.Parse([]byte(`{"seq":1,"type":"response","request_seq":1,"success":false,"command":"attach","message":"in short","body":` + x.body + `}`))
		if err != nil {
			t.Fatal(err)
		}
		var refused *Error
		if err := Decode(m, nil); !errors.As(err, &refused) || *refused != x.want {
			t.Errorf("%s is %+v, want %+v", x.body, refused, x.want)
		}
	}
}

func TestTheEndOfTheAdapterEndsAWait(t *testing.T) {
	a, in, out := newAdapter(t)
	c := New(in, out)
	go func() {
		a.request()
		_, _ = io.WriteString(a.out, "Content-Length: 100\r\n\r\n{")
		_ = a.out.Close()
	}()
	if err := c.Call(bounded(t), "threads", nil, nil); !errors.Is(err, ErrEnded) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v, want ErrEnded and its reason", err)
	}
}

func TestAWaitEndsWithItsContext(t *testing.T) {
	a, in, out := newAdapter(t)
	c := New(in, out)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { a.request(); cancel() }()
	if err := c.Call(ctx, "threads", nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// A Conn hands on each message and lets go of it; a receiver that does not
// receive holds the adapter back.
func TestAConnKeepsNoMessage(t *testing.T) {
	const messages, size = 100, 256 << 10
	a, in, out := newAdapter(t)
	c := Dial(in, out)
	padding := strings.Repeat("x", size)
	var said atomic.Int64
	go func() {
		for n := range messages {
			a.say(`{"seq":%d,"type":"event","event":"output","body":{"output":"%s"}}`, n, padding)
			said.Add(1)
		}
		_ = a.out.Close()
	}()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	n := 0
	for m := range c.Messages() {
		if m.Seq != int64(n) {
			t.Fatalf("message %d came where %d should", m.Seq, n)
		}
		n++
		// One waits to be received, and one may be on its way.
		if ahead := said.Load() - int64(n); ahead > 2 {
			t.Fatalf("after %d messages the adapter is %d ahead", n, ahead)
		}
	}
	if n != messages || !errors.Is(c.Err(), io.EOF) {
		t.Errorf("%d messages, then %v", n, c.Err())
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 20*size {
		t.Errorf("%d MiB are kept", grown>>20)
	}
	runtime.KeepAlive(c)
}

func TestTheDumpCutsLongMessages(t *testing.T) {
	a, in, out := newAdapter(t)
	c := New(in, out)
	go a.say(`{"seq":1,"type":"event","event":"output","body":{"output":%q}}`, strings.Repeat("x", 3*maxDumped))
	if _, err := c.Event(bounded(t), 0, "output"); err != nil {
		t.Fatal(err)
	}
	if dump := c.Dump(); len(dump) > maxDumped+100 || !strings.Contains(dump, `← {"seq":1`) || !json.Valid(c.Log()[0].Raw) {
		t.Errorf("%d bytes: %.100s", len(dump), dump)
	}
}
