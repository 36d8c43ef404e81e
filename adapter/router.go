package adapter

import (
	"errors"
	"sync"
	"time"

	"github.com/google/go-dap"

	"github.com/envoydbg/envoydbg/adapter/breakpoints"
	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/dialect"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/lldb"
	"github.com/envoydbg/envoydbg/adapter/paths"
	"github.com/envoydbg/envoydbg/adapter/startup"
	"github.com/envoydbg/envoydbg/adapter/trace"
)

// router decides what becomes of each request of the client's, and answers each
// exactly once. It owns the state of the session: everything below mu is read and
// written under it alone, and nothing blocks while it is held.
//
//	client ─▶ request ─▶ act ─▶ forward ─▶ lldb-dap
//	                      │                   │
//	client ◀── answer ◀───┴──── answered ◀────┘
type router struct {
	client *client
	trace  *trace.Trace
	paths  *paths.Rewriter
	// host does what a request begins: the session.
	host host

	mu    sync.Mutex
	state state
	// debugger is the lldb-dap in use; nil before initialize, or if there is none.
	debugger debugger
	// open are the requests that have not been answered.
	open map[*request]bool
	// held are those that wait for the next state, in order.
	held []*request
	// opening is the launch or attach that has not been answered.
	opening *request
	// done is the client's configurationDone, once it has come. It has no message
	// left to answer if it came early.
	done *request
	// sequence is the startup of a startup session; else nil.
	sequence sequence
	// finished is set when the debuggee of a plain session is gone: lldb-dap may
	// end, too, however it does.
	finished bool
	// terminated is set when the client has been told that the debuggee is gone.
	terminated bool
	stops      int
	// waitID is the progress of LLDB's that tells of the wait for Envoy; it is not passed on.
	waitID string
	// ran is when Envoy was first resumed.
	ran time.Time
	// pausing: the client has asked for a pause, and there was no stop since.
	pausing bool
	// presets has the names of the breakpoints that are presets, by LLDB's ids.
	presets     map[int64]string
	breakpoints *breakpoints.Table
	// explainer says why breakpoints have no place in the session's program.
	explainer *breakpoints.Explainer
	// sets are the requests under way that set breakpoints.
	sets sets
	// reverse has, by the client's number, the number at lldb-dap of a request
	// that lldb-dap has made.
	reverse map[int64]int64
	// asked has, by the client's number, who waits for the answer to a request of the
	// adapter's own.
	asked map[int64]chan<- *dapio.Message
}

// debugger is lldb-dap as the router needs it; see lldb.DAP.
type debugger interface {
	Call(m *dapio.Message, answer lldb.Answer) (seq int64, err error)
	Reply(m *dapio.Message, requestSeq int64)
	Knows(command string) bool
	Can(capability string) bool
	// Fault says why a request got no answer, Unknown that it knows no such request.
	Fault() *fault.Fault
	Unknown(command string) *fault.Fault
}

// host is the session as the router needs it. The methods are called with the
// router's lock held, and return at once.
type host interface {
	initialize(q *request)
	open(q *request)
	end(how ending)
	progress(id string) bool
	// timeline is what has happened in the session.
	timeline() startup.Timeline
	// stopped: Envoy has stopped for the first time.
	stopped(description string)
}

// sequence is a startup as the router needs it. The methods return at once.
type sequence interface {
	// ConfigurationDone: the client has set its breakpoints.
	ConfigurationDone()
	// StartAgent asks for the agent; answer is called once.
	StartAgent(answer func(pid int, f *fault.Fault))
	// AgentStarted: there is an agent that could be ended.
	AgentStarted() bool
	// Initialized: lldb-dap takes breakpoints.
	Initialized()
	// DebuggeeEnded: lldb-dap has told the end of Envoy.
	DebuggeeEnded()
	// Busy: lldb-dap has begun something long, which has this title.
	Busy(title string)
	// FirstStop is how the first stop is to be called where it is at no breakpoint; ""
	// as LLDB calls it.
	FirstStop() (reason, description string)
	// Summary says how long each phase took.
	Summary() string
	// Noticed calls then when LLDB knows that Envoy runs, or cannot be asked.
	Noticed(then func())
}

