package adapter

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/breakpoints"
	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/lldb"
	"github.com/envoydbg/envoydbg/adapter/paths"
	"github.com/envoydbg/envoydbg/adapter/startup"
)

// stage is a router with nothing real around it: no process, no stream.
type stage struct {
	t      *testing.T
	router *router
	lldb   *fakeLLDB
	seq    int64
	// sent is what the client got, one line a message: "threads ok", "threads
	// ED1903", "event stopped".
	sent []string
	raw  []*dapio.Message
	ends []ending
	// stops are the first stops that the session was told.
	stops []string
	// initializing and opening are the requests that the session was given.
	initializing, opening *request
}

// fakeLLDB keeps what it is asked until the story answers.
type fakeLLDB struct {
	calls   []call
	failing error // of the next calls
	panics  bool
}

type call struct {
	m      *dapio.Message
	answer lldb.Answer
}

func (f *fakeLLDB) Call(m *dapio.Message, answer lldb.Answer) (int64, error) {
	if f.panics {
		panic("no such thing")
	}
	if f.failing != nil {
		return 0, f.failing
	}
	f.calls = append(f.calls, call{m, answer})
	return int64(len(f.calls)), nil
}
func (f *fakeLLDB) Reply(*dapio.Message, int64)         {}
func (f *fakeLLDB) Knows(command string) bool           { return command != "unheardOf" }
func (f *fakeLLDB) Can(string) bool                     { return true }
func (f *fakeLLDB) Fault() *fault.Fault                 { return fault.LLDBDapDied("killed", "", "") }
func (f *fakeLLDB) Unknown(command string) *fault.Fault { return fault.Unsupported(command, "22") }

// asked are the commands that lldb-dap has got.
func (f *fakeLLDB) asked() string {
	var names []string
	for _, c := range f.calls {
		names = append(names, c.m.Name)
	}
	return strings.Join(names, " ")
}

// initialize, open, end and progress make the stage the router's host.
func (s *stage) initialize(q *request)   { s.initializing = q }
func (s *stage) open(q *request)         { s.opening = q }
func (s *stage) end(how ending)          { s.ends = append(s.ends, how) }
func (s *stage) progress(id string) bool { return id == "mine" }

func (s *stage) timeline() startup.Timeline { return startup.Timeline{} }
func (s *stage) stopped(description string) { s.stops = append(s.stops, description) }

// fakeSequence is a startup that only counts.
type fakeSequence struct {
	noticed     []func()
	done, ended int
	started     bool
	asked       []func(int, *fault.Fault)
}

func (f *fakeSequence) Noticed(then func())                       { f.noticed = append(f.noticed, then) }
func (f *fakeSequence) ConfigurationDone()                        { f.done++ }
func (f *fakeSequence) Initialized()                              {}
func (f *fakeSequence) DebuggeeEnded()                            { f.ended++ }
func (f *fakeSequence) Busy(string)                               {}
func (f *fakeSequence) StartAgent(answer func(int, *fault.Fault)) { f.asked = append(f.asked, answer) }
func (f *fakeSequence) AgentStarted() bool                        { return f.started }
func (f *fakeSequence) FirstStop() (string, string)               { return "", "" }
func (f *fakeSequence) Summary() string                           { return "summary" }

func newStage(t *testing.T) *stage {
	s := &stage{t: t, lldb: &fakeLLDB{}}
	out := dapio.NewWriter(io.Discard)
	t.Cleanup(out.Close)
	out.Sent = func(raw []byte) {
		m, err := dapio.Parse(append([]byte(nil), raw...))
		if err != nil {
			t.Errorf("the client gets %q: %v", raw, err)
			return
		}
		s.raw = append(s.raw, m)
		switch {
		case m.Type == dapio.Event:
			s.sent = append(s.sent, "event "+m.Name)
		case m.Success:
			s.sent = append(s.sent, m.Name+" ok")
		default:
			s.sent = append(s.sent, fmt.Sprintf("%s ED%d", m.Name, m.Get("body.error.id").Int()))
		}
	}
	s.router = newRouter(newClient(out), nil, paths.NewRewriter(func(string, paths.Change) {}), s)
	return s
}

