package warm

import (
	"bufio"
	"context"
	"encoding/json"
	"net"
	"path/filepath"
	"sync"
	"time"

	"github.com/envoydbg/envoydbg/adapter/dapio"
)

// A session of another process asks for what stands by on a unix socket in the window's
// folder. It sends its Want in a line of JSON, and gets an offer in another one. If that has
// a process, what follows is DAP. The last message is the event endedEvent.
const (
	lendSocket = "lend"
	// endedEvent says how the process has ended, in an ended.
	endedEvent = "envoydbgEnded"
	// maxWant is how long a Want may be, in bytes.
	maxWant = 1 << 20
	// askTime bounds the asking, with what the Keeper may take the answer, and the last word.
	askTime = time.Second
	// maxUnread is how many bytes the borrower may be behind before lldb-dap is held back.
	maxUnread = 8 << 20
)

// offer is the answer to a Want.
type offer struct {
	PID int    `json:"pid"`
	Dir string `json:"dir"` // of the process
	Why string `json:"why"` // there is none
}

type ended struct {
	Status string `json:"status"`
	Stderr string `json:"stderr"`
}

// Lending lends what a Keeper keeps to this user's sessions in other processes.
type Lending struct {
	keeper *Keeper
	l      net.Listener
	wait   sync.WaitGroup
	ctx    context.Context // ends with Recall
	recall context.CancelFunc
}

// Lend begins to lend what the Keeper keeps: see [Windows].
func (k *Keeper) Lend() (*Lending, error) {
	socket, err := net.Listen("unix", filepath.Join(k.opts.Dir, lendSocket))
	if err != nil {
		return nil, err
	}
	l := &Lending{keeper: k, l: socket}
	l.ctx, l.recall = context.WithCancel(context.Background())
	l.wait.Go(func() {
		for {
			conn, err := socket.Accept()
			if err != nil {
				return
			}
			l.wait.Go(func() { l.serve(conn) })
		}
	})
	return l, nil
}

// Close lends nothing more. The channel is closed when all that was lent has ended.
func (l *Lending) Close() <-chan struct{} {
	_ = l.l.Close()
	returned := make(chan struct{})
	go func() { l.wait.Wait(); close(returned) }()
	return returned
}

// Recall ends what is lent.
func (l *Lending) Recall() { l.recall() }

// serve serves one who asks.
func (l *Lending) serve(conn net.Conn) {
	defer conn.Close()
	stop := context.AfterFunc(l.ctx, func() { _ = conn.Close() })
	defer stop()
	_ = conn.SetDeadline(time.Now().Add(askTime))
	in := bufio.NewReaderSize(conn, maxWant)
	line, err := in.ReadSlice('\n')
	var w Want
	if err != nil || json.Unmarshal(line, &w) != nil {
		return
	}
	p, why := l.keeper.lend(w)
	if p == nil {
		_ = json.NewEncoder(conn).Encode(offer{Why: why})
		return
	}
	defer l.keeper.Done()
	defer p.Close()
	_ = conn.SetDeadline(time.Time{})
	if json.NewEncoder(conn).Encode(offer{PID: p.PID(), Dir: p.Dir}) == nil {
		l.relay(p, w, conn, dapio.NewReader(in))
	}
}

// relay relays between a session of another process and the process that it has borrowed, until
// either has ended. Then neither the process nor the connection is left.
func (l *Lending) relay(p *Process, w Want, conn net.Conn, in *dapio.Reader) {
	r := &loan{ctx: l.ctx, out: dapio.NewWriter(conn), asked: map[int64]int64{}, ended: make(chan struct{})}
	// No trace: the secrets are the session's, which has one.
	d, greeting, err := p.Open(l.ctx, dapio.NewRequest("initialize", json.RawMessage(w.Hello)), r, nil)
	if err != nil {
		r.out.Abort()
		return
	}
	l.wait.Go(func() {
		<-r.ended
		_ = r.out.Send(func(seq int64) []byte {
			b, _ := json.Marshal(map[string]any{"seq": seq, "type": dapio.Event, "event": endedEvent, "body": ended{d.Status(), d.Stderr()}})
			return b
		})
		r.out.Close()
		select {
		case <-r.out.Done():
		case <-time.After(askTime):
		}
		_ = conn.Close()
	})
	for {
		m, err := in.Next()
		switch {
		case err != nil:
			_ = d.Close()
			return
		case m.Type == dapio.Response:
			d.Reply(m, r.number(m.RequestSeq))
		case m.Name == "initialize": // which it has been
			_ = r.out.Forward(greeting, m.Seq, nil)
		default:
			if _, err := d.Call(m, func(answer *dapio.Message, err error) {
				if err == nil {
					_ = r.out.Forward(answer, m.Seq, nil)
				}
			}); err != nil { // it has ended, or does not read; its end is told
				_ = d.Close()
			}
		}
	}
}

// loan hears an lldb-dap for a session of another process.
type loan struct {
	ctx   context.Context
	out   *dapio.Writer // to the session
	ended chan struct{}

	mu    sync.Mutex
	asked map[int64]int64 // the numbers of lldb-dap's requests, by those that the session knows
}

// Ready implements lldb.Handler.
func (r *loan) Ready() { _ = r.out.Wait(r.ctx, maxUnread) }

// Message implements lldb.Handler.
func (r *loan) Message(m *dapio.Message) {
	_ = r.out.Forward(m, 0, func(seq int64) {
		if m.Type == dapio.Request {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.asked[seq] = m.Seq
		}
	})
}

// Ended implements lldb.Handler.
func (r *loan) Ended() { close(r.ended) }

// number is lldb-dap's own number of a request of its.
func (r *loan) number(seq int64) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.asked[seq]
	delete(r.asked, seq)
	return n
}
