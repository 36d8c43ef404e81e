package e2e

import (
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/envoydbg/envoydbg/test/support/harness"
)

// Without the gate the debugger catches Envoy somewhere in its start, and it
// goes on from there.
func TestWithoutTheGateTheRunProceeds(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		c.Attach(s.NamedSample().With("gate", false))
		c.Configure()
		c.Output("starting main dispatch loop")
		if d := c.Phase("attached", "end").Get("body.detail").Str; !strings.Contains(d, "no gate") {
			t.Errorf("the phase says %q", d)
		}
		for _, p := range s.Processes() {
			if harness.Gate.Is(p) {
				t.Errorf("there is a gate: %v", p)
			}
		}
		c.Disconnect()
	})
}

// beside starts an Envoy that is no session's, and returns its PID and what
// ends it.
func beside(t *testing.T, envoy string) (int, func()) {
	t.Helper()
	cmd := exec.Command(envoy)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd.Process.Pid, func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the Envoy beside the session has not ended well: %v", err)
		}
	}
}

func TestWithoutTheGateAnotherEnvoyOfTheNameIsAnError(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		a := s.NamedSample().With("gate", false)
		_, end := beside(t, a["envoyPath"].(string))
		defer end()
		c := s.Start()
		c.Initialize()
		// The wait takes what exists, so the other one is caught before or
		// noticed at the agent's start.
		c.Attach(a)
		if e := c.AttachFails(); e.Code != 1308 && e.Code != 1309 {
			t.Errorf("the attach: %v", e)
		} else {
			t.Logf("ED%d", e.Code)
		}
		c.Disconnect()
	})
}

func TestASecondEnvoyOfTheNameIsNotCaughtWithTheGate(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		c.Attach(s.Sample().Agent(map[string]any{"start": "manual"}))
		c.Phase("agent started", "waiting")
		// The very file, started while the debug server waits.
		other, end := beside(t, harness.The.Sample)
		defer end()
		c.Do("startAgent", nil, nil)
		c.Configure(mainPlace(s))
		at(t, c.Stopped(0), "Envoy::MainCommon::main", mainPlace(s))
		if pid := c.Seen(0, "process").Get("body.systemProcessId").Int(); int(pid) == other || int(pid) != c.Part(harness.Envoy) {
			t.Errorf("debugs %d; the other is %d, the agent's is %d", pid, other, c.Part(harness.Envoy))
		}
		if tracer := harness.Tracer(other); tracer != 0 {
			t.Errorf("the other Envoy is traced by %d", tracer)
		}
		c.Disconnect()
	})
}

// An attach that the user types in the debug console is the user's: the process
// stays stopped, and runs on when the session has ended.
func TestAnAttachTypedInTheConsoleIsNotResumed(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		a := s.NamedSample()
		program := a["envoyPath"].(string)
		other, end := beside(t, program)
		defer end()
		c := s.Start()
		c.Initialize()
		c.Attach(a)
		c.Configure(mainPlace(s))
		at(t, c.Stopped(0), "Envoy::MainCommon::main", mainPlace(s))
		c.Command("target create --no-dependents " + program)
		c.Command(fmt.Sprintf("process attach --pid %d", other))
		if status := c.Command("process status"); !strings.Contains(status, fmt.Sprintf("Process %d stopped", other)) {
			t.Errorf("the process of the user's: %s", status)
		}
		if harness.Tracer(other) == 0 {
			t.Error("the process of the user's is not traced")
		}
		c.Command("process detach")
		c.Command("target select 1")
		c.Disconnect()
	})
}
