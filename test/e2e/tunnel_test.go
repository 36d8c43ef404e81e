package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/adapter/client"
	"github.com/envoydbg/envoydbg/test/support/harness"
)

// tunnelProgram is envoydbg with its helper at the other end of a link; see
// test/support/tunnel.
var tunnelProgram string

// throughTunnel starts a session whose helper is a daemon in a folder of the story's, or
// where it is one anyway.
func throughTunnel(s *harness.Story, reconnect string) *harness.Session {
	if harness.The.Target == harness.Arm64 {
		return s.Start()
	}
	s.Variables = append(s.Variables, "TUNNEL_DIR="+filepath.Join(s.Dir, "pod"), "TUNNEL_RECONNECT="+reconnect,
		"TUNNEL_DOWN="+filepath.Join(s.Dir, "down"))
	trace := filepath.Join(s.Dir, "trace")
	return s.StartCommand(trace, tunnelProgram, "dap", "--log", trace, "--lldb-dap", s.LLDB.DAP)
}

// tunneled are the sample's attributes for a link that may be away for a while.
func tunneled(s *harness.Story) harness.Attributes {
	return s.Sample().With("initCommands", []string{"settings set plugin.process.gdb-remote.packet-timeout 60"})
}

// cut kills the command that carries the bytes.
func cut(t *testing.T, s *harness.Story) {
	t.Helper()
	for _, p := range s.Processes() {
		if harness.Connect.Is(p) {
			if err := harness.Kill(p.PID); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("nothing carries the bytes: %v", s.Processes())
}

// isBack waits until the user is told that the link goes on.
func isBack(c *harness.Session, from int) {
	c.Until(from, "the link's return", func(e client.Entry) bool {
		return e.Name == "output" && strings.Contains(e.Get("body.output").Str, "the session goes on")
	})
}

// gone fails the story unless the helper has removed its folder.
func gone(t *testing.T, s *harness.Story) {
	t.Helper()
	s.NoProcessLeft()
	if _, err := os.Stat(filepath.Join(s.Dir, "pod")); !os.IsNotExist(err) {
		t.Errorf("the helper's folder is left: %v", err)
	}
}

// The whole startup over a link that is cut in each phase, with Envoy not there yet,
// at the gate, stopped, in the middle of a step, and running.
func TestAStartupGoesOnWhenItsLinkIsCutInEachPhase(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := throughTunnel(s, "1m")
		c.Initialize()
		cutNow := func() {
			t.Helper()
			from := len(c.Log())
			cut(t, s)
			isBack(c, from)
		}
		c.Attach(tunneled(s).Agent(map[string]any{"start": "manual"}))
		c.Phase("debug server", "begin")
		cutNow()
		c.Phase("symbols", "begin")
		cutNow()
		c.Phase("agent started", "waiting")
		cutNow()
		from := len(c.Log())
		if _, err := c.Send("startAgent", nil); err != nil {
			t.Fatal(err)
		}
		cut(t, s) // while the agent starts
		isBack(c, from)
		c.Phase("attached", "end")
		cutNow()
		c.Configure(mainPlace(s), serverPlace(s))
		stop := c.Stopped(0)
		at(t, stop, "Envoy::MainCommon::main", mainPlace(s))
		cutNow()
		for range 3 {
			from := len(c.Log())
			cut(t, s) // while the step is under way
			c.Step("next", stop)
			stop = c.Stopped(stop.Index + 1)
			isBack(c, from)
		}
		if began := value(c, stop, "Envoy::main_began"); began != "1" {
			t.Errorf("main_began is %s after the steps over it", began)
		}
		c.Step("continue", stop)
		stop = c.Stopped(stop.Index + 1)
		at(t, stop, "Envoy::Server::InstanceImpl::initialize", serverPlace(s))
		c.Step("continue", stop)
		cutNow()
		c.Output("starting main dispatch loop")
		if n := len(c.Events("stopped")); n != 5 {
			t.Errorf("%d stops, want 5: no stray one", n)
		}
		cut(t, s) // and while it ends
		c.Disconnect()
		s.NothingLeft()
		gone(t, s)
	})
}

// mainThroughTunnel is a session at the end of a link that stands in main.
func mainThroughTunnel(s *harness.Story, reconnect string) *harness.Session {
	c := throughTunnel(s, reconnect)
	c.Initialize()
	c.Attach(tunneled(s))
	c.Configure(mainPlace(s))
	c.Stopped(0)
	return c
}

// A link that does not come back ends the session with an error, and the lease ends
// the rest.
func TestALinkThatDoesNotComeBackEndsTheSession(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := mainThroughTunnel(s, "2s")
		if err := os.WriteFile(filepath.Join(s.Dir, "down"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		cut(t, s)
		c.Output("[ED1501]")
		lost := c.Output("[ED1502]")
		if text := lost.Get("body.output").Str; !strings.Contains(text, "the network is down") || !strings.Contains(text, "4s after the cut") {
			t.Errorf("the error says %q", text)
		}
		c.Seen(0, "terminated")
		c.End()
		gone(t, s)
	})
}

// What is beside Envoy ends by itself when the adapter is killed.
func TestTheLeaseEndsWhatAKilledAdapterLeaves(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := mainThroughTunnel(s, "1s")
		envoy := c.Part(harness.Envoy)
		if err := harness.Kill(c.PID); err != nil {
			t.Fatal(err)
		}
		_ = c.Exited()
		c.Vanish()
		t.Logf("Envoy (pid %d) and all else ended %v after the adapter", envoy, s.NoProcessLeft())
		gone(t, s)
		// The adapter's own folder nobody can remove but the next session.
		next := s.Start()
		next.Initialize()
		next.Disconnect()
	})
}

// A second session at the same place is told who has it.
func TestASecondSessionIsToldWhoDebugs(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := mainThroughTunnel(s, "1m")
		second := s.StartCommand(filepath.Join(s.Dir, "trace2"), tunnelProgram, "dap", "--lldb-dap", s.LLDB.DAP)
		second.Initialize()
		second.Attach(tunneled(s))
		if e := second.AttachFails(); e.Code != 1504 || !strings.Contains(e.Error(), "since") {
			t.Errorf("the second session: %v", e)
		}
		second.End()
		c.Disconnect()
	})
}
