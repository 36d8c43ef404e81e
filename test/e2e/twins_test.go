package e2e

import (
	"path/filepath"
	"testing"

	"github.com/envoydbg/envoydbg/test/support/harness"
)

// One file was compiled twice, with another path each time. To the editor it is one
// file, and a breakpoint in it is one: it counts all hits together. Where the adapter
// was started must not matter; lldb-dap takes a relative path for one below its own
// folder if that exists.
func TestABreakpointInAFileOfTwoPathsCountsAsOne(t *testing.T) {
	for _, where := range []string{"twins", "."} {
		t.Run("started in "+where, func(t *testing.T) {
			harness.Each(t, func(t *testing.T, s *harness.Story) {
				sources := filepath.Join(programs(), "twins")
				one, two := filepath.Join(s.Dir, "one.o"), filepath.Join(s.Dir, "two.o")
				run(s, sources, "g++", "-g", "-O0", "-ffile-prefix-map="+sources+"=/one/root", "-c", "-o", one, filepath.Join(sources, "source/one.cc"))
				run(s, sources, "g++", "-g", "-O0", "-ffile-prefix-map="+sources+"=/two/tree", "-c", "-o", two, filepath.Join(sources, "source/two.cc"))
				program := compile(s, s.Dir, "twins", one, two)

				trace := filepath.Join(s.Dir, "trace")
				c := s.StartCommand(trace, "/bin/sh", "-c", `cd "$0" && exec "$@"`, filepath.Join(programs(), where),
					harness.The.Envoydbg, "dap", "--log", trace, "--lldb-dap", s.LLDB.DAP)
				c.Initialize()
				c.Attach(s.Of(program).With("sourceMap", [][]string{{"/one/root", sources}, {"/two/tree", sources}}))
				c.Seen(0, "initialized")
				header := filepath.Join(sources, "source/twice.h")
				var set struct{ Breakpoints []struct{ Verified bool } }
				c.Do("setBreakpoints", map[string]any{"source": map[string]string{"path": header},
					"breakpoints": []map[string]any{{"line": 3, "hitCondition": "3"}}}, &set)
				if len(set.Breakpoints) != 1 || !set.Breakpoints[0].Verified {
					t.Errorf("the editor's one breakpoint: %+v", set.Breakpoints)
				}
				c.Do("configurationDone", nil, nil)
				// twice(0), twice(100), and this is the third:
				stop := c.Stopped(0)
				if top := stop.Frames[0]; top.Source.Path != header || top.Line != 3 {
					t.Errorf("stopped at %s:%d, want %s:3", top.Source.Path, top.Line, header)
				}
				var n struct{ Result string }
				c.Do("evaluate", map[string]any{"expression": "n", "context": "watch", "frameId": stop.Frames[0].ID}, &n)
				if n.Result != "1" {
					t.Errorf("stopped in twice(%s), want the third call, twice(1)", n.Result)
				}
				c.Disconnect()
			})
		})
	}
}
