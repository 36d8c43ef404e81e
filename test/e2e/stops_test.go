package e2e

import (
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/envoydbg/envoydbg/adapter/client"
	"github.com/envoydbg/envoydbg/test/support/harness"
)

// A pause is a pause: no exception, and of the stack, which begins in libc, the frames
// whose source is not here are subdued, so that an editor opens the first one of Envoy's.
func TestAPauseIsAPause(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		c.Attach(s.Sample())
		c.Configure(mainPlace(s))
		first := c.Stopped(0)
		c.Step("continue", first)
		c.Output("starting main dispatch loop")
		// What Envoy writes may be here before LLDB knows that it runs.
		for !strings.Contains(c.Command("process status"), "is running") {
			if s.Ctx.Err() != nil {
				t.Fatal("LLDB never says that Envoy runs")
			}
		}
		c.Do("pause", map[string]int{"threadId": first.Thread}, nil)
		stop := c.Seen(first.Index+1, "stopped")
		if stop.Get("body.reason").Str != "pause" || strings.Contains(string(stop.Raw), "SIGSTOP") {
			t.Errorf("the pause: %s", stop.Raw)
		}
		seq, err := c.Send("stackTrace", map[string]int{"threadId": first.Thread})
		if err != nil {
			t.Fatal(err)
		}
		shown, subdued := "", 0
		c.AnswerTo(seq).Get("body.stackFrames").ForEach(func(_, f gjson.Result) bool {
			if f.Get("presentationHint").Str == "subtle" {
				subdued++
			} else if shown == "" {
				shown = f.Get("name").Str
			}
			return true
		})
		if !strings.HasPrefix(shown, "Envoy::") || subdued == 0 { // wherever it was
			t.Errorf("%d frames are subdued, the first that is not is %q", subdued, shown)
		}
		c.Disconnect()
	})
}

// A stop at a preset is called by the preset's name, one at the editor's breakpoint as
// LLDB calls it.
func TestAStopIsCalledByItsPreset(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		c.Attach(s.Sample().With("breakpointPresets", []string{"main"}))
		file, line := s.Line("source/server/server.cc", "starting main dispatch loop")
		c.Configure(harness.Place{File: file, Line: line})
		main := c.Seen(0, "stopped")
		if main.Get("body.reason").Str != "breakpoint" || main.Get("body.description").Str != "Paused at main" {
			t.Errorf("at main: %s", main.Raw)
		}
		c.Step("continue", c.Stopped(0))
		own := c.Seen(main.Index+1, "stopped")
		if own.Get("body.reason").Str != "breakpoint" || !strings.HasPrefix(own.Get("body.description").Str, "breakpoint ") {
			t.Errorf("at the breakpoint: %s", own.Raw)
		}
		c.Disconnect()
	})
}

// Envoy is written in C++: of the exceptions of other languages, which LLDB offers,
// nothing is heard.
func TestOnlyExceptionsOfCPlusPlusAreOffered(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		filters := c.Initialize().Get("body.exceptionBreakpointFilters").String()
		if !strings.Contains(filters, "cpp_throw") || strings.Contains(filters, "objc") || strings.Contains(filters, "swift") {
			t.Errorf("offered: %s", filters)
		}
		c.Disconnect()
	})
}

// While LLDB waits for Envoy it answers nothing. Nobody has to wait with it.
func TestRequestsAreAnsweredWhileEnvoyIsWaitedFor(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		c.Attach(s.Sample().Agent(map[string]any{"command": []string{"/bin/sh", "-c", "sleep 1000"}}).With("startTimeout", 30))
		c.Phase("agent started", "end")
		var threads struct{ Threads []any }
		c.Do("threads", nil, &threads)
		if len(threads.Threads) != 0 {
			t.Errorf("threads: %v", threads)
		}
		if e := c.Refused("evaluate", map[string]string{"expression": "1"}); e.Code != 1320 {
			t.Errorf("evaluate: %v", e)
		}
		waited := c.Until(0, "how long", func(e client.Entry) bool {
			return e.Name == "envoyPhase" && e.Get("body.state").Str == "progress" && e.Get("body.phase").Str == "attached"
		})
		if got := waited.Get("body.detail").Str; got != "waiting for Envoy, 1 s of 30 s" {
			t.Errorf("it says %q", got)
		}
		c.Disconnect()
	})
}

// A startup that fails shows how far it has come.
func TestAStartThatFailsShowsItsPhases(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		c.Attach(s.Sample().Agent(map[string]any{"command": []string{"/bin/sh", "-c", "exit 3"}}))
		c.AttachFails()
		table := c.Output("Envoy startup, phase by phase:").Get("body.output").Str
		for _, row := range []string{"preflight", "symbols", "attached", "failed"} {
			if !strings.Contains(table, row) {
				t.Errorf("no %q in:\n%s", row, table)
			}
		}
		c.Disconnect()
	})
}
