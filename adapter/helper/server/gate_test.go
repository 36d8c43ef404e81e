//go:build linux

package server

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sourcegraph/jsonrpc2"

	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/helper/gate"
	"github.com/envoydbg/envoydbg/internal/process"
)

// Behind the gate Envoy must not be able to tell that there was one: same argv,
// same environment to the byte and the order, PID that stood at the gate.
func TestEnvoyBehindTheGateIsAsWithoutIt(t *testing.T) {
	for name, config := range map[string]*string{
		"PROXY_CONFIG absent": nil,
		"PROXY_CONFIG JSON":   ptr(`{"binaryPath":"/elsewhere","concurrency":2}`),
		"PROXY_CONFIG YAML":   ptr("concurrency: 2\nproxyMetadata:\n  A: \"1\"\n"),
	} {
		t.Run(name, func(t *testing.T) {
			envoy := actor(t, "real-envoy")
			env := map[string]string{"ENVOY": envoy, "ENVOY_EXIT": "3", "GODEBUG": "http2client=0"}
			if config != nil {
				env[gate.ProxyConfigEnv] = *config
			}
			gated := openSession(t)
			gated.start(helper.AgentStartParams{Gate: true, GateTimeout: bound.Milliseconds(), EnvoyPath: envoy, Env: env}, "envoy", "wait")
			waiting := gated.gate("waiting")
			if got, want := filepath.Base(exe(waiting.PID)), helper.GateBase(testSession); got != want {
				t.Errorf("the gate waits as %s, want %s", got, want)
			}
			trace(t, waiting.PID)
			with := gated.envoy()
			if passed := gated.gate("passed"); passed.PID != waiting.PID {
				t.Errorf("passed as pid %d, want %d", passed.PID, waiting.PID)
			}
			if exit := gated.exit("agent"); exit.Code != 3 || exit.Status != "exit status 3" {
				t.Errorf("the agent ended with %+v, want Envoy's 3", exit)
			}

			free := openSession(t)
			free.start(helper.AgentStartParams{EnvoyPath: envoy, Env: env}, "envoy-anyway", "wait")
			without := free.envoy()

			if with.PID != waiting.PID {
				t.Errorf("Envoy's pid %d is not the gate's %d", with.PID, waiting.PID)
			}
			if with.Exe != envoy || !slices.Equal(with.Args, without.Args) {
				t.Errorf("with the gate %s %q, without %s %q", with.Exe, with.Args, without.Exe, without.Args)
			}
			if !slices.Equal(with.Env, without.Env) {
				t.Errorf("environment with the gate\n%q\nwithout\n%q", with.Env, without.Env)
			}
		})
	}
}

func TestGateGivesUpWhenNobodyTracesIt(t *testing.T) {
	c := openSession(t)
	envoy := actor(t, "real-envoy")
	c.start(helper.AgentStartParams{Gate: true, GateTimeout: 50, EnvoyPath: envoy}, "envoy", "wait")
	waiting, timeout := c.gate("waiting"), c.gate("timeout")
	if waiting.PID != timeout.PID || !strings.Contains(timeout.Detail, "within 50 ms") {
		t.Errorf("waiting %+v, timeout %+v", waiting, timeout)
	}
	if exit := c.exit("agent"); exit.Code != gate.ExitTimeout {
		t.Errorf("the agent saw Envoy end with %+v, want %d", exit, gate.ExitTimeout)
	}
	if text := c.output("stderr"); !strings.Contains(text, "envoydbg gate: no debugger attached") {
		t.Errorf("stderr %q", text)
	}
}

func TestGateSaysWhyItCannotBecomeEnvoy(t *testing.T) {
	c := openSession(t)
	broken := filepath.Join(t.TempDir(), "real-envoy")
	if err := os.WriteFile(broken, []byte("neither ELF nor script"), 0o755); err != nil {
		t.Fatal(err)
	}
	c.start(helper.AgentStartParams{Gate: true, GateTimeout: bound.Milliseconds(), EnvoyPath: broken}, "envoy", "wait")
	waiting := c.gate("waiting")
	traceToExit(t, waiting.PID)
	failed := c.gate("failed")
	if failed.PID != waiting.PID || !strings.Contains(failed.Detail, broken) || !strings.Contains(failed.Detail, "exec format error") {
		t.Errorf("failed %+v", failed)
	}
	if exit := c.exit("agent"); exit.Code != gate.ExitFailed {
		t.Errorf("the agent saw Envoy end with %+v, want %d", exit, gate.ExitFailed)
	}
}

