package e2e

import (
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/test/support/harness"
)

func names(stop harness.Stop) []string {
	var out []string
	for _, f := range stop.Frames {
		out = append(out, f.Name)
	}
	return out
}

// All three on the sample, which has symbols.
func TestPresetsStopTheSample(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		c.Attach(s.Sample().With("breakpointPresets", []string{"main", "syscalls", "libevent"}))
		c.Configure()
		stop := c.Stopped(0)
		at(t, stop, "Envoy::MainCommon::main", mainPlace(s))
		seen := map[string]bool{}
		// The system calls of the start: some ten, of which two kinds matter.
		for range 30 {
			c.Step("continue", stop)
			stop = c.Stopped(stop.Index + 1)
			switch name := stop.Frames[0].Name; {
			case strings.Contains(name, "OsSysCallsImpl::"):
				seen["syscalls"] = true
			case strings.HasPrefix(name, "epoll_"):
				seen["libevent"] = true
			default:
				t.Fatalf("stopped in %v", names(stop))
			}
			if len(seen) == 2 {
				break
			}
		}
		if len(seen) != 2 {
			t.Errorf("of syscalls and libevent only %v has stopped Envoy", seen)
		}
		c.Disconnect()
	})
}

// The real Envoy has no symbols; what needs no source works.
func TestPresetsStopTheRealEnvoy(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		c.Attach(s.RealEnvoy().With("breakpointPresets", []string{"main", "libevent"}))
		c.Configure()
		c.Output("program has no symbols")
		stop := c.Stopped(0)
		// main, libc's caller of it (which has a name only with libc6-dbg), and
		// __libc_start_main or __libc_start_main_impl.
		if called := names(stop); len(called) < 3 || !strings.HasPrefix(called[2], "__libc_start_main") {
			t.Errorf("the first stop is in %v, want main, called below __libc_start_main", called)
		}
		c.Step("continue", stop)
		stop = c.Stopped(stop.Index + 1)
		if stop.Frames[0].Name != "epoll_create1" || len(stop.Frames) < 10 {
			t.Errorf("the second stop is in %v, want epoll_create1 and at least 10 frames", names(stop))
		}
		// On to the main loop, past the other stops in libevent.
		c.Command("breakpoint disable")
		c.Step("continue", stop)
		c.Output("starting main dispatch loop")
		c.Disconnect()
	})
}

func TestAPresetWithoutAPlaceIsToldAndNoObstacle(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		c.Attach(s.RealEnvoy().With("breakpointPresets", []string{"syscalls"}))
		c.Configure()
		if text := c.Output("[ED1403]").Get("body.output").Str; !strings.Contains(text, `"syscalls"`) {
			t.Errorf("the error does not name the preset: %s", text)
		}
		c.Output("starting main dispatch loop")
		if n := len(c.Events("stopped")); n != 0 {
			t.Errorf("%d stops, want none", n)
		}
		c.Disconnect()
	})
}

// The order of presets and of the client's breakpoints is no matter.
func TestPresetsAndSourceBreakpointsGoTogether(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		c.Attach(s.Sample().With("breakpointPresets", []string{"main"}))
		c.Configure(serverPlace(s))
		if d := c.Phase("breakpoints", "end").Get("body.detail").Str; d != "2 of 2 verified" {
			t.Errorf("the phase says %q", d)
		}
		stop := c.Stopped(0)
		at(t, stop, "Envoy::MainCommon::main", mainPlace(s))
		c.Step("continue", stop)
		at(t, c.Stopped(stop.Index+1), "Envoy::Server::InstanceImpl::initialize", serverPlace(s))
		c.Disconnect()
	})
}
