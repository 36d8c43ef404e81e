//go:build linux

package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/internal/process"
)

// bound is how long anything in these tests may take.
const bound = 20 * time.Second

const testSession = "0a1b2c3d"

// client is an adapter with all it has been told.
type client struct {
	*helper.Client
	t      *testing.T
	ctx    context.Context
	hello  helper.HelloResult
	mayDie bool // the test kills the helper

	mu   sync.Mutex
	news sync.Cond
	log  []any // helper.OutputParams, GateParams, ExitParams in order
}

// open starts a helper, in a process of its own, and says hello.
func openSession(t *testing.T) *client {
	t.Helper()
	return openWith(t, nil)
}

// openWith calls onOutput, when not nil, before keeping each piece of output.
func openWith(t *testing.T, onOutput func()) *client {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*bound)
	t.Cleanup(cancel)
	c := &client{t: t, ctx: ctx}
	c.news.L = &c.mu
	cl, err := helper.Start(ctx, actor(t, "helper"), helper.Handlers{
		Output: func(p helper.OutputParams) {
			if onOutput != nil {
				onOutput()
			}
			c.told(p)
		},
		Gate: func(p helper.GateParams) { c.told(p) },
		Exit: func(p helper.ExitParams) { c.told(p) },
	})
	if err != nil {
		t.Fatal(err)
	}
	c.Client = cl
	t.Cleanup(func() {
		// Also a data race in the helper shows here, as exit status 66.
		if err := cl.Close(); err != nil && !c.mayDie {
			t.Errorf("the helper did not end well: %v", err)
		}
		if t.Failed() {
			c.mu.Lock()
			defer c.mu.Unlock()
			for _, e := range c.log {
				if _, ok := e.(helper.OutputParams); !ok {
					t.Logf("told: %T %+v", e, e)
				}
			}
			for _, stream := range []string{"stdout", "stderr"} {
				text := c.outputHeld(stream)
				t.Logf("%s, %d bytes, at the end: %q", stream, len(text), text[max(0, len(text)-2000):])
			}
		}
	})
	if c.hello, err = cl.Hello(ctx, helper.HelloParams{Protocol: helper.Protocol, Session: testSession}); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *client) told(e any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log = append(c.log, e)
	c.news.Broadcast()
}

// await returns the first thing told, from the beginning, that want accepts.
func await[E any](c *client, what string, want func(E) bool) E {
	c.t.Helper()
	late := time.AfterFunc(bound, func() { c.told(errLate{}) })
	defer late.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := 0; ; i++ {
		for i == len(c.log) {
			c.news.Wait()
		}
		switch e := c.log[i].(type) {
		case E:
			if want(e) {
				return e
			}
		case errLate:
			c.mu.Unlock()
			defer c.mu.Lock()
			c.t.Fatalf("not told within %s: %s", bound, what)
		}
	}
}

type errLate struct{}

func (c *client) gate(state helper.GateState) helper.GateParams {
	c.t.Helper()
	return await(c, "gate "+string(state), func(p helper.GateParams) bool { return p.State == state })
}

// gateOther is gate for another process than those named.
func (c *client) gateOther(state helper.GateState, than ...int) helper.GateParams {
	c.t.Helper()
	return await(c, "another gate "+string(state), func(p helper.GateParams) bool {
		return p.State == state && !slices.Contains(than, p.PID)
	})
}

// gates are the states told so far, with the PIDs.
func (c *client) gates() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var b strings.Builder
	for _, e := range c.log {
		if p, ok := e.(helper.GateParams); ok {
			fmt.Fprintf(&b, "%s %d\n", p.State, p.PID)
		}
	}
	return b.String()
}

func (c *client) exit(what string) helper.ExitParams {
	c.t.Helper()
	return await(c, what+" exit", func(p helper.ExitParams) bool { return p.What == what })
}

// output is all that came on a stream so far.
func (c *client) output(stream string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.outputHeld(stream)
}

// outputHeld is output for who holds mu.
func (c *client) outputHeld(stream string) string {
	var b bytes.Buffer
	for _, e := range c.log {
		if o, ok := e.(helper.OutputParams); ok && o.Stream == stream {
			b.Write(o.Data)
		}
	}
	return b.String()
}

// envoy waits for what Envoy says of itself.
func (c *client) envoy() selfReport {
	c.t.Helper()
	return c.envoyThat("Envoy's report of itself", func(selfReport) bool { return true })
}

// envoyOf waits for what the Envoy with that PID says of itself.
func (c *client) envoyOf(pid int) selfReport {
	c.t.Helper()
	return c.envoyThat("the report of Envoy "+itoa(pid), func(r selfReport) bool { return r.PID == pid })
}

