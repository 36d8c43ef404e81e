//go:build linux

package server

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/internal/process"
)

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
// A session that has been told to end is gone a moment later; its client does not have to
// wait for that.
func TestTheNextSessionMayBeginAtOnce(t *testing.T) {
	p := newPlace(t)
	p.dir = filepath.Join(p.dir, "session") // made by the first, removed by the last
	for range 20 {
		c, _ := openDaemon(t, p)
		if r, err := c.End(c.ctx); err != nil || len(r.Left) > 0 {
			t.Fatalf("end: %+v, %v", r, err)
		}
		if err := c.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	p.gone()
}

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

// A client that has asked for the end and is gone before the answer comes does not keep
// the place for its lease.
func TestAClientThatDoesNotWaitForTheEndLeavesThePlace(t *testing.T) {
	p := newPlace(t)
	c, _ := openDaemon(t, p)
	c.start(helper.AgentStartParams{Env: map[string]string{"ENVOY": actor(t, "real-envoy")}}, "envoy", "stay")
	c.envoy()
	if r, err := c.End(c.ctx); err != nil || len(r.Left) > 0 {
		t.Errorf("end: %+v, %v", r, err)
	}
	c.network(false)
	c.cut()
	p.gone()
	c.network(true)
	<-c.Done()
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
	if len(text) != 105 || !strings.Contains(string(text), "oops\n") {
		t.Errorf("what there is: %q", text)
	}
	follow, err := p.exec("logs", "--dir", p.dir, "--follow")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(follow, make([]byte, 105)); err != nil {
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
	_, err := p.serve("11111111")
	var taken *helper.StatusError
	if !errors.As(err, &taken) || taken.State != helper.StateRunning || taken.Left.Agent != agent || len(taken.Left.Command) == 0 {
		t.Errorf("another session is told %+v, %v", taken, err)
	}
	send(t, agent, syscall.SIGTERM)
	p.gone()
}

// Who has a place is told to everybody, and what was left there is ended by command.
func TestWhatWasReleasedIsSeenAndEndedByCommand(t *testing.T) {
	p := newPlace(t)
	run := func(args ...string) (helper.Status, error) {
		t.Helper()
		e, err := p.exec(append(args, "--dir", p.dir)...)
		if err != nil {
			t.Fatal(err)
		}
		s, err := helper.ReadStatus(e.in)
		_ = e.Close()
		e.mustEnd(t)
		return s, err
	}
	if s, err := run("status"); err != nil || s.State != "" {
		t.Errorf("an empty place: %+v, %v", s, err)
	}
	c, _ := openDaemon(t, p)
	agent := c.start(helper.AgentStartParams{Env: map[string]string{"ENVOY": actor(t, "real-envoy")}}, "envoy", "stay")
	c.envoy()
	if s, err := run("status"); err != nil || s.State != helper.StateSession || s.Who != "ann@laptop" || s.Session != testSession {
		t.Errorf("a session: %+v, %v", s, err)
	}
	if _, err := c.Release(c.ctx); err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	runs := witness(t, agent)
	if s, err := run("status"); err != nil || s.State != helper.StateRunning || s.Left.Agent != agent {
		t.Errorf("after it: %+v, %v", s, err)
	}
	var told *helper.StatusError
	if _, err := run("continue", "--session", testSession); !errors.As(err, &told) || told.Problem != helper.ProblemNotStopped {
		t.Errorf("nothing is stopped: %v", err)
	}
	if _, err := run("end", "--session", "11111111"); !errors.As(err, &told) || told.Problem != helper.ProblemTaken || runs[0].Ended() {
		t.Errorf("ended as another session: %v", err)
	}
	if _, err := run("end", "--session", testSession); err != nil {
		t.Errorf("end: %v", err)
	}
	runs.mustEnd(t, 0)
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
