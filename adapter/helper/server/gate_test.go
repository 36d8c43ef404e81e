//go:build linux

package server

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sourcegraph/jsonrpc2"

	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/helper/gate"
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
			if got, want := exe(waiting.PID), filepath.Join(gated.hello.Dir, helper.GateBase(testSession)); got != want {
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

func TestDeathAtTheGateIsTold(t *testing.T) {
	c := openSession(t)
	c.startGated(nil, "envoy", "wait")
	pid := c.gate("waiting").PID
	if err := witness(t, pid)[0].Signal(9); err != nil {
		t.Fatal(err)
	}
	if failed := c.gate("failed"); failed.PID != pid {
		t.Errorf("failed %+v, want pid %d", failed, pid)
	}
}

func TestEnvoyBesideTheGateIsTold(t *testing.T) {
	c := openSession(t)
	envoy := actor(t, "real-envoy")
	c.start(helper.AgentStartParams{Gate: true, GateTimeout: bound.Milliseconds(), EnvoyPath: envoy,
		Env: map[string]string{"ENVOY": envoy}}, "envoy-anyway", "wait")
	pid := c.envoy().PID
	if got := c.gate("bypassed"); got.PID != pid {
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
