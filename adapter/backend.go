package adapter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tidwall/gjson"

	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/gdbremote"
	"github.com/envoydbg/envoydbg/adapter/lldb"
)

// initializeTime bounds the answer to initialize: loading liblldb from a cold
// disk takes seconds.
const initializeTime = 30 * time.Second

// startBackend runs an lldb-dap and asks it to initialize with the client's own
// arguments. It returns the answer as lldb-dap gave it. In its environment is the
// variable that leads it to the relay. One for a plain session must not have it:
// its debuggee would inherit the variable, and a remote platform of the user's
// could not be connected to.
func (s *Session) startBackend(path string, initialize *dapio.Message, plain bool) (*backend, *dapio.Message, error) {
	path, err := lldb.FindDAP(path)
	if err != nil {
		return nil, nil, err
	}
	var env []string
	if !plain {
		env = append(env, gdbremote.SchemeVariable+"="+gdbremote.Scheme(s.opts.TempDir))
	}
	child, err := lldb.Start(s.ctx, path, env...)
	if err != nil {
		return nil, nil, fault.LLDBDapStart(path, "", err)
	}
	s.trace.line("lldb-dap", "%s started, pid %d", path, child.PID())
	b := &backend{child: child, toLLDB: dapio.NewWriter(child.Stdin), pending: map[int64]pending{}, pumped: make(chan struct{})}
	b.toLLDB.Sent = func(raw []byte) { s.trace.message("lldb-dap →", raw) }
	go s.lldbPump(b)

	ctx, cancel := context.WithTimeout(s.ctx, initializeTime)
	defer cancel()
	answer, err := b.ask(ctx, initialize)
	if err != nil || !answer.Success {
		b.dispose()
		if err == nil {
			err = errors.New(answer.Get("message").String())
		}
		return nil, nil, fault.LLDBDapStart(path, child.Stderr(), err)
	}
	b.supports = capabilities(answer)
	for _, at := range []string{`body.\$__lldb_version`, "body.__lldb.version"} {
		if v, ok := lldb.ParseVersion(answer.Get(at).String()); ok {
			b.version = v
		}
	}
	if b.version.Major < lldb.Oldest {
		b.dispose()
		text := b.version.Text
		if text == "" {
			text = fmt.Sprintf("unknown (older than %d)", lldb.Oldest)
		}
		return nil, nil, fault.LLDBTooOld(path, text, lldb.Oldest)
	}
	return b, answer, nil
}

func capabilities(m *dapio.Message) map[string]bool {
	out := map[string]bool{}
	m.Get("body").ForEach(func(key, value gjson.Result) bool {
		if value.Type == gjson.True {
			out[key.Str] = true
		}
		return true
	})
	return out
}

// errGone is returned for a request that lldb-dap can no longer answer.
var errGone = errors.New("lldb-dap has ended")

// ask sends a request of the adapter's own (or m in its name) and waits for the
// answer.
func (b *backend) ask(ctx context.Context, m *dapio.Message) (*dapio.Message, error) {
	reply := make(chan *dapio.Message, 1)
	err := b.toLLDB.Forward(m, 0, func(seq int64) { b.put(seq, pending{command: m.Name, reply: reply}) })
	if err != nil {
		return nil, err
	}
	select {
	case answer := <-reply:
		return answer, nil
	case <-b.pumped:
		// The answer may have been the last thing it said.
		select {
		case answer := <-reply:
			return answer, nil
		default:
			return nil, errGone
		}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// request builds a request of the adapter's own; Forward gives it its number.
func request(command string, arguments any) *dapio.Message {
	m, err := dapio.Parse(marshal(struct {
		Seq       int    `json:"seq"`
		Type      string `json:"type"`
		Command   string `json:"command"`
		Arguments any    `json:"arguments,omitempty"`
	}{0, dapio.Request, command, arguments}))
	if err != nil {
		panic(err) // marshal gave no JSON object
	}
	return m
}

// lldbPump carries what lldb-dap says to the client, until its stdout ends.
func (s *Session) lldbPump(b *backend) {
	defer close(b.pumped)
	r := dapio.NewReader(b.child.Stdout)
	r.Noise = func(p []byte) {
		s.trace.line("lldb-dap noise", "%q", clip(p))
		_, _ = b.said.Write(p)
	}
	for {
		m, err := r.Next()
		switch {
		case errors.Is(err, dapio.ErrNotDAP):
			// A frame whose content is no message: nothing can be made of it,
			// and the next frame stands where it should.
			s.trace.line("lldb-dap noise", "%v", err)
			continue
		case err != nil:
			s.lldbEnded(b, err)
			return
		}
		s.trace.message("lldb-dap ←", m.Raw)
		s.fromLLDB(b, m)
	}
}

// diedGrace is how long lldb-dap may take from closing its stdout to its end.
const diedGrace = 2 * time.Second

// lldbEnded is called on the pump when lldb-dap's stdout has ended.
func (s *Session) lldbEnded(b *backend, err error) {
	select {
	case <-b.child.Done():
	case <-time.After(diedGrace):
		// It talks no more: of no use to anyone.
		b.child.Kill()
		<-b.child.Done()
	}
	s.trace.line("lldb-dap", "ended: %s; %v; stderr: %s", b.child.Status(), err, b.child.Stderr())
	s.routeMu.Lock()
	current := s.backend == b
	s.routeMu.Unlock()
	if current {
		// On another goroutine: the cleanup waits for this one.
		go s.end(fault.LLDBDapDied(b.child.Status(), b.child.Stderr()))
	}
}
