package e2e

import (
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/adapter/control"
	"github.com/envoydbg/envoydbg/sourcemap"
	"github.com/envoydbg/envoydbg/test/support/harness"
)

// A window's sessions are in one process, and one does not notice the other.
func TestAWindowHasSeveralSessionsAtOnce(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		w := s.Serve()
		folder := t.TempDir()
		one, two := w.Open(control.OpenParams{Folder: folder}), w.Open(control.OpenParams{})
		for _, c := range []*harness.Session{one, two} {
			c.Initialize()
			c.Attach(s.Sample())
			c.Configure(mainPlace(s))
		}
		at(t, one.Stopped(0), "Envoy::MainCommon::main", mainPlace(s))
		stop := two.Stopped(0)
		at(t, stop, "Envoy::MainCommon::main", mainPlace(s))

		// The debugger starts in the window's folder.
		var said struct{ Result string }
		one.Do("evaluate", map[string]string{"expression": "`platform shell -h -- pwd", "context": "repl"}, &said)
		if !strings.Contains(said.Result, folder) {
			t.Errorf("the debugger is not in %s: %s", folder, said.Result)
		}
		one.Disconnect()
		two.Step("next", stop)
		two.Stopped(stop.Index + 1)
		two.Disconnect()
		w.End()
	})
}

func TestTheEndOfAWindowEndsItsSessions(t *testing.T) {
	for how, end := range map[string]func(*harness.Window){"closed": (*harness.Window).End, "killed": (*harness.Window).Kill} {
		t.Run(how, func(t *testing.T) {
			harness.Each(t, func(t *testing.T, s *harness.Story) {
				w := s.Serve()
				stopped, early := w.Open(control.OpenParams{}), w.Open(control.OpenParams{})
				stopped.Initialize()
				stopped.Attach(s.Sample())
				stopped.Configure(mainPlace(s))
				stopped.Stopped(0)
				early.Initialize()
				end(w)
				if how == "killed" { // the next window removes its folder
					s.NoProcessLeft()
					s.Serve().End()
				}
				s.NothingLeft()
			})
		})
	}
}

func TestAWindowAsksAboutThisMachine(t *testing.T) {
	s := harness.NewStory(t, harness.The.LLDBs[0])
	w := s.Serve()
	elf, _ := s.Sample()["program"].(string)
	var program control.Program
	w.Ask("program", control.ProgramParams{Program: elf}, &program)
	if program.BuildID == "" || !program.DWARF {
		t.Errorf("%+v", program)
	}
	var report sourcemap.Report
	w.Ask("sourceMap", control.ProgramParams{Program: elf, SourceMap: [][2]string{{"/proc/self/cwd", harness.The.Sources}}}, &report)
	if report.Files == 0 || report.Mapped[sourcemap.ByUser] == 0 {
		t.Errorf("%+v", report)
	}
	var found control.Findings
	attributes := map[string]any{}
	for name, value := range s.Sample() {
		attributes[name] = value
	}
	w.Ask("doctor", control.Configuration{Attributes: attributes, LLDBDap: s.LLDB.DAP}, &found)
	if found.Failed || len(found.Findings) < 4 {
		t.Errorf("%+v", found)
	}
	attributes["program"] = "/none"
	w.Ask("doctor", control.Configuration{Attributes: attributes, LLDBDap: s.LLDB.DAP}, &found)
	if !found.Failed {
		t.Errorf("%+v", found)
	}
	w.End()
}
