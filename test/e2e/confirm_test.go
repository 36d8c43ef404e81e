package e2e

import (
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/test/support/harness"
)

// In a terminal LLDB asks whether all breakpoints are to be deleted. In the console of
// an editor nobody can say yes, and LLDB 19 would wait for ever.
func TestACommandThatAsksForConfirmationIsAnswered(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		c.Attach(s.Sample().With("breakpointPresets", []string{"main"}))
		c.Configure()
		c.Stopped(0)
		if said := c.Command("breakpoint delete"); !strings.Contains(said, "All breakpoints removed") {
			t.Errorf("LLDB says %q", said)
		}
		c.Disconnect()
	})
}
