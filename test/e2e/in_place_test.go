package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/envoydbg/envoydbg/test/support/harness"
)

// Whoever ends a session at a stop has seen all of Envoy that there will be: it ends
// where it stands. Here Envoy would write into a file as the first thing it does, were
// it let go for a moment.
func TestAStoppedEnvoyEndsWhereItStands(t *testing.T) {
	stops := []struct {
		name  string
		reach func(c *harness.Session, s *harness.Story, a harness.Attributes)
	}{
		{"at a breakpoint", func(c *harness.Session, s *harness.Story, a harness.Attributes) {
			c.Attach(a)
			c.Configure(mainPlace(s))
			at(s.T, c.Stopped(0), "Envoy::MainCommon::main", mainPlace(s))
		}},
		{"at its entry", func(c *harness.Session, _ *harness.Story, a harness.Attributes) {
			c.Attach(a.With("stopOnEntry", true))
			c.Configure()
			c.Stopped(0)
		}},
		{"before the breakpoints are set", func(c *harness.Session, _ *harness.Story, a harness.Attributes) {
			c.Attach(a)
			c.Phase("attached", "end")
		}},
	}
	asks := []struct {
		name string
		ask  func(c *harness.Session)
	}{
		{"disconnect", func(c *harness.Session) { _, _ = c.Send("disconnect", nil) }},
		{"terminate", func(c *harness.Session) {
			c.Do("terminate", nil, nil)
			c.Vanish()
		}},
		{"end of the input", (*harness.Session).Vanish},
		{"SIGTERM", func(c *harness.Session) { _ = syscall.Kill(c.PID, syscall.SIGTERM) }},
	}
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		for _, stop := range stops {
			for _, a := range asks {
				t.Run(fmt.Sprintf("%s, %s", stop.name, a.name), func(t *testing.T) {
					t.Parallel()
					s := harness.NewStory(t, s.LLDB)
					said := filepath.Join(s.Dir, "said")
					sample := scripted(s.Sample(), "exec envoy > "+said+" 2>&1")
					sample["agent"].(map[string]any)["env"].(map[string]string)["ENVOY_SAMPLE_EXIT"] = "7"
					c := s.Start()
					c.Initialize()
					stop.reach(c, s, sample)
					a.ask(c)
					if err := c.Exited(); err != nil && a.name != "SIGTERM" {
						t.Errorf("envoydbg: %v", err)
					}
					if text, err := os.ReadFile(said); err != nil || len(text) > 0 {
						t.Errorf("Envoy ran on: %q, %v", text, err)
					}
				})
			}
		}
	})
}

// The user's commands for the end run there as well.
func TestTerminateCommandsRunForAnEnvoyThatEndsWhereItStands(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		written := filepath.Join(s.Dir, "settings")
		c := atMainOf(s, s.Sample().With("terminateCommands", []string{"settings write --file " + written}))
		c.Disconnect()
		if _, err := os.Stat(written); err != nil {
			t.Error(err)
		}
	})
}
