//go:build linux

package server

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/helper/link"
	"github.com/envoydbg/envoydbg/internal/process"
)

// place is a folder that daemons are given, and the helper's program.
type place struct {
	t       *testing.T
	dir     string
	program string
	wrap    []string // what the helper is run by
}

func newPlace(t *testing.T) *place {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "place-") // short, for the sockets, and open to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	return &place{t: t, dir: dir, program: actor(t, "helper")}
}

// execution is one run of the helper's command line, as an exec into a pod would be.
type execution struct {
	*exec.Cmd
	in     *bufio.Reader
	out    io.ReadCloser
	stdin  io.WriteCloser
	stderr bytes.Buffer
	ended  chan struct{} // closed when it has been reaped
}

func (p *place) exec(args ...string) (*execution, error) {
	words := append(append([]string{}, p.wrap...), append([]string{p.program}, args...)...)
	e := &execution{Cmd: exec.Command(words[0], words[1:]...), ended: make(chan struct{})}
	e.Stderr = &e.stderr
	stdin, err := e.StdinPipe()
	if err != nil {
		return nil, err
	}
	r, w, err := os.Pipe() // not StdoutPipe: Wait would close it under the reader
	if err != nil {
		return nil, err
	}
	e.Stdout = w
	err = e.Start()
	w.Close()
	if err != nil {
		r.Close()
		return nil, err
	}
	e.in, e.out, e.stdin = bufio.NewReaderSize(r, 64<<10), r, stdin
	go func() {
		_ = e.Wait()
		close(e.ended)
	}()
	return e, nil
}

func (e *execution) Read(b []byte) (int, error)  { return e.in.Read(b) }
func (e *execution) Write(b []byte) (int, error) { return e.stdin.Write(b) }
func (e *execution) Close() error                { return errors.Join(e.stdin.Close(), e.out.Close()) }

// mustEnd fails unless it ends in time.
func (e *execution) mustEnd(t *testing.T) {
	t.Helper()
	select {
	case <-e.ended:
	case <-time.After(bound):
		t.Fatalf("%v has not ended; stderr: %s", e.Args, e.stderr.String())
	}
}

// serve starts a daemon; the error is what it tells.
func (p *place) serve(session string, more ...string) (helper.Status, error) {
	p.t.Helper()
	e, err := p.exec(append([]string{"serve", "--dir", p.dir, "--session", session}, more...)...)
	if err != nil {
		p.t.Fatal(err)
	}
	status, err := helper.ReadStatus(e.in)
	if err == nil {
		e.mustEnd(p.t) // although its stdin is open
	}
	_ = e.Close()
	e.mustEnd(p.t)
	return status, err
}

// reached is an adapter that reaches a daemon by connect.
type reached struct {
	*client
	link *link.Conn

	mu     sync.Mutex
	last   *execution
	down   bool // no further transport is made
	cuts   int
	resume chan struct{} // one for each time it goes on
}