// settle waits until no request that sets breakpoints is under way.
func (s *stage) settle() {
	s.t.Helper()
	settled := make(chan struct{})
	s.router.mu.Lock()
	s.router.sets.settled(func() { close(settled) })
	s.router.mu.Unlock()
	select {
	case <-settled:
	case <-time.After(10 * time.Second):
		s.t.Fatal("breakpoints are still being set")
	}
}

// client sends requests, and returns the number of the last.
func (s *stage) client(commands ...string) int64 {
	for _, command := range commands {
		s.seq++
		arguments := `{}`
		command, extra, _ := strings.Cut(command, " ")
		if extra != "" {
			arguments = extra
		}
		s.router.fromClient(s.message(fmt.Sprintf(`{"seq":%d,"type":"request","command":%q,"arguments":%s}`, s.seq, command, arguments)))
	}
	return s.seq
}

func (s *stage) message(text string) *dapio.Message {
	s.t.Helper()
	m, err := dapio.Parse([]byte(text))
	if err != nil {
		s.t.Fatal(err)
	}
	return m
}

// answer lets lldb-dap answer its n-th call, from 0, with a body.
func (s *stage) answer(n int, body string) {
	c := s.lldb.calls[n]
	c.answer(s.message(fmt.Sprintf(`{"seq":0,"type":"response","request_seq":%d,"success":true,"command":%q,"body":%s}`, n, c.m.Name, body)), nil)
}

func (s *stage) event(name, body string) {
	s.router.fromLLDB(s.lldb, s.message(fmt.Sprintf(`{"seq":0,"type":"event","event":%q,"body":%s}`, name, body)))
}

// flush waits until the client has got everything.
func (s *stage) flush() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 10*time.Second)
	defer cancel()
	if err := s.router.client.out.Wait(ctx, 1); err != nil {
		s.t.Fatal(err)
	}
}

// got compares what the client has got since the last look.
func (s *stage) got(want ...string) {
	s.t.Helper()
	s.flush()
	if !slices.Equal(s.sent, want) {
		s.t.Errorf("the client got %q, want %q", s.sent, want)
	}
	s.sent = nil
}

// ready is a session whose initialize was answered.
func ready(t *testing.T) *stage {
	s := newStage(t)
	s.client("initialize")
	s.router.use(s.lldb)
	s.router.initialized(s.initializing, s.message(`{"seq":0,"type":"response","request_seq":1,"command":"initialize","success":true,"body":{}}`))
	s.got("initialize ok")
	return s
}

// plain is a session that lldb-dap does by itself, its launch answered.
func plain(t *testing.T) *stage {
	s := ready(t)
	s.client("launch")
	s.router.plain(s.opening, breakpoints.NewExplainer("", nil))
	s.answer(0, `{}`)
	s.got("launch ok")
	return s
}

func TestRequestsKeepTheirOrderThroughEveryState(t *testing.T) {
	s := newStage(t)
	s.client("initialize", "attach", "setBreakpoints", "threads", "evaluate", "configurationDone")
	s.got() // lldb-dap is being started
	s.router.use(s.lldb)
	s.router.initialized(s.initializing, s.message(`{"seq":0,"type":"response","request_seq":1,"command":"initialize","success":true,"body":{}}`))
	s.got("initialize ok")
	if s.opening == nil || s.lldb.asked() != "" {
		t.Fatalf("after initialize: attach %v, lldb-dap has got %q", s.opening, s.lldb.asked())
	}
	seq := &fakeSequence{}
	s.router.begin(seq, breakpoints.NewExplainer("", nil), true)
	session := &Session{router: s.router}
	if err := session.Attach(dapio.NewRequest("attach", nil), func(*dapio.Message, error) {}); err != nil {
		t.Fatal(err)
	}
	if got := s.lldb.asked(); got != "attach setBreakpoints" || seq.done != 1 {
		t.Errorf("behind the attach lldb-dap has got %q, configurationDone was told %d times", got, seq.done)
	}
	// LLDB answers nothing before it has Envoy.
	s.got("event capabilities", "threads ok", "evaluate ED1320")
	session.Attached()
	s.client("next")
	session.Go()
	if got := s.lldb.asked(); got != "attach setBreakpoints configurationDone next" {
		t.Errorf("lldb-dap has got %q", got)
	}
}