// Who ends at the gate, before the debugger has it, is not the last one: the agent
// starts Envoy again, and that one is debugged.
func TestARestartBeforeTheAttachIsDebugged(t *testing.T) {
	c := openSession(t)
	c.startGated(nil, "envoy", "restart")
	pid := c.gate("waiting").PID
	send(t, pid, 9)
	if ended := c.gate("ended"); ended.PID != pid || !strings.Contains(ended.Detail, "waits for the next one") {
		t.Errorf("ended %+v, want pid %d", ended, pid)
	}
	second := c.gateOther("waiting", pid)
	trace(t, second.PID)
	if passed := c.gate("passed"); passed.PID != second.PID {
		t.Errorf("passed %+v, want pid %d", passed, second.PID)
	}
	if got := c.envoy(); got.PID != second.PID || got.Args[1] != "--restart-epoch" {
		t.Errorf("Envoy is %+v, want pid %d", got, second.PID)
	}
}

// Two Envoys at once: the debugger would refuse two processes of one name, so the
// second has no name until the first is in the debugger's hands, and then goes on.
func TestASecondEnvoyPassesWhenTheFirstHas(t *testing.T) {
	c := openSession(t)
	c.startGated(map[string]string{"GODEBUG": "asyncpreemptoff=1"}, "envoy", "envoy", "stay") // which the gate sets itself
	first := c.gate("waiting").PID
	second := c.heldAtGate(first)
	if got := c.gates(); got != fmt.Sprintf("waiting %d\n", first) {
		t.Errorf("told before the first has passed:\n%s", got)
	}
	trace(t, first)
	open := c.gate("open")
	if open.PID != second || !strings.Contains(open.Detail, fmt.Sprintf("debugs the one with pid %d", first)) {
		t.Errorf("open %+v, want pid %d and the debugged one, %d", open, second, first)
	}
	if got := c.envoyOf(second); !slices.Equal(got.Args, c.envoyOf(first).Args) || !slices.Equal(got.Env, c.envoyOf(first).Env) {
		t.Errorf("the second Envoy is\n%+v\nthe first\n%+v", got, c.envoyOf(first))
	}
	if by, err := process.Tracer(second); by != 0 || err != nil {
		t.Errorf("the second is traced by %d, %v", by, err)
	}
}

func TestASecondEnvoyTakesThePlaceOfOneThatDied(t *testing.T) {
	c := openSession(t)
	c.startGated(nil, "envoy", "envoy", "stay")
	first := c.gate("waiting").PID
	second := c.heldAtGate(first)
	send(t, first, 9)
	c.gate("ended")
	if waiting := c.gateOther("waiting", first); waiting.PID != second {
		t.Errorf("waiting %+v, want pid %d", waiting, second)
	}
	trace(t, second)
	if passed := c.gate("passed"); passed.PID != second {
		t.Errorf("passed %+v, want pid %d", passed, second)
	}
}

// One that ends between its two steps, of which no connection tells, does not keep
// the place either.
func TestAnEndBetweenTheStepsIsSeen(t *testing.T) {
	c := openSession(t)
	c.startGated(nil, "visit", "envoy", "stay")
	ended := c.gate("ended")
	waiting := c.gate("waiting")
	if waiting.PID == ended.PID {
		t.Errorf("waiting %+v, ended %+v", waiting, ended)
	}
	trace(t, waiting.PID)
	c.gate("passed")
}

// heldAtGate waits for another process at the gate, before it has the name.
func (c *client) heldAtGate(than int) int {
	c.t.Helper()
	for deadline := time.Now().Add(bound); ; time.Sleep(5 * time.Millisecond) {
		all, _ := process.All()
		for pid := range all {
			if strings.HasPrefix(filepath.Base(exe(pid)), "start-") && pid != than && all.Top(c.hello.PID, pid) != 0 {
				return pid
			}
		}
		if time.Now().After(deadline) {
			c.t.Fatal("no second process at the gate")
		}
	}
}

// Envoy crashes in the debugger's hands and the agent starts it again, or a hot
// restart brings the next epoch: nobody holds it up.
func TestARestartAfterTheAttachRuns(t *testing.T) {
	c := openSession(t)
	c.startGated(nil, "envoy", "restart")
	first := c.gate("waiting").PID
	trace(t, first)
	c.gate("passed")
	send(t, first, 11)
	open := c.gate("open")
	if got := c.envoyOf(open.PID); got.Args[1] != "--restart-epoch" {
		t.Errorf("the second Envoy is %+v", got)
	}
}