// openDaemon starts a daemon and says hello to it.
func openDaemon(t *testing.T, p *place, more ...string) (*reached, helper.Status) {
	t.Helper()
	status, err := p.serve(testSession, append([]string{"--who", "ann@laptop"}, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*bound)
	t.Cleanup(cancel)
	r := &reached{client: &client{t: t, ctx: ctx}, resume: make(chan struct{}, 1000)}
	r.client.news.L = &r.client.mu
	r.link, err = link.Connect(ctx, link.ClientOptions{Session: testSession, Token: status.Token, Who: "ann@laptop",
		Reconnect: bound,
		Dial: func(ctx context.Context) (io.ReadWriteCloser, error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.down {
				return nil, errors.New("the network is down")
			}
			return helper.Place{Dir: p.dir, Session: testSession, Run: func(_ context.Context, args ...string) (io.ReadWriteCloser, error) {
				var err error
				r.last, err = p.exec(args...)
				return r.last, err
			}}.Dial(ctx)
		},
		Cut:     func(error) { r.mu.Lock(); r.cuts++; r.mu.Unlock() },
		Resumed: func(time.Duration) { r.resume <- struct{}{} },
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Client, err = helper.NewClient(r.link, helper.Handlers{
		Output: func(p helper.OutputParams) { r.told(p) },
		Gate:   func(p helper.GateParams) { r.told(p) },
		Exit:   func(p helper.ExitParams) { r.told(p) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Client.Close() })
	if r.hello, err = r.Hello(ctx, helper.HelloParams{Protocol: helper.Protocol, Session: testSession}); err != nil {
		t.Fatal(err)
	}
	return r, status
}

// cut kills what carries the bytes.
func (r *reached) cut() {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = r.last.Process.Kill()
}

// cutAndBack is cut, and waits until the stream goes on.
func (r *reached) cutAndBack() {
	r.t.Helper()
	r.cut()
	select {
	case <-r.resume:
	case <-time.After(bound):
		r.t.Fatal("the stream was not resumed")
	}
}

func (r *reached) network(up bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down = !up
}

// gone fails unless nothing of any daemon is left in the place.
func (p *place) gone() {
	p.t.Helper()
	nothingLeft(p.t)
	entries, err := os.ReadDir(p.dir)
	if err != nil || len(entries) > 0 {
		p.t.Errorf("left in the place: %v, %v", entries, err)
	}
}

// The whole life of a session whose stream is cut after each step.
func TestASessionOutlivesTheStreamsThatCarryIt(t *testing.T) {
	p := newPlace(t)
	c, status := openDaemon(t, p)
	daemon, err := process.Read(status.PID)
	if err != nil || daemon.Session != status.PID || daemon.Parent != 1 {
		t.Errorf("the daemon is %+v, %v; want a session of its own and PID 1 for a parent", daemon, err)
	}
	if in, err := os.Readlink("/proc/" + itoa(status.PID) + "/fd/0"); in != "/dev/null" {
		t.Errorf("its stdin is %s, %v", in, err)
	}
	for path, mode := range map[string]os.FileMode{filepath.Join(status.Dir, "link"): 0o700, filepath.Join(p.dir, "session.lock"): 0o600} {
		if st, err := os.Stat(path); err != nil || st.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", path, st.Mode(), err)
		}
	}
	if c.hello.Lease != (5*time.Minute+30*time.Second).Milliseconds() || c.hello.Dir != status.Dir {
		t.Errorf("hello: %+v", c.hello)
	}
	c.cutAndBack()
	c.startGated(nil, "say:hello", "envoy", "wait")
	c.cutAndBack()
	pid := c.gate(helper.GateWaiting).PID
	c.cut() // and while it is cut off the process is traced and goes on
	trace(t, pid)
	c.gate(helper.GatePassed)
	if r := c.envoy(); r.PID != pid {
		t.Errorf("Envoy is %d, %d was at the gate", r.PID, pid)
	}
	<-c.resume
	c.cut()
	if info, err := c.Process(c.ctx, helper.ProcessParams{PID: pid}); err != nil || !info.Ours {
		t.Errorf("asked while it was cut off: %+v, %v", info, err)
	}
	<-c.resume
	c.cut()
	if r, err := c.End(c.ctx); err != nil || len(r.Left) > 0 {
		t.Errorf("end: %+v, %v", r, err)
	}
	c.exit("agent")
	if got := c.output("stderr"); got != "hello\n" {
		t.Errorf("stderr: %q", got)
	}
	if err := c.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	p.gone()
}

func TestASecondSessionIsToldWhoHasThePlace(t *testing.T) {
	p := newPlace(t)
	before := time.Now()
	c, _ := openDaemon(t, p)
	_, err := p.serve("11111111", "--who", "bob@desk")
	var taken *helper.StatusError
	if !errors.As(err, &taken) || taken.Problem != helper.ProblemTaken || taken.Who != "ann@laptop" || taken.Since.Before(before) || taken.Since.After(time.Now()) {
		t.Errorf("a second session: %+v, %v", taken, err)
	}
	_ = c.Close()
	nothingLeft(t)
	again, err := p.serve("11111111", "--lease", "1ms")
	if err != nil || again.PID == 0 {
		t.Errorf("after the end of the first: %+v, %v", again, err)
	}
	p.gone()
}

// What a killed daemon has left does not stay, and does not stand in the way.
func TestTheNextSessionCleansUpAfterADaemonThatWasKilled(t *testing.T) {
	p := newPlace(t)
	c, status := openDaemon(t, p)
	c.network(false)
	c.start(helper.AgentStartParams{Env: map[string]string{"ENVOY": actor(t, "real-envoy")}}, "envoy", "stay")
	envoy := witness(t, c.envoy().PID)
	both := witness(t, status.PID, c.hello.PID)
	// Both at once, as the kernel does when memory is short: neither sees the other go.
	for _, h := range both {
		if err := h.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
	}
	for _, h := range both {
		if err := h.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	both.mustEnd(t, bound)
	_, err := p.exec("connect", "--dir", p.dir, "--session", testSession, "--protocol", itoa(helper.Protocol))
	if err != nil {
		t.Fatal(err)
	}
	next, err := p.serve("11111111", "--lease", "1ms")
	if err != nil || next.PID == 0 {
		t.Fatalf("the next session: %+v, %v", next, err)
	}
	envoy.mustEnd(t, 0)
	_ = c.Close()
	p.gone()
}

func TestWhicheverProcessOfADaemonIsKilledNothingIsLeft(t *testing.T) {
	for _, which := range []string{"supervisor", "session"} {
		t.Run(which, func(t *testing.T) {
			p := newPlace(t)
			c, status := openDaemon(t, p)
			c.startGated(map[string]string{"ENVOY_DEAF": "1"}, "deaf", "envoy", "stay")
			trace(t, c.gate(helper.GateWaiting).PID)
			c.envoy()
			pid := map[string]int{"supervisor": status.PID, "session": c.hello.PID}[which]
			send(t, pid, syscall.SIGKILL)
			select {
			case <-c.Done():
			case <-time.After(bound):
				t.Error("the client has not noticed")
			}
			if which == "session" {
				// The client learns at once that there is nothing to come back to.
				var gone *helper.StatusError
				if err := c.Err(); !errors.As(err, &gone) || gone.Problem != helper.ProblemNoSession {
					t.Errorf("the client says: %v", err)
				}
			}
			p.gone()
		})
	}
}

func TestTheLeaseEndsEverything(t *testing.T) {
	p := newPlace(t)
	c, _ := openDaemon(t, p, "--lease", "500ms")
	c.start(helper.AgentStartParams{Env: map[string]string{"ENVOY": actor(t, "real-envoy")}}, "envoy", "stay")
	c.envoy()
	time.Sleep(time.Second) // the lease does not run while the client is there
	c.cutAndBack()
	c.network(false)
	c.cut()
	p.gone()
	c.network(true)
	<-c.Done()
	var gone *helper.StatusError
	if err := c.Err(); !errors.As(err, &gone) || gone.Problem != helper.ProblemNoSession {
		t.Errorf("the client says: %v", err)
	}
}

// An agent whose reader is cut off goes on, and its newest output is kept.
func TestAnAgentDoesNotWaitForAClientThatIsCutOff(t *testing.T) {
	const printed = 20 << 20
	p := newPlace(t)
	c, _ := openDaemon(t, p)
	done := filepath.Join(t.TempDir(), "done")
	c.network(false)
	agent := c.start(helper.AgentStartParams{Env: map[string]string{"AGENT_DONE": done}}, "print:100", "sync", "print:"+itoa(printed), "done", "stay")
	await(c.client, "the first output", func(helper.OutputParams) bool { return c.outputHeld("stdout") != "" })
	c.cut()
	for deadline := time.Now().Add(bound); ; time.Sleep(10 * time.Millisecond) {
		c.mu.Lock()
		cuts := c.cuts
		c.mu.Unlock()
		if cuts > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the cut was not noticed")
		}
	}
	send(t, agent, syscall.SIGUSR1)
	for deadline := time.Now().Add(bound); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(done); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the agent waits for a client that is not there")
		}
	}
	c.network(true)
	<-c.resume
	await(c.client, "the last line", func(p helper.OutputParams) bool { return bytes.HasSuffix(p.Data, []byte("020971500\n")) })
	if said := c.output("stderr"); strings.Count(said, "bytes of output are missing here") != 1 {
		t.Errorf("stderr: %q", said)
	}
	if n := len(c.output("stdout")); n < storeKept-100_000 || n > printed {
		t.Errorf("%d bytes came, of %d, of which %d are kept", n, printed, storeKept)
	}
	if _, err := c.End(c.ctx); err != nil {
		t.Error(err)
	}
	_ = c.Close()
	p.gone()
}

// While the client is there, nothing is dropped however slowly it reads.
func TestAConnectedClientMissesNoOutput(t *testing.T) {
	const printed = 20 << 20
	p := newPlace(t)
	c, _ := openDaemon(t, p)
	c.start(helper.AgentStartParams{}, "print:"+itoa(printed), "exit:0")
	c.exit("agent")
	if n := len(c.output("stdout")); n != (printed+99)/100*100 {
		t.Errorf("%d bytes came", n)
	}
	_ = c.Close()
	p.gone()
}

func TestAnotherViewerSeesTheOutputFromTheStart(t *testing.T) {
	p := newPlace(t)
	c, _ := openDaemon(t, p)
	c.start(helper.AgentStartParams{}, "print:100", "say:oops", "sync", "print:200", "exit:0")
	await(c.client, "both streams", func(helper.OutputParams) bool {
		return c.outputHeld("stdout") != "" && c.outputHeld("stderr") != ""
	})
	now, err := p.exec("logs", "--dir", p.dir)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(now)
	now.mustEnd(t)
	if len(text) != 100 || now.stderr.String() != "oops\n" {
		t.Errorf("what there is: %q, %q", text, now.stderr.String())
	}
	follow, err := p.exec("logs", "--dir", p.dir, "--follow")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(follow, make([]byte, 100)); err != nil {
		t.Error(err)
	}
	all, err := process.All()
	if err != nil {
		t.Fatal(err)
	}
	for pid := range all {
		if filepath.Base(exe(pid)) == "agent" {
			send(t, pid, syscall.SIGUSR1)
		}
	}
	if _, err := io.ReadFull(follow, make([]byte, 200)); err != nil {
		t.Error(err)
	}
	c.exit("agent")
	_ = c.Close()
	if rest, err := io.ReadAll(follow); err != nil || len(rest) > 0 {
		t.Errorf("the end: %q, %v", rest, err)
	}
	follow.mustEnd(t)
	p.gone()
}

func TestWhatWasReleasedRunsOnWithoutTheClient(t *testing.T) {
	p := newPlace(t)
	c, _ := openDaemon(t, p, "--lease", "300ms")
	agent := c.start(helper.AgentStartParams{}, "say:here", "stay")
	if _, err := c.Release(c.ctx); err != nil {
		t.Fatal(err)
	}
	c.network(false)
	_ = c.Close()
	time.Sleep(time.Second)
	runs := witness(t, agent)
	if runs[0].Ended() {
		t.Fatal("the agent has ended")
	}
	if _, err := p.serve("11111111"); err == nil {
		t.Error("the place was given to another session")
	}
	send(t, agent, syscall.SIGTERM)
	p.gone()
}

func TestConnectSaysWhatIsWrong(t *testing.T) {
	p := newPlace(t)
	connect := func(user int, place, session string, protocol int) (helper.Problem, string) {
		t.Helper()
		q := *p
		if user != 0 {
			q.wrap = []string{"setpriv", "--reuid=" + itoa(user), "--clear-groups"}
		}
		e, err := q.exec("connect", "--dir", place, "--session", session, "--protocol", itoa(protocol))
		if err != nil {
			t.Fatal(err)
		}
		// Input is pending, as of a client that has begun before it has read the answer.
		go func() { _, _ = e.Write(make([]byte, 1<<20)) }()
		_, err = helper.ReadStatus(e.in)
		_ = e.Close()
		e.mustEnd(t)
		var told *helper.StatusError
		if !errors.As(err, &told) {
			t.Fatalf("%v; stderr: %s", err, e.stderr.String())
		}
		return told.Problem, told.Text
	}
	nobody := filepath.Join(p.dir, "nobody")
	if is, text := connect(0, nobody, testSession, helper.Protocol); is != helper.ProblemNoSession {
		t.Errorf("nobody there: %s, %s", is, text)
	}
	c, _ := openDaemon(t, p)
	if is, text := connect(0, p.dir, "11111111", helper.Protocol); is != helper.ProblemTaken {
		t.Errorf("another session: %s, %s", is, text)
	}
	if is, text := connect(0, p.dir, testSession, helper.Protocol+1); is != helper.ProblemVersion {
		t.Errorf("another version: %s, %s", is, text)
	}
	if os.Getuid() == 0 {
		if is, text := connect(1337, p.dir, testSession, helper.Protocol); is != helper.ProblemUser {
			t.Errorf("another user: %s, %s", is, text)
		}
	}
	if is, text := connect(0, "relative", testSession, helper.Protocol); is != helper.ProblemFailed {
		t.Errorf("a bad place: %s, %s", is, text)
	}
	_ = c.Close()
	p.gone()
}

func TestServeSaysWhyItCannotStart(t *testing.T) {
	p := newPlace(t)
	for _, args := range [][]string{
		{"--dir", "relative", "--session", testSession},
		{"--dir", p.dir, "--session", "no hex"},
		{"--dir", p.dir, "--session", testSession, "--lease", "soon"},
		{"--dir", filepath.Join(p.dir, strings.Repeat("long", 30)), "--session", testSession},
		{"--dir", "/proc/1/nothing", "--session", testSession},
	} {
		e, err := p.exec(append([]string{"serve"}, args...)...)
		if err != nil {
			t.Fatal(err)
		}
		_, err = helper.ReadStatus(e.in)
		_ = e.Close()
		e.mustEnd(t)
		var told *helper.StatusError
		if !errors.As(err, &told) || told.Text == "" {
			t.Errorf("%v: %v", args, err)
		}
	}
	p.gone()
}

// A transport that nobody reads any more does not leave its process behind.
func TestAConnectThatNobodyReadsEndsWhenItIsReplaced(t *testing.T) {
	p := newPlace(t)
	c, _ := openDaemon(t, p)
	c.mu.Lock()
	first := c.last
	c.mu.Unlock()
	// Another process holds the ends of its streams open, as a node does whose API
	// server has gone.
	in, out := first.stdin.(*os.File), first.out.(*os.File)
	kept, err := syscall.Dup(int(in.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(kept)
	keptOut, err := syscall.Dup(int(out.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(keptOut)
	_ = first.Close()
	select {
	case <-c.resume:
	case <-time.After(bound):
		t.Fatal("not resumed")
	}
	first.mustEnd(t)
	_ = c.Close()
	p.gone()
}

// End by command needs no answer of the daemon's processes.
func TestADaemonIsEndedByCommandWhicheverOfItsProcessesHangs(t *testing.T) {
	for _, which := range []string{"none", "session", "supervisor", "both"} {
		t.Run(which, func(t *testing.T) {
			p := newPlace(t)
			c, status := openDaemon(t, p)
			c.startGated(nil, "envoy", "stay")
			trace(t, c.gate(helper.GateWaiting).PID)
			envoy := witness(t, c.envoy().PID)
			for _, pid := range map[string][]int{"session": {c.hello.PID}, "supervisor": {status.PID}, "both": {c.hello.PID, status.PID}}[which] {
				send(t, pid, syscall.SIGSTOP)
				for s, err := process.Read(pid); s.State != 'T' && err == nil; s, err = process.Read(pid) {
					time.Sleep(time.Millisecond)
				}
			}
			there := helper.Place{Dir: p.dir, Session: "11111111", Run: func(_ context.Context, args ...string) (io.ReadWriteCloser, error) { return p.exec(args...) }}
			var told *helper.StatusError
			if err := there.End(c.ctx); !errors.As(err, &told) || told.Problem != helper.ProblemTaken {
				t.Errorf("the end of another session: %v", err)
			}
			there.Session = testSession
			if err := there.End(c.ctx); err != nil {
				t.Errorf("end: %v", err)
			}
			envoy.mustEnd(t, 0)
			_ = c.Close()
			p.gone()
		})
	}
}

// In a container whose PID 1 is the helper, the orphans of other execs become its
// children. They are not the session's.
func TestAHelperThatIsPID1LeavesTheOrphansOfOthersAlone(t *testing.T) {
	p := newPlace(t)
	ctx, cancel := context.WithTimeout(t.Context(), 3*bound)
	defer cancel()
	cmd := exec.CommandContext(ctx, "unshare", "--pid", "--fork", "--kill-child", "--mount-proc", p.program, "stdio")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, ctx: ctx}
	c.news.L = &c.mu
	c.Client, err = helper.NewClient(struct {
		io.Reader
		io.WriteCloser
	}{out, in}, helper.Handlers{Output: func(p helper.OutputParams) { c.told(p) }, Exit: func(p helper.ExitParams) { c.told(p) }})
	if err != nil {
		t.Fatal(err)
	}
	hello, err := c.Hello(ctx, helper.HelloParams{Protocol: helper.Protocol, Session: testSession})
	if err != nil {
		t.Fatal(err)
	}
	if hello.PID == 1 {
		t.Error("PID 1 itself serves the session")
	}
	orphan := func(word string) witnesses {
		t.Helper()
		first := childOf(t, cmd.Process.Pid)
		b, err := exec.CommandContext(ctx, "nsenter", "--target", itoa(first), "--pid", "--mount", "--", "sh", "-c",
			"sleep 1000 </dev/null >/dev/null 2>&1 & echo "+word).CombinedOutput()
		if err != nil || strings.TrimSpace(string(b)) != word {
			t.Fatalf("nsenter: %v\n%s", err, b)
		}
		all, err := process.All()
		if err != nil {
			t.Fatal(err)
		}
		newest := 0
		for pid, s := range all {
			if s.Parent == first && filepath.Base(exe(pid)) == "sleep" && pid > newest {
				newest = pid
			}
		}
		if newest == 0 {
			t.Fatal("the orphan is no child of the namespace's PID 1")
		}
		return witness(t, newest)
	}
	before := orphan("before")
	c.start(helper.AgentStartParams{}, "say:here", "stay") // not busy
	await(c, "the agent's word", func(helper.OutputParams) bool { return c.outputHeld("stderr") == "here\n" })
	after := orphan("after")
	if r, err := c.End(ctx); err != nil || len(r.Left) > 0 {
		t.Errorf("end: %+v, %v", r, err)
	}
	c.exit("agent")
	for _, h := range append(before, after...) {
		if h.Ended() {
			t.Errorf("process %d of somebody else was ended", h.PID)
		}
	}
	_ = c.Close()
	if err := cmd.Wait(); err != nil {
		t.Errorf("PID 1 ended with %v", err)
	}
	before.mustEnd(t, bound) // with their namespace
	p.gone()
}

// childOf is the only child of a process.
func childOf(t *testing.T, parent int) int {
	t.Helper()
	all, err := process.All()
	if err != nil {
		t.Fatal(err)
	}
	for pid, s := range all {
		if s.Parent == parent {
			return pid
		}
	}
	t.Fatalf("%d has no child", parent)
	return 0
}

// As PID 1, serve stays for as long as its daemon.
func TestADaemonUnderAHelperThatIsPID1(t *testing.T) {
	p := newPlace(t)
	cmd := exec.Command("unshare", "--pid", "--fork", "--kill-child", "--mount-proc", p.program, "serve", "--dir", p.dir,
		"--session", testSession, "--lease", "1s")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if _, err := helper.ReadStatus(bufio.NewReaderSize(out, 64<<10)); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || time.Since(began) < time.Second {
		t.Errorf("ended after %v: %v", time.Since(began), err)
	}
	p.gone()
}