// A client may send its breakpoints, and even configurationDone, before the attach.
func TestBreakpointsBeforeTheAttachAreAnsweredAndSetLater(t *testing.T) {
	s := ready(t)
	s.client(`setBreakpoints {"source":{"path":"/a.cc"},"breakpoints":[{"line":2},{"line":5}]}`,
		`setExceptionBreakpoints {"filters":[]}`, "configurationDone")
	s.got("setBreakpoints ok", "setExceptionBreakpoints ok", "configurationDone ok")
	first := s.raw[len(s.raw)-3].Get("body.breakpoints")
	if first.Get("#").Int() != 2 || first.Get("0.verified").Bool() {
		t.Errorf("before the attach: %s", first.Raw)
	}
	if s.lldb.asked() != "" {
		t.Errorf("lldb-dap has got %q", s.lldb.asked())
	}
	s.client("launch")
	s.router.plain(s.opening, breakpoints.NewExplainer("", nil))
	s.event("initialized", `{}`)
	if got := s.lldb.asked(); got != "launch setBreakpoints setExceptionBreakpoints configurationDone" {
		t.Fatalf("lldb-dap has got %q", got)
	}
	s.flush()
	s.sent = nil
	s.answer(1, `{"breakpoints":[{"id":1,"verified":true,"line":2},{"id":2,"verified":false,"line":5}]}`)
	s.answer(2, `{}`)
	s.settle()
	s.got("event breakpoint", "event breakpoint", "event output") // why the second is not bound
	told := s.raw[len(s.raw)-3].Get("body.breakpoint")
	if told.Get("id").Int() != first.Get("0.id").Int() || !told.Get("verified").Bool() {
		t.Errorf("the client knows %s, and is told %s", first.Raw, told.Raw)
	}
	// LLDB's own events, and stops, come under the number that the client knows.
	s.event("breakpoint", `{"reason":"changed","breakpoint":{"id":2,"verified":true,"line":6}}`)
	s.flush()
	if got := s.raw[len(s.raw)-1].Get("body.breakpoint.id").Int(); got != first.Get("1.id").Int() {
		t.Errorf("the second is called %d", got)
	}
	s.event("stopped", `{"reason":"breakpoint","hitBreakpointIds":[1]}`)
	s.flush()
	if got := s.raw[len(s.raw)-1].Get("body.hitBreakpointIds.0").Int(); got != first.Get("0.id").Int() {
		t.Errorf("the stop is at %d", got)
	}
}

func TestWhatComesTooEarlyOrTwiceIsRefused(t *testing.T) {
	s := newStage(t)
	s.client("threads", "attach", "setBreakpoints", "configurationDone")
	s.got("threads ED1903", "attach ED1903", "setBreakpoints ED1903", "configurationDone ED1903")
	s = plain(t)
	s.client("initialize", "launch", "attach", "startAgent", "unheardOf")
	s.got("initialize ED1903", "launch ED1903", "attach ED1903", "startAgent ED1311", "unheardOf ED1401")
}

func TestWithoutAnLLDBTheLaunchMayStillNameOne(t *testing.T) {
	s := newStage(t)
	s.client("initialize")
	s.router.initialized(s.initializing, nil)
	s.client("threads", "launch")
	s.got("initialize ok", "threads ED1903")
	if s.opening == nil {
		t.Error("the launch was not begun")
	}
}