func (c *client) envoyThat(what string, want func(selfReport) bool) selfReport {
	c.t.Helper()
	var found selfReport
	await(c, what, func(helper.OutputParams) bool {
		for line := range strings.Lines(c.outputHeld("stdout")) {
			text, ok := strings.CutPrefix(line, "ENVOY ")
			if !ok || !strings.HasSuffix(line, "\n") {
				continue
			}
			var r selfReport
			if err := json.Unmarshal([]byte(text), &r); err != nil {
				c.t.Errorf("%v in %q", err, text)
			}
			if want(r) {
				found = r
				return true
			}
		}
		return false
	})
	return found
}

// start starts the agent with a script of playAgent.
func (c *client) start(p helper.AgentStartParams, script ...string) int {
	c.t.Helper()
	p.Command = append([]string{actor(c.t, "agent")}, script...)
	r, err := c.AgentStart(c.ctx, p)
	if err != nil {
		c.t.Fatal(err)
	}
	return r.PID
}

// startGated starts the agent with the gate before a fresh Envoy, whose path it
// returns.
func (c *client) startGated(env map[string]string, script ...string) string {
	c.t.Helper()
	envoy := actor(c.t, "real-envoy")
	c.start(helper.AgentStartParams{Gate: true, GateTimeout: bound.Milliseconds(), EnvoyPath: envoy, Env: env}, script...)
	return envoy
}

// trace attaches to pid, lets it run to its exec, and detaches there.
func trace(t *testing.T, pid int) {
	t.Helper()
	runtime.LockOSThread() // the tracer is a thread
	defer runtime.UnlockOSThread()
	if err := syscall.PtraceAttach(pid); err != nil {
		t.Fatalf("attach to %d: %v", pid, err)
	}
	for _, want := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGTRAP} {
		var ws syscall.WaitStatus
		if _, err := syscall.Wait4(pid, &ws, syscall.WALL, nil); err != nil {
			t.Fatalf("wait for %d: %v", pid, err)
		}
		if !ws.Stopped() || ws.StopSignal() != want {
			t.Fatalf("%d stopped with %v, want %v (status %#x)", pid, ws.StopSignal(), want, uint32(ws))
		}
		if want == syscall.SIGTRAP {
			if err := syscall.PtraceDetach(pid); err != nil {
				t.Fatalf("detach: %v", err)
			}
		} else if err := syscall.PtraceCont(pid, 0); err != nil {
			t.Fatalf("continue: %v", err)
		}
	}
}

// send sends a signal to a process that must be there.
func send(t *testing.T, pid int, sig syscall.Signal) {
	t.Helper()
	if err := witness(t, pid)[0].Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// witnesses hold on to processes, to see them end.
type witnesses process.Handles

func witness(t *testing.T, pids ...int) witnesses {
	t.Helper()
	var ws witnesses
	for _, pid := range pids {
		h, err := process.Open(pid)
		if err != nil {
			t.Fatalf("process %d: %v", pid, err)
		}
		ws = append(ws, h)
	}
	t.Cleanup(process.Handles(ws).Close)
	return ws
}

func (ws witnesses) mustEnd(t *testing.T, within time.Duration) {
	t.Helper()
	if process.Handles(ws).Wait(time.Now().Add(within)) {
		return
	}
	for _, h := range ws {
		if !h.Ended() {
			s, _ := process.Read(h.PID)
			t.Errorf("process %d (%s, state %c) still runs after %s", h.PID, exe(h.PID), s.State, within)
		}
	}
}

// nothingLeft fails when a process of any session still runs. PID 1 and this
// process are all there is besides in the namespace.
func nothingLeft(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(bound); ; {
		all, err := process.All()
		if err != nil {
			t.Fatal(err)
		}
		var left process.Handles
		var pids []int
		for pid, p := range all {
			if pid == 1 || pid == os.Getpid() {
				continue
			}
			if h, err := p.Open(); err == nil {
				left, pids = append(left, h), append(pids, pid)
			}
		}
		over := !left.Wait(deadline)
		left.Close()
		if len(pids) == 0 {
			return
		}
		if over {
			t.Fatalf("still there: %s", describe(pids))
		}
	}
}

// traceToExit attaches to pid, lets it run and sees it end.
func traceToExit(t *testing.T, pid int) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := syscall.PtraceAttach(pid); err != nil {
		t.Fatalf("attach to %d: %v", pid, err)
	}
	var ws syscall.WaitStatus
	if _, err := syscall.Wait4(pid, &ws, syscall.WALL, nil); err != nil {
		t.Fatalf("wait for %d: %v", pid, err)
	}
	if err := syscall.PtraceCont(pid, 0); err != nil {
		t.Fatalf("continue: %v", err)
	}
	if _, err := syscall.Wait4(pid, &ws, syscall.WALL, nil); err != nil || !ws.Exited() {
		t.Fatalf("want the end of %d, got status %#x, %v", pid, uint32(ws), err)
	}
}