// Once the session has its Envoy, another one may be started in any way.
func TestAfterTheAttachNothingIsABypass(t *testing.T) {
	c := openSession(t)
	envoy := actor(t, "real-envoy")
	c.start(helper.AgentStartParams{Gate: true, GateTimeout: bound.Milliseconds(), EnvoyPath: envoy, Env: map[string]string{"ENVOY": envoy}},
		"envoy", "wait-on", "envoy-anyway", "stay")
	first := c.gate("waiting").PID
	trace(t, first)
	c.gate("passed")
	send(t, first, syscall.SIGKILL)
	c.envoyThat("the second Envoy", func(r selfReport) bool { return r.PID != first })
	time.Sleep(500 * time.Millisecond) // more than it takes to be told
	if got := c.gates(); strings.Contains(got, "bypassed") {
		t.Errorf("told:\n%s", got)
	}
}

// What only asks Envoy something is answered at once, and is not the start.
func TestAQuestionIsNotTheStart(t *testing.T) {
	c := openSession(t)
	c.startGated(nil, "ask:--version", "ask:-c x --mode validate", "envoy", "stay")
	waiting := c.gate("waiting")
	var asked []string
	for line := range strings.Lines(c.gates()) {
		if pid, ok := strings.CutPrefix(line, "open "); ok {
			asked = append(asked, "ANSWER pid "+pid)
		}
	}
	if got := c.output("stdout"); len(asked) != 2 || got != strings.Join(asked, "") {
		t.Errorf("the answers are %q, let through were %q", got, asked)
	}
	if open := c.gate("open"); !strings.Contains(open.Detail, "--version") || !strings.Contains(open.Detail, "without the debugger") {
		t.Errorf("open %+v", open)
	}
	trace(t, waiting.PID)
	if passed := c.gate("passed"); passed.PID != waiting.PID {
		t.Errorf("passed %+v, want pid %d", passed, waiting.PID)
	}
}

// A question that does not come to the gate is no Envoy past it either.
func TestAQuestionBesideTheGateIsNoBypass(t *testing.T) {
	c := openSession(t)
	envoy := actor(t, "real-envoy")
	c.start(helper.AgentStartParams{Gate: true, GateTimeout: bound.Milliseconds(), EnvoyPath: envoy,
		Env: map[string]string{"ENVOY": envoy, "ENVOY_SLOW": "1"}}, "ask-anyway:--version", "envoy", "stay")
	waiting := c.gate("waiting")
	if got := c.gates(); got != fmt.Sprintf("waiting %d\n", waiting.PID) {
		t.Errorf("told:\n%s", got)
	}
	trace(t, waiting.PID)
	c.gate("passed")
}

// An agent that is Envoy, or becomes it by a name in PATH, comes to the gate; and
// Envoy cannot tell.
func TestAnAgentThatIsEnvoyComesToTheGate(t *testing.T) {
	envoy := actor(t, "real-envoy")
	copied := filepath.Join(t.TempDir(), "real-envoy-copy")
	writeEnvoy(t, copied, 1)
	env := map[string]string{"PATH": filepath.Dir(envoy) + ":" + os.Getenv("PATH")}
	for _, a := range []struct {
		name    string
		command []string
		exe     string
	}{
		{"Envoy itself", []string{envoy, "-c", "two words"}, envoy},
		{"by its name", []string{"real-envoy", "-c", "two words"}, envoy},
		{"a copy of it", []string{copied, "-c", "two words"}, copied},
		{"a shell's exec", []string{"/bin/sh", "-c", `exec "$@"`, "sh", "real-envoy", "-c", "two words"}, envoy},
		{"which", []string{"/bin/sh", "-c", `exec $(command -v real-envoy) -c "two words"`}, envoy},
	} {
		t.Run(a.name, func(t *testing.T) {
			gated := openSession(t)
			started, err := gated.AgentStart(gated.ctx, helper.AgentStartParams{Command: a.command, Gate: true, GateTimeout: bound.Milliseconds(),
				EnvoyPath: envoy, Env: env})
			if err != nil {
				t.Fatal(err)
			}
			waiting := gated.gate("waiting")
			if waiting.PID != started.PID {
				t.Errorf("at the gate is pid %d, want the agent's %d", waiting.PID, started.PID)
			}
			trace(t, waiting.PID)
			with := gated.envoy()

			free := openSession(t)
			if _, err := free.AgentStart(free.ctx, helper.AgentStartParams{Command: a.command, Env: env}); err != nil {
				t.Fatal(err)
			}
			without := free.envoy()
			if with.Exe != a.exe || without.Exe != a.exe || !slices.Equal(with.Args, without.Args) {
				t.Errorf("with the gate %s %q, without %s %q", with.Exe, with.Args, without.Exe, without.Args)
			}
			if !slices.Equal(with.Env, without.Env) {
				t.Errorf("environment with the gate\n%q\nwithout\n%q", with.Env, without.Env)
			}
		})
	}
}