// request is one request of the client's.
type request struct {
	*dapio.Message
	// lldbSeq is its number at lldb-dap, once it is there.
	lldbSeq int64
}

func newRouter(c *client, t *trace.Trace, p *paths.Rewriter, h host) *router {
	return &router{client: c, trace: t, paths: p, host: h, open: map[*request]bool{},
		breakpoints: breakpoints.New(p), explainer: breakpoints.NewExplainer("", t), sets: newSets(), reverse: map[int64]int64{},
		presets: map[int64]string{}, asked: map[int64]chan<- *dapio.Message{}}
}

// RequestStartAgent is the adapter's own request: it starts the agent of a
// session with "agent": {"start": "manual"}. Answer: {"pid": number}.
const RequestStartAgent = "startAgent"

// RequestStopAgent is the adapter's own request: it ends Envoy, the agent, and with them
// the session. It is answered when nothing of them is left.
const RequestStopAgent = "stopAgent"

// fromClient takes one message of the client's. A panic on the way is the error of
// the request, and of nothing else.
func (r *router) fromClient(m *dapio.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch m.Type {
	case dapio.Request:
		q := &request{Message: r.client.dialect.Load().Request(m)}
		r.open[q] = true
		r.request(q)
	case dapio.Response:
		if answer, ok := r.asked[m.RequestSeq]; ok {
			delete(r.asked, m.RequestSeq)
			answer <- m // it has room
			return
		}
		seq, ok := r.reverse[m.RequestSeq]
		delete(r.reverse, m.RequestSeq)
		if ok && r.debugger != nil {
			r.debugger.Reply(m, seq)
		}
	default:
		r.trace.Line("session", "the client sent a message of type %q", m.Type)
	}
}

// request handles one request in the state that the session is in.
func (r *router) request(q *request) {
	defer r.contain(q)
	switch q.Name {
	case "disconnect":
		r.disconnect(q)
	case "terminate":
		if r.sequence == nil {
			r.act(q)
			return
		}
		r.respond(q, nil)
		r.host.end(ending{atEnd: config.AtEndEnd, again: again(q)})
	case "cancel":
		r.cancel(q)
	case "restart":
		if r.sequence == nil {
			r.act(q)
			return
		}
		r.refuse(q, fault.NoRestart())
	case RequestStartAgent:
		if r.sequence == nil {
			r.refuse(q, fault.NotManual("this is no startup session"))
			return
		}
		r.sequence.StartAgent(func(pid int, f *fault.Fault) {
			r.mu.Lock()
			defer r.mu.Unlock()
			if f != nil {
				r.refuse(q, f)
				return
			}
			r.respond(q, map[string]int{"pid": pid})
		})
	case RequestStopAgent:
		r.stopAgent(q)
	case startup.RequestTimeline:
		r.respond(q, r.host.timeline())
	default:
		r.act(q)
	}
}

func (r *router) stopAgent(q *request) {
	switch {
	case r.state >= stateOver:
		r.quietly(q, fault.Over(q.Name))
	case r.sequence == nil:
		r.refuse(q, fault.NoAgentToStop("this is no startup session"))
	case !r.sequence.AgentStarted():
		r.refuse(q, fault.NoAgentToStop("the session has not started it"))
	default:
		r.host.end(ending{atEnd: config.AtEndEnd})
	}
}

// contain makes a panic the error of the request that was handled.
func (r *router) contain(q *request) {
	if p := recover(); p != nil {
		r.trace.Panic("the request "+q.Name, p)
		r.refuse(q, fault.Panicked(q.Name, p))
	}
}