// Whatever lldb-dap was asked is answered when it can answer no more.
func TestWhatIsPendingAtADyingLLDBIsAnswered(t *testing.T) {
	s := plain(t)
	s.client("evaluate", "setBreakpoints", "threads")
	s.answer(3, `{}`)
	for _, c := range s.lldb.calls[1:3] {
		c.answer(nil, lldb.ErrGone)
	}
	s.got("threads ok", "evaluate ED1104", "setBreakpoints ED1104")

	s.client("evaluate")
	s.router.use(&fakeLLDB{}) // it is replaced
	s.lldb.calls[4].answer(nil, lldb.ErrGone)
	s.got("evaluate ED1903")

	s = plain(t)
	s.lldb.failing = lldb.ErrBehind
	s.client("evaluate", "setBreakpoints")
	s.got("evaluate ED1407", "setBreakpoints ED1407")
}

func TestAfterTheEndAnswersAreQuiet(t *testing.T) {
	s := plain(t)
	s.client("evaluate")
	s.event("terminated", `{}`)
	s.event("terminated", `{}`)
	s.got("event terminated")
	s.lldb.calls[1].answer(nil, lldb.ErrGone)
	s.got("evaluate ED1406")
	s.router.over(nil)
	s.client("threads", "setBreakpoints")
	s.got("threads ED1406", "setBreakpoints ED1406")
	for _, m := range s.raw[len(s.raw)-3:] {
		if m.Get("body.error.showUser").Bool() {
			t.Errorf("the user is shown %s", m.Raw)
		}
	}
	s.router.finish(false, nil, nil, 0)
	s.client("disconnect")
	s.got("disconnect ok") // terminated was told before
}

func TestTheEndAnswersEverything(t *testing.T) {
	s := newStage(t)
	s.client("initialize", "attach", "threads")
	s.client("disconnect")
	if len(s.ends) != 1 {
		t.Fatalf("%d ends", len(s.ends))
	}
	opened, _ := s.router.over(nil)
	s.router.finish(opened, s.ends[0].request, nil, 0)
	s.flush()
	slices.Sort(s.sent)
	s.got("attach ED1406", "disconnect ok", "event terminated", "initialize ED1406", "threads ED1406")

	// Whoever ends a startup is shown no error for it.
	s = ready(t)
	s.client("attach")
	s.router.over(nil)
	s.got("attach ED1312")
	if s.raw[len(s.raw)-1].Get("body.error.showUser").Bool() {
		t.Error("the user is shown that the startup was cancelled")
	}

	// A fault is the answer to the attach, and no debuggee was ever there.
	s = ready(t)
	s.client("attach", "setBreakpoints")
	opened, _ = s.router.over(fault.NotManual("a fault"))
	s.router.finish(opened, nil, nil, 0)
	s.got("attach ED1311", "setBreakpoints ED1406")
}

func TestAPanicIsTheErrorOfItsRequest(t *testing.T) {
	s := plain(t)
	s.lldb.panics = true
	s.client("evaluate")
	s.lldb.panics = false
	s.client("threads")
	s.got("evaluate ED1904")
	s.answer(1, `{}`)
	s.got("threads ok")
}