// An agent that becomes Envoy past the gate is told within a second as what it is.
func TestAnAgentThatBecomesEnvoyBesideTheGateIsTold(t *testing.T) {
	envoy := actor(t, "real-envoy")
	copied := filepath.Join(t.TempDir(), "real-envoy-copy")
	writeEnvoy(t, copied, 1)
	for name, path := range map[string]string{"the file": envoy, "a copy": copied} {
		t.Run(name, func(t *testing.T) {
			c := openSession(t)
			began := time.Now()
			started, err := c.AgentStart(c.ctx, helper.AgentStartParams{Command: []string{"/bin/sh", "-c", "exec " + path}, Gate: true,
				GateTimeout: bound.Milliseconds(), EnvoyPath: envoy})
			if err != nil {
				t.Fatal(err)
			}
			got := c.gate("bypassed")
			if got.PID != started.PID || !strings.Contains(got.Detail, "the agent itself became "+path) || !strings.Contains(got.Do, `"real-envoy" by that name alone`) {
				t.Errorf("bypassed %+v, want pid %d", got, started.PID)
			}
			if took := time.Since(began); took > time.Second {
				t.Errorf("told after %v", took)
			}
		})
	}
}

// Another Envoy in PATH under the usual name stays what it is.
func TestOtherProgramsInPathAreLeftAlone(t *testing.T) {
	c := openSession(t)
	other := filepath.Join(t.TempDir(), "envoy")
	if err := os.WriteFile(other, []byte("#!/bin/sh\necho the other\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := c.AgentStart(c.ctx, helper.AgentStartParams{Command: []string{"/bin/sh", "-c", "envoy"}, Gate: true, GateTimeout: bound.Milliseconds(),
		EnvoyPath: actor(t, "real-envoy"), Env: map[string]string{"PATH": filepath.Dir(other) + ":/bin:/usr/bin"}}); err != nil {
		t.Fatal(err)
	}
	c.exit("agent")
	if got := c.output("stdout"); got != "the other\n" {
		t.Errorf("it said %q", got)
	}
}

// An agent may give up root before it starts Envoy, as pilot-agent's user 1337 does.
func TestAnAgentThatChangesItsUserReachesTheGate(t *testing.T) {
	needRoot(t)
	c := openSession(t)
	c.startGated(nil, "user:1337", "envoy", "stay")
	waiting := c.gate("waiting")
	if got, err := readCredentials(waiting.PID); err != nil || got.uid.effective != 1337 {
		t.Errorf("at the gate is %+v, %v", got, err)
	}
	trace(t, waiting.PID)
	if passed := c.gate("passed"); passed.PID != waiting.PID {
		t.Errorf("passed %+v, want pid %d", passed, waiting.PID)
	}
	c.envoyOf(waiting.PID)
}

func TestAUserWhoCannotReachTheGateIsTold(t *testing.T) {
	needRoot(t)
	c := openSession(t)
	if err := os.Chmod(c.hello.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	c.startGated(nil, "user:1337", "stay")
	got := c.gate("unreachable")
	if !strings.Contains(got.Detail, c.hello.Dir) || !strings.Contains(got.Do, "TMPDIR") {
		t.Errorf("unreachable %+v", got)
	}
}

// needRoot fails where this process cannot become another user.
func needRoot(t *testing.T) {
	t.Helper()
	b, err := os.ReadFile("/proc/self/uid_map")
	if f := strings.Fields(string(b)); err != nil || os.Getuid() != 0 || len(f) < 3 || f[2] == "1" {
		t.Fatalf("this test needs root, to start an agent as another user (%v, uid_map %q)", err, b)
	}
}

// Whoever is not of the agent gets no answer at the gate, and changes nothing.
func TestStrangersAreNotHeardAtTheGate(t *testing.T) {
	c := openSession(t)
	c.startGated(nil, "envoy", "wait")
	waiting := c.gate("waiting")
	dir := filepath.Dir(exe(waiting.PID))
	for _, said := range []string{`{"standing":true,"args":["envoy"]}`, `{"standing":false,"args":["envoy","--version"]}`, "", "{"} {
		conn, err := net.Dial("unix", filepath.Join(dir, "g.sock"))
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(bound))
		_, _ = io.WriteString(conn, said+"\n")
		if got, err := io.ReadAll(conn); len(got) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s is answered %q, %v", said, got, err)
		}
		conn.Close()
	}
	for path, want := range map[string]os.FileMode{c.hello.Dir: 0o711, filepath.Join(c.hello.Dir, "lldb"): 0o700, dir: 0o711} {
		if st, err := os.Stat(path); err != nil || st.Mode().Perm() != want {
			t.Errorf("%s: %v %v, want mode %v", path, st.Mode(), err, want)
		}
	}
	trace(t, waiting.PID)
	c.gate("passed")
	if got := c.gates(); got != fmt.Sprintf("waiting %d\npassed %[1]d\n", waiting.PID) {
		t.Errorf("told:\n%s", got)
	}
}

