package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/client"
	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/test/support/harness"
)

// atOnce is how soon the adapter answers for itself while lldb-dap cannot.
const atOnce = time.Second

func TestTheAgentStartsOnlyWhenTheUserSaysSo(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		if e := c.Refused("startAgent", nil); e.Code != 1311 {
			t.Errorf("startAgent before the attach: %v", e)
		}
		c.Attach(s.Sample().Agent(map[string]any{"start": "manual"}))
		c.Phase("preflight", "begin")
		if e := c.Refused("startAgent", nil); e.Code != 1311 {
			t.Errorf("startAgent before the debug server waits: %v", e)
		}
		c.Phase("agent started", "waiting")
		if pids := c.Parts(harness.Agent); len(pids) > 0 {
			t.Errorf("the agent runs before it was asked for: %v", pids)
		}
		var started struct{ PID int }
		c.Do("startAgent", nil, &started)
		if pid := c.Part(harness.Agent); started.PID != pid {
			t.Errorf("startAgent says pid %d, the agent is %d", started.PID, pid)
		}
		c.Configure(mainPlace(s))
		at(t, c.Stopped(0), "Envoy::MainCommon::main", mainPlace(s))
		if e := c.Refused("startAgent", nil); e.Code != 1311 {
			t.Errorf("startAgent a second time: %v", e)
		}
		c.Disconnect()
	})
}

// A session that starts the agent by itself has no use for startAgent.
func TestStartAgentIsRefusedWhereNobodyWaitsForIt(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		c.Attach(s.Sample())
		if e := c.Refused("startAgent", nil); e.Code != 1311 {
			t.Errorf("startAgent in a session that is not manual: %v", e)
		}
		c.Configure(mainPlace(s))
		c.Stopped(0)
		c.Disconnect()
	})
}

func TestCancellingTheProgressEndsTheWait(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		c.Attach(s.Sample().Agent(map[string]any{"start": "manual"}))
		c.Phase("agent started", "waiting")
		progress := c.Seen(0, "progressStart")
		if !progress.Get("body.cancellable").Bool() {
			t.Error("the progress cannot be cancelled")
		}
		began := time.Now()
		c.Do("cancel", map[string]string{"progressId": progress.Get("body.progressId").Str}, nil)
		if e := c.AttachFails(); e.Code != 1312 {
			t.Errorf("the attach: %v", e)
		}
		if took := time.Since(began); took > atOnce {
			t.Errorf("cancel took %v", took)
		}
		progressIsWhole(t, c)
		c.NoProcess(harness.Platform)
		c.Disconnect()
	})
}

func TestCancellingTheAttachRequestEndsTheWait(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		attach := c.Attach(s.Sample().Agent(map[string]any{"start": "manual"}))
		c.Phase("agent started", "waiting")
		c.Do("cancel", map[string]int64{"requestId": attach}, nil)
		if e := c.AttachFails(); e.Code != 1312 {
			t.Errorf("the attach: %v", e)
		}
		c.Disconnect()
	})
}

// While lldb-dap waits it answers nothing; the adapter does.
func TestDisconnectDuringTheWaitIsAnsweredAtOnce(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		for _, command := range []string{"disconnect", "terminate"} {
			c := s.Start()
			c.Initialize()
			c.Attach(s.Sample().Agent(map[string]any{"start": "manual"}))
			c.Phase("agent started", "waiting")
			began := time.Now()
			c.Do(command, map[string]any{}, nil)
			took := time.Since(began)
			t.Logf("%s answered after %v", command, took)
			if took > atOnce {
				t.Errorf("%s answered after %v", command, took)
			}
			if e := c.AttachFails(); e.Code != 1312 || !strings.Contains(e.Text, "cancelled") {
				t.Errorf("the attach: %v", e)
			}
			c.End()
		}
	})
}

// The progress can be cancelled as long as it is shown, whatever the startup is at.
func TestCancellingTheProgressEndsEachPhase(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		for _, phase := range []string{"preflight", "debug server", "symbols", "armed", "agent started", "attached", "breakpoints"} {
			c := s.Start()
			c.Initialize()
			attach := c.Attach(s.Sample())
			c.Phase(phase, "begin")
			progress := c.Seen(0, "progressStart")
			began := time.Now()
			c.Do("cancel", map[string]string{"progressId": progress.Get("body.progressId").Str}, nil)
			// In the last phase the attach may have been answered already.
			c.Until(0, "the end of the session", func(e client.Entry) bool {
				refused := e.Type == dapio.Response && e.RequestSeq == attach && !e.Get("success").Bool()
				return !e.Sent && (refused || e.Name == "terminated")
			})
			t.Logf("%s: over %v after the cancel", phase, time.Since(began))
			progressIsWhole(t, c)
			c.Disconnect()
			c.NoProcess(harness.Platform)
			c.NoProcess(harness.Agent)
			c.NoProcess(harness.Envoy)
		}
	})
}