func TestCancelling(t *testing.T) {
	// The startup, by its progress or by its request.
	for _, arguments := range []string{`{"progressId":"mine"}`, `{"requestId":2}`} {
		s := ready(t)
		s.client("attach")
		s.router.begin(&fakeSequence{}, breakpoints.NewExplainer("", nil), true)
		s.flush()
		s.sent = nil
		s.client("cancel " + arguments)
		s.got("cancel ok")
		if len(s.ends) != 1 || s.ends[0].fault != nil {
			t.Errorf("%s: the startup is not cancelled: %v", arguments, s.ends)
		}
	}
	// Until Envoy runs, and not after: whoever cancels means what is shown.
	for _, state := range []state{statePreparing, stateWaiting, stateConfiguring, stateConfigured, stateRunning} {
		s := ready(t)
		s.client("attach")
		s.router.begin(&fakeSequence{}, breakpoints.NewExplainer("", nil), true)
		s.router.state = state
		s.client(`cancel {"progressId":"mine"}`)
		if ended := len(s.ends) == 1; ended != (state < stateRunning) {
			t.Errorf("%v: the session is ended: %v", state, ended)
		}
	}
	// A request at lldb-dap, by the number it has there.
	s := plain(t)
	pending := s.client("evaluate")
	s.client(fmt.Sprintf(`cancel {"requestId":%d}`, pending))
	if got := s.lldb.calls[2].m; got.Name != "cancel" || got.Get("arguments.requestId").Int() != 2 {
		t.Errorf("lldb-dap gets %s", got.Raw)
	}
	// Nothing: a hint that comes to nothing is no error.
	s = ready(t)
	s.client("cancel")
	s.got("cancel ok")
}

// The agent of a session can be ended once there is one, and the answer says that nothing
// is left.
func TestStoppingTheAgent(t *testing.T) {
	s := plain(t)
	s.client("stopAgent")
	s.got("stopAgent ED1322")

	s = ready(t)
	s.client("attach")
	agent := &fakeSequence{}
	s.router.begin(agent, breakpoints.NewExplainer("", nil), false)
	s.flush()
	s.sent = nil
	s.client("stopAgent")
	s.got("stopAgent ED1322")
	agent.started = true
	s.client("stopAgent")
	s.got()
	if len(s.ends) != 1 || s.ends[0].atEnd != config.AtEndEnd {
		t.Fatalf("%+v", s.ends)
	}
	opened, _ := s.router.over(nil)
	s.router.finish(opened, nil, nil, 0)
	s.got("attach ED1312", "stopAgent ok")
}

func TestDisconnectLeavesEnvoyOnlyIfAskedTo(t *testing.T) {
	for arguments, atEnd := range map[string]string{`{}`: "", `{"terminateDebuggee":true}`: config.AtEndEnd, `{"terminateDebuggee":false}`: config.AtEndRun,
		`{"terminateDebuggee":false,"suspendDebuggee":true}`: config.AtEndKeepStopped, `{"terminateDebuggee":true,"suspendDebuggee":true}`: config.AtEndEnd} {
		s := ready(t)
		s.client("attach")
		s.router.begin(&fakeSequence{}, breakpoints.NewExplainer("", nil), true)
		s.router.state = stateConfiguring
		s.client("disconnect " + arguments)
		if len(s.ends) != 1 || s.ends[0].atEnd != atEnd {
			t.Errorf("disconnect %s: %+v", arguments, s.ends)
		}
	}
}