// act does what the table of actions says.
func (r *router) act(q *request) {
	switch actionOf(q.Name, r.state) {
	case refuse:
		r.refuse(q, fault.OutOfOrder(q.Name, whyNot(q.Name, r.state)))
	case hold:
		r.held = append(r.held, q)
	case pass:
		r.forward(q)
	case begin:
		if q.Name == "initialize" {
			d := dialect.Of(q.Message)
			r.client.dialect.Store(&d)
			q.Message = d.Initialize(q.Message)
			r.move(stateInitializing)
			r.host.initialize(q)
			return
		}
		r.opening = q
		r.move(statePreparing)
		r.host.open(q)
	case early:
		if q.Name == "configurationDone" {
			r.done = &request{}
			r.respond(q, nil)
			return
		}
		r.respond(q, rawJSON(r.breakpoints.Early(q.Message)))
	case configured:
		r.done = q
		if r.state == stateConfiguring {
			r.move(stateConfigured)
		}
		r.sequence.ConfigurationDone()
	case noThreads:
		r.respond(q, dap.ThreadsResponseBody{Threads: []dap.Thread{}})
	case notYet:
		r.quietly(q, fault.NotYet(q.Name))
	case late:
		r.quietly(q, fault.Over(q.Name))
	}
}

func whyNot(command string, s state) string {
	switch {
	case s == stateNew:
		return "initialize has not been sent"
	case command == "initialize":
		return "it was answered before"
	default:
		return "the session has begun already"
	}
}

// move changes the state and, where that lets them, hands on the requests that
// were held.
func (r *router) move(to state) {
	r.trace.Line("session", "%v → %v", r.state, to)
	r.state = to
}

// attached reports whether the debugger of a startup session has Envoy.
func (r *router) attached() bool {
	return r.sequence != nil && r.state >= stateConfiguring && r.state <= stateRunning
}

// drain hands on what was held, until something is to be held again.
func (r *router) drain() {
	held := r.held
	r.held = nil
	for _, q := range held {
		if r.open[q] {
			r.request(q)
		}
	}
}

// forward sends a request to lldb-dap.
func (r *router) forward(q *request) {
	d := r.debugger
	switch {
	case d == nil:
		r.refuse(q, fault.OutOfOrder(q.Name, "there is no debugger yet"))
		return
	case !d.Knows(q.Name):
		r.refuse(q, d.Unknown(q.Name))
		return
	}
	if q.Name == "pause" {
		r.pausing = true
		if r.mayNotKnow() {
			r.sequence.Noticed(func() { r.later(q, d) })
			return
		}
	}
	r.send(q, d)
}

// noticeTime is how long after Envoy's first resume LLDB may not know yet that it runs: it
// learns that on a thread of its own. Until then LLDB 22 refuses a pause, and 19 says that
// it has paused, and has not.
const noticeTime = 10 * time.Second

// mayNotKnow reports whether Envoy was resumed so short a time ago.
func (r *router) mayNotKnow() bool {
	return r.sequence != nil && r.state == stateRunning && r.stops == 0 && !r.terminated && time.Since(r.ran) < noticeTime
}

// later sends a request that has waited.
func (r *router) later(q *request, d debugger) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open[q] {
		r.send(q, d)
	}
}

// send sends a request to an lldb-dap that can have it.
func (r *router) send(q *request, d debugger) {
	if breakpoints.IsSet(q.Name) {
		r.forwardSet(q.Message, func(answer *dapio.Message, err error) { r.answered(d, q, answer, err) })
		return
	}
	seq, err := d.Call(r.paths.Request(q.Message), func(answer *dapio.Message, err error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.answered(d, q, answer, err)
	})
	if err != nil {
		r.answered(d, q, nil, err)
		return
	}
	q.lldbSeq = seq
}