func TestEnvoyBesideTheGateIsTold(t *testing.T) {
	c := openSession(t)
	envoy := actor(t, "real-envoy")
	c.start(helper.AgentStartParams{Gate: true, GateTimeout: bound.Milliseconds(), EnvoyPath: envoy,
		Env: map[string]string{"ENVOY": envoy}}, "envoy-anyway", "wait")
	pid := c.envoy().PID
	if got := c.gate("bypassed"); got.PID != pid || !strings.Contains(got.Detail, "started by the agent") {
		t.Errorf("bypassed %+v, want pid %d", got, pid)
	}
}

func TestRefusals(t *testing.T) {
	envoy := actor(t, "real-envoy-refusals")
	agent := actor(t, "agent")
	ok := helper.AgentStartParams{Command: []string{agent, "stay"}, Gate: true, GateTimeout: 1000, EnvoyPath: envoy}
	for _, c := range []struct {
		name   string
		change func(*helper.AgentStartParams)
		code   int64
		say    string
	}{
		{"no command", func(p *helper.AgentStartParams) { p.Command = nil }, helper.CodeNotFound, "command"},
		{"no such agent", func(p *helper.AgentStartParams) { p.Command = []string{"/no/agent"} }, helper.CodeNotFound, "/no/agent"},
		{"agent not in PATH", func(p *helper.AgentStartParams) {
			p.Command, p.Env = []string{"agent-x"}, map[string]string{"PATH": "/nowhere"}
		}, helper.CodeNotFound, "/nowhere"},
		{"agent not executable", func(p *helper.AgentStartParams) { p.Command = []string{"/etc/passwd"} }, helper.CodePermission, "/etc/passwd"},
		{"no such folder", func(p *helper.AgentStartParams) { p.Cwd = "/no/folder" }, helper.CodeNotFound, "/no/folder"},
		{"no such Envoy", func(p *helper.AgentStartParams) { p.EnvoyPath = "/no/envoy" }, helper.CodeNotFound, "/no/envoy"},
		{"no timeout", func(p *helper.AgentStartParams) { p.GateTimeout = 0 }, helper.CodeStartFailed, "timeout"},
		{"PROXY_CONFIG a list", func(p *helper.AgentStartParams) { p.Env = map[string]string{"PROXY_CONFIG": "[1]"} }, jsonrpc2.CodeInvalidParams, "PROXY_CONFIG"},
		{"PROXY_CONFIG broken", func(p *helper.AgentStartParams) { p.Env = map[string]string{"PROXY_CONFIG": "a: [1"} }, jsonrpc2.CodeInvalidParams, "a: [1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openSession(t)
			p := ok
			c.change(&p)
			_, err := s.AgentStart(s.ctx, p)
			if helper.Code(err) != c.code || !strings.Contains(err.Error(), c.say) {
				t.Errorf("got %v, want code %d and %q", err, c.code, c.say)
			}
		})
	}
	t.Run("a second agent", func(t *testing.T) {
		s := openSession(t)
		if _, err := s.AgentStart(s.ctx, ok); err != nil {
			t.Fatal(err)
		}
		if _, err := s.AgentStart(s.ctx, ok); helper.Code(err) != helper.CodeBusy {
			t.Errorf("got %v, want CodeBusy", err)
		}
	})
	t.Run("another Envoy and no gate", func(t *testing.T) {
		other := openSession(t)
		other.start(helper.AgentStartParams{Env: map[string]string{"ENVOY": envoy}}, "envoy-anyway", "wait")
		pid := other.envoy().PID
		s := openSession(t)
		p := ok
		p.Gate = false
		_, err := s.AgentStart(s.ctx, p)
		if helper.Code(err) != helper.CodeEnvoyRunning || !strings.Contains(err.Error(), "pid "+itoa(pid)) {
			t.Errorf("got %v, want CodeEnvoyRunning and pid %d", err, pid)
		}
	})
}

func ptr(s string) *string { return &s }