// Any order of requests, answers, deaths and events: one answer to each request.
func TestEveryRequestGetsExactlyOneAnswer(t *testing.T) {
	commands := []string{"initialize", "launch", "attach", "setBreakpoints", "setFunctionBreakpoints", "setExceptionBreakpoints",
		"configurationDone", "threads", "evaluate", "cancel", `cancel {"requestId":3}`, "restart", "startAgent", "terminate", "unheardOf",
		`setBreakpoints {"source":{"path":"/a.cc"},"breakpoints":[{"line":2}]}`}
	for seed := range uint64(1000) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		s := newStage(t)
		session := &Session{router: s.router}
		var waits sync.WaitGroup
		seq := &fakeSequence{}
		answered := map[int]bool{}
		var story []string
		for range rnd.IntN(40) {
			step := rnd.IntN(10)
			if step < 6 {
				c := commands[rnd.IntN(len(commands))]
				story = append(story, c)
				s.client(c)
				continue
			}
			n := 0
			if len(s.lldb.calls) > 0 {
				n = rnd.IntN(len(s.lldb.calls))
			}
			switch {
			case step == 6 && s.router.state == stateInitializing:
				story = append(story, "(lldb-dap is there)")
				s.router.use(s.lldb)
				s.router.initialized(s.initializing, s.message(`{"seq":0,"type":"response","request_seq":1,"command":"initialize","success":true,"body":{}}`))
			case step == 6 && s.router.state == statePreparing && rnd.IntN(2) == 0:
				story = append(story, "(plain)")
				s.router.plain(s.opening, breakpoints.NewExplainer("", nil))
			case step == 6 && s.router.state == statePreparing:
				story = append(story, "(startup)")
				s.router.begin(seq, breakpoints.NewExplainer("", nil), true)
				_ = session.Attach(dapio.NewRequest("attach", nil), func(a *dapio.Message, err error) {
					if err == nil {
						waits.Go(func() { session.AttachAnswered(a) })
					}
				})
			case step == 6 && s.router.state == stateWaiting:
				story = append(story, "(attached)")
				session.Attached()
			case step == 6 && s.router.state == stateConfigured:
				story = append(story, "(go)")
				session.Go()
			case step == 7 && len(s.lldb.calls) > 0 && !answered[n]:
				story = append(story, fmt.Sprintf("(answer %d)", n))
				answered[n] = true
				s.answer(n, `{"breakpoints":[{"id":1,"verified":true}]}`)
			case step == 8 && len(s.lldb.calls) > 0 && !answered[n]:
				story = append(story, fmt.Sprintf("(no answer to %d)", n))
				answered[n] = true
				s.lldb.calls[n].answer(nil, lldb.ErrGone)
			case step == 9:
				story = append(story, "(event)")
				s.event([]string{"initialized", "terminated", "stopped", "breakpoint"}[rnd.IntN(4)], `{"breakpoint":{"id":1}}`)
			}
		}
		waits.Wait()
		opened, _ := s.router.over(nil)
		for n, c := range s.lldb.calls {
			if !answered[n] {
				c.answer(nil, lldb.ErrGone)
			}
		}
		for _, answer := range seq.asked {
			answer(0, fault.NotManual("over"))
		}
		s.router.finish(opened, nil, nil, 0)
		s.flush()
		count := map[int64]int{}
		for _, m := range s.raw {
			if m.Type == dapio.Response {
				count[m.RequestSeq]++
			}
		}
		for n := int64(1); n <= s.seq; n++ {
			if count[n] != 1 {
				t.Fatalf("seed %d: request %d has %d answers\n%s", seed, n, count[n], strings.Join(story, "\n"))
			}
		}
	}
}

// LLDB does not know at once that the process runs which it has resumed, and then cannot
// pause it.
func TestAPauseRightAfterTheStartWaitsUntilLLDBKnowsThatEnvoyRuns(t *testing.T) {
	s := ready(t)
	s.client("attach", "configurationDone")
	seq := &fakeSequence{}
	s.router.begin(seq, breakpoints.NewExplainer("", nil), false)
	session := &Session{router: s.router}
	if err := session.Attach(dapio.NewRequest("attach", nil), func(*dapio.Message, error) {}); err != nil {
		t.Fatal(err)
	}
	session.Attached()
	session.Go()
	s.client("pause")
	if got := s.lldb.asked(); strings.HasSuffix(got, "pause") || len(seq.noticed) != 1 {
		t.Fatalf("lldb-dap has got %q, and %d have asked whether it knows", got, len(seq.noticed))
	}
	seq.noticed[0]()
	if got := s.lldb.asked(); !strings.HasSuffix(got, "pause") {
		t.Errorf("lldb-dap has got %q", got)
	}
	// Later on nobody has to ask.
	s.event("stopped", `{"reason":"breakpoint"}`)
	s.client("pause")
	if got := s.lldb.asked(); !strings.HasSuffix(got, "pause pause") || len(seq.noticed) != 1 {
		t.Errorf("lldb-dap has got %q", got)
	}
}
