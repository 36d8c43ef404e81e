package e2e

import (
	"fmt"
	"testing"

	"github.com/envoydbg/envoydbg/test/support/harness"
)

// What the console takes for a command is the user's choice.
func TestPresetsAreSetWhateverThePrefixOfCommands(t *testing.T) {
	for _, prefix := range []any{nil, "`", ":", "", "/lldb "} {
		t.Run(fmt.Sprintf("%#v", prefix), func(t *testing.T) {
			harness.Each(t, func(t *testing.T, s *harness.Story) {
				c := s.Start()
				c.Initialize()
				c.Attach(s.Sample().With("breakpointPresets", []string{"main"}).With("commandEscapePrefix", prefix))
				c.Configure()
				at(t, c.Stopped(0), "Envoy::MainCommon::main", mainPlace(s))
				c.Disconnect()
			})
		})
	}
}

func TestAPresetInALibraryToComeIsNotVerified(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		c.Attach(s.Sample().With("breakpointPresets", []string{"main", "libevent"}))
		c.Configure()
		if d := c.Phase("breakpoints", "end").Get("body.detail").Str; d != "1 of 2 verified; pending: preset libevent" {
			t.Errorf("the phase says %q", d)
		}
		c.Disconnect()
	})
}