// answered passes lldb-dap's answer to the client, or says why there is none.
func (r *router) answered(d debugger, q *request, answer *dapio.Message, err error) {
	defer r.contain(q)
	if !r.open[q] {
		return
	}
	switch {
	case err == nil:
		if !breakpoints.IsSet(q.Name) {
			answer = r.paths.Answer(answer)
		}
		if q == r.opening {
			r.opening = nil
		}
		r.relay(q, answer)
	case errors.Is(err, lldb.ErrBehind):
		r.refuse(q, fault.LLDBDapBehind(err))
	case r.state >= stateOver || r.finished:
		r.quietly(q, fault.Over(q.Name))
	case d != r.debugger:
		r.refuse(q, fault.OutOfOrder(q.Name, "it was asked of another lldb-dap than the one the launch attributes name"))
	default:
		r.refuse(q, d.Fault())
	}
}

// relay answers a request with a message of lldb-dap's.
func (r *router) relay(q *request, answer *dapio.Message) {
	if r.close(q) {
		if answer.Name != q.Name {
			if patched, err := answer.Set("command", marshal(q.Name)); err == nil {
				answer = patched
			}
		}
		r.client.forward(answer, q.Seq, nil)
	}
}

func (r *router) respond(q *request, body any) {
	if r.close(q) {
		r.client.respond(q.Message, body)
	}
}

func (r *router) refuse(q *request, f *fault.Fault) {
	if r.close(q) {
		r.trace.Line("fault", "%s answers %s", f.ID(), q.Name)
		r.client.refuse(q.Message, f, false)
	}
}

// quietly refuses what is no error of the user's: VS Code shows no dialog.
func (r *router) quietly(q *request, f *fault.Fault) {
	if r.close(q) {
		r.client.refuse(q.Message, f, true)
	}
}

// close marks a request as answered; false if it was.
func (r *router) close(q *request) bool {
	if q == nil || !r.open[q] {
		return false
	}
	delete(r.open, q)
	return true
}

// disconnect ends the session; the answer comes when nothing of it is left.
func (r *router) disconnect(q *request) {
	switch r.state {
	case stateOver:
		return // answered at the end, like all that are open then
	case stateEnded:
		r.respond(q, nil)
		return
	}
	r.host.end(ending{request: q, atEnd: atEnd(q), again: again(q)})
}

// again says whether a disconnect or terminate comes because the client is about to begin
// the same session once more ("restart" of their arguments in the specification).
func again(q *request) bool { return q.Get("arguments.restart").Bool() }

// atEnd is what a disconnect says of Envoy; "" if nothing. The Envoy of a session that
// begins again would be in the way of the next.
func atEnd(q *request) string {
	switch terminate := q.Get("arguments.terminateDebuggee"); {
	case again(q):
		return config.AtEndEnd
	case !terminate.Exists():
		return ""
	case terminate.Bool():
		return config.AtEndEnd
	case q.Get("arguments.suspendDebuggee").Bool():
		return config.AtEndKeepStopped
	}
	return config.AtEndRun
}

// cancel ends the startup when its progress is cancelled, or the request that waits
// for it. Anything else is lldb-dap's, by the number it knows.
func (r *router) cancel(q *request) {
	id := q.Get("arguments.requestId")
	mine := r.host.progress(q.Get("arguments.progressId").String()) ||
		r.opening != nil && id.Exists() && id.Int() == r.opening.Seq
	switch {
	case r.sequence != nil && mine:
		r.respond(q, nil)
		if r.state < stateRunning { // else the startup was over when the user asked
			r.host.end(ending{atEnd: config.AtEndEnd})
		}
		return
	case r.debugger == nil, !r.debugger.Can("supportsCancelRequest"), r.state != stateRunning:
		// Cancelling is a hint: it is no error if nothing is cancelled.
		r.respond(q, nil)
		return
	}
	for other := range r.open {
		if id.Exists() && other.Seq == id.Int() && other.lldbSeq != 0 {
			if patched, err := q.Set("arguments.requestId", marshal(other.lldbSeq)); err == nil {
				q.Message = patched
			}
		}
	}
	r.forward(q)
}
