package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/envoydbg/envoydbg/adapter/control"
	"github.com/envoydbg/envoydbg/test/support/harness"
)

// traced opens a session whose window hears all that it does.
func traced(w *harness.Window) *harness.Session {
	c := w.Open(control.OpenParams{Trace: true})
	c.Initialize()
	return c
}

// toMain runs a session to a breakpoint in main.
func toMain(t *testing.T, s *harness.Story, c *harness.Session, a harness.Attributes) {
	t.Helper()
	c.Attach(a)
	c.Configure(mainPlace(s))
	at(t, c.Stopped(0), "Envoy::MainCommon::main", mainPlace(s))
}

// standsBy is a window with an lldb-dap that stands by since its first session.
func standsBy(t *testing.T, s *harness.Story, a harness.Attributes) (w *harness.Window, pid int) {
	t.Helper()
	w = s.Serve()
	c := traced(w)
	toMain(t, s, c, a)
	c.Disconnect()
	return w, w.Ready(0)
}

// takes runs a session that has the lldb-dap that stands by. It returns the place in the log
// behind that.
func takes(t *testing.T, s *harness.Story, w *harness.Window, a harness.Attributes, pid int) int {
	t.Helper()
	from := w.Lines()
	c := traced(w)
	toMain(t, s, c, a)
	_, from = w.Logged(from, `lldb-dap \(pid `+strconv.Itoa(pid)+`\) has the symbols of`)
	c.Disconnect()
	return from
}

func TestTheNextSessionTakesTheDebuggerThatStandsBy(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		a := s.Sample()
		w, pid := standsBy(t, s, a)
		from := takes(t, s, w, a, pid)
		// The window is told each change.
		told := 0
		for _, what := range []string{`"program":".*envoy.*","state":"reading"`, `"memory":[1-9].*"state":"ready"`, `"state":"none"`} {
			_, told = w.Logged(told, `^standBy \{`+what)
		}
		// It has served one session, and the next one gets another.
		next := w.Ready(from)
		if next == pid {
			t.Errorf("process %d serves again", pid)
		}
		takes(t, s, w, a, next)
		w.End()
	})
}

// ownBuild is the sample's program as a build of the story's own, and the attributes with it.
func ownBuild(s *harness.Story) (program string, a harness.Attributes) {
	s.T.Helper()
	program = filepath.Join(s.Dir, "build", "envoy")
	if err := os.Mkdir(filepath.Dir(program), 0o700); err != nil {
		s.T.Fatal(err)
	}
	if out, err := exec.Command("cp", harness.The.SampleDebug, program).CombinedOutput(); err != nil {
		s.T.Fatalf("cp: %v\n%s", err, out)
	}
	return program, s.Sample().With("program", program)
}

func TestARebuildReplacesTheDebuggerThatStandsBy(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		program, a := ownBuild(s)
		w, old := standsBy(t, s, a)

		// A linker writes: nothing is begun before it has finished.
		from := w.Lines()
		f, err := os.OpenFile(program, os.O_WRONLY|os.O_APPEND, 0)
		if err == nil {
			_, err = f.WriteString("\x00\x00\x00\x00")
		}
		if err != nil {
			t.Fatal(err)
		}
		w.Logged(from, `has changed`)
		_, from = w.Logged(from, `→ waiting: the program is being written`)
		for _, p := range s.Processes() {
			if p.PID == old || strings.Contains(strings.Join(p.Args, " "), "lldb-dap") {
				t.Errorf("while the program is being written there is %v", p)
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		from = takes(t, s, w, a, w.Ready(from))

		// Another puts a new file in its place.
		w.Ready(from)
		from = w.Lines()
		if out, err := exec.Command("sh", "-c", "cp $0 $0.new && mv $0.new $0", program).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		w.Logged(from, `has changed`)
		takes(t, s, w, a, w.Ready(from))
		w.End()
	})
}

func TestADebuggerThatStoodByAndIsDeadOrIllIsReplaced(t *testing.T) {
	for what, signal := range map[string]syscall.Signal{"dead": syscall.SIGKILL, "ill": syscall.SIGSTOP} {
		t.Run(what, func(t *testing.T) {
			harness.Each(t, func(t *testing.T, s *harness.Story) {
				a := s.Sample()
				w, pid := standsBy(t, s, a)
				from := w.Lines()
				if err := syscall.Kill(pid, signal); err != nil {
					t.Fatal(err)
				}
				if what == "dead" {
					from = takes(t, s, w, a, w.Ready(from))
				} else {
					c := traced(w)
					toMain(t, s, c, a)
					_, from = w.Logged(from, `\(pid `+strconv.Itoa(pid)+`\) is ill`)
					c.Disconnect()
				}
				takes(t, s, w, a, w.Ready(from))
				w.End()
			})
		})
	}
}

