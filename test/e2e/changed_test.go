package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/test/support/harness"
)

// gcc writes no checksums, so that only the time of a file tells that it was edited.
func TestAFileThatWasEditedAfterTheBuildIsTold(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		source := filepath.Join(s.Dir, "edited.cc")
		run(s, s.Dir, "cp", filepath.Join(programs(), "linkage.cc"), source)
		program := compile(s, s.Dir, "edited", "edited.cc")
		for name, begin := range map[string]func(c *harness.Session){
			"startup": func(c *harness.Session) { c.Attach(s.Of(program).With("breakpointPresets", []string{"main"})) },
			"plain":   func(c *harness.Session) { c.Launch(harness.Attributes{"program": program}) },
		} {
			for _, edited := range []bool{false, true} {
				saved := time.Now().Add(-time.Hour)
				if edited {
					saved = time.Now().Add(time.Hour)
				}
				if err := os.Chtimes(source, saved, saved); err != nil {
					t.Fatal(err)
				}
				c := s.Start()
				c.Initialize()
				begin(c)
				c.Seen(0, "initialized")
				c.Do("setFunctionBreakpoints", map[string]any{"breakpoints": []map[string]string{{"name": "main"}}}, nil)
				c.Do("configurationDone", nil, nil)
				stop := c.Stopped(0)
				if stop.Frames[0].Source.Path != source {
					t.Errorf("%s: stopped in %s", name, stop.Frames[0].Source.Path)
				}
				if edited {
					c.Output("[ED1421]")
				}
				c.Step("next", stop)
				c.Stopped(stop.Index + 1)
				c.Do("disconnect", map[string]bool{"terminateDebuggee": true}, nil)
				c.End()
				var told []string
				for _, e := range c.Events("output") {
					if text := e.Get("body.output").Str; strings.Contains(text, "[ED1421]") {
						told = append(told, text)
					}
				}
				switch {
				case !edited && len(told) > 0:
					t.Errorf("%s: not edited, and told: %v", name, told)
				case edited && (len(told) != 1 || !strings.Contains(told[0], source+"  saved "+saved.Format(time.DateTime))):
					t.Errorf("%s: edited, and told %v; want once, with its time", name, told)
				}
			}
		}
	})
}

// A linker replaces the file. The debugger, the process and the source map keep theirs.
func TestAProgramThatIsBuiltAgainIsToldAndTheSessionGoesOn(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		source := filepath.Join(s.Dir, "again.cc")
		run(s, s.Dir, "cp", filepath.Join(programs(), "linkage.cc"), source)
		program := compile(s, s.Dir, "again", "again.cc")
		c := s.Start()
		c.Initialize()
		c.Attach(s.Of(program).With("breakpointPresets", []string{"main"}))
		c.Configure()
		stop := c.Stopped(0)
		text, err := os.ReadFile(source)
		if err == nil {
			err = os.WriteFile(source, append([]byte("// One line\n// and another.\n"), text...), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		compile(s, s.Dir, "again", "again.cc")
		c.Output("[ED1417]")
		c.Step("stepIn", stop)
		next := c.Stopped(stop.Index + 1)
		if f := next.Frames[0]; !strings.HasPrefix(f.Name, "work") || f.Line != 3 {
			t.Errorf("the step ends in %+v, want the line 3 of the old build", f)
		}
		c.Disconnect()
	})
}
