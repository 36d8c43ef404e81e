package e2e

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/envoydbg/envoydbg/test/support/harness"
)

// Disconnect, as an editor's button of that name does it, leaves Envoy and its agent
// running: not traced, with no breakpoint in them, and able to write.
func TestDisconnectLeavesEnvoyRunning(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		for _, running := range []bool{false, true} {
			s := harness.NewStory(t, s.LLDB)
			c := s.Start()
			c.Initialize()
			c.Attach(s.Sample())
			c.Configure(mainPlace(s))
			stop := c.Stopped(0)
			if running {
				c.Do("continue", map[string]int{"threadId": stop.Thread}, nil)
				c.Output("starting main dispatch loop")
			}
			envoy, agent := c.Part(harness.Envoy), c.Part(harness.Agent)
			c.Do("disconnect", map[string]bool{"terminateDebuggee": false}, nil)
			c.Output("run on")
			_ = c.Exited()

			status, err := os.ReadFile("/proc/" + strconv.Itoa(envoy) + "/status")
			if err != nil || !strings.Contains(string(status), "TracerPid:\t0\n") {
				t.Fatalf("Envoy after the session (running %v): %v\n%s", running, err, status)
			}
			if running {
				// It takes signals, and writes of them.
				if err := syscall.Kill(envoy, syscall.SIGTERM); err != nil {
					t.Error(err)
				}
			} else if err := syscall.Kill(agent, syscall.SIGTERM); err != nil {
				t.Error(err)
			}
			s.NothingLeft() // the helper ends behind the last of them
		}
	})
}