func TestTheSecondOfTwoSessionsStartsCold(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		a, b := s.Sample(), s.Sample()
		w, pid := standsBy(t, s, a)
		from := w.Lines()
		one := traced(w)
		toMain(t, s, one, a)
		_, from = w.Logged(from, `lldb-dap \(pid `+strconv.Itoa(pid)+`\) has the symbols of`)
		two := traced(w)
		toMain(t, s, two, b)
		w.Logged(from, `no lldb-dap stands by for this session: a session has it`)
		one.Disconnect()
		two.Disconnect()
		w.Ready(from)
		w.End()
	})
}

// standby is what doctor says of what stands by.
func standby(s *harness.Story, w *harness.Window) string {
	s.T.Helper()
	var found control.Findings
	w.Ask("doctor", control.Configuration{Attributes: map[string]any{"target": "local"}, LLDBDap: s.LLDB.DAP}, &found)
	for _, f := range found.Findings {
		if f.Check == "standing by" {
			return f.What
		}
	}
	s.T.Fatalf("doctor says nothing of it: %+v", found)
	return ""
}

func TestNothingStandsByForWhoWantsNone(t *testing.T) {
	for what, row := range map[string]struct {
		open  control.OpenParams
		value any
	}{
		"the attribute": {control.OpenParams{Trace: true}, false},
		"the setting":   {control.OpenParams{Trace: true, Cold: true}, nil},
	} {
		t.Run(what, func(t *testing.T) {
			harness.Each(t, func(t *testing.T, s *harness.Story) {
				w := s.Serve()
				c := w.Open(row.open)
				c.Initialize()
				toMain(t, s, c, s.Sample().With("warm", row.value))
				c.Disconnect()
				if said := standby(s, w); !strings.HasPrefix(said, "no lldb-dap") {
					t.Error(said)
				}
				w.End()
			})
		})
	}
}

func TestTheSettingEndsWhatStandsBy(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		w, pid := standsBy(t, s, s.Sample())
		if said := standby(s, w); !strings.Contains(said, strconv.Itoa(pid)) || !strings.Contains(said, "MB") {
			t.Error(said)
		}
		from := w.Lines()
		c := w.Open(control.OpenParams{Trace: true, Cold: true})
		c.Initialize()
		w.Logged(from, `→ none: it is switched off`)
		c.Disconnect()
		w.End()
	})
}

func TestWithTheWindowGoesWhatStandsBy(t *testing.T) {
	for how, end := range map[string]func(*harness.Window){"closed": (*harness.Window).End, "killed": (*harness.Window).Kill} {
		for _, when := range []string{"warming", "ready", "taken"} {
			t.Run(how+" "+when, func(t *testing.T) {
				harness.Each(t, func(t *testing.T, s *harness.Story) {
					a := s.Sample()
					var w *harness.Window
					switch when {
					case "warming":
						w = s.Serve()
						c := traced(w)
						toMain(t, s, c, a)
						c.Disconnect()
						w.Logged(0, `→ warming`)
					default:
						w, _ = standsBy(t, s, a)
						if when == "taken" {
							toMain(t, s, traced(w), a)
						}
					}
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
}

// LLDB finds the debug file in its working folder alone, so that is where what stands by starts.
func TestWhatStandsByFindsTheDebugFileThatItsSessionsFind(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		program := compile(s, programs(), "envoy", "-gdwarf-5", "linkage.cc")
		root := filepath.Join(s.Dir, "root")
		if err := os.Mkdir(root, 0o700); err != nil {
			t.Fatal(err)
		}
		run(s, s.Dir, "objcopy", "--only-keep-debug", "envoy", "root/envoy.debug")
		run(s, root, "objcopy", "--strip-all", "--add-gnu-debuglink=envoy.debug", program)
		a := s.Of(program).With("breakpointPresets", []string{"main"}).With("debuggerRoot", root)
		w := s.Serve()
		for _, what := range []string{`no lldb-dap stands by`, `lldb-dap \(pid \d+\) has the symbols of`} {
			from := w.Lines()
			c := traced(w)
			c.Attach(a)
			c.Configure()
			isBehindThePrologue(t, c)
			w.Logged(from, what)
			c.Disconnect()
			w.Ready(from)
		}
		w.End()
	})
}
