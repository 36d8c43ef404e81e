package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/test/support/harness"
)

// borrows starts a run in a terminal that borrows what stands by in the window, and waits for
// its stop in main.
func borrows(t *testing.T, s *harness.Story, a harness.Attributes, pid int) *terminal {
	t.Helper()
	log := filepath.Join(s.Dir, "log")
	r := startTerminal(t, s, a, false, "--log", log)
	r.follow()
	r.shows("● stopped")
	if written, err := os.ReadFile(log); err != nil || !strings.Contains(string(written), "lldb-dap (pid "+strconv.Itoa(pid)+") has the symbols of") {
		t.Errorf("it has not borrowed process %d: %v\n%s", pid, err, warmLines(string(written)))
	}
	return r
}

// warmLines are those lines of a trace.
func warmLines(log string) string {
	var lines []string
	for line := range strings.Lines(log) {
		if strings.Contains(line, " warm ") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

func TestASessionInATerminalTakesTheDebuggerThatStandsBy(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		a := s.Sample()
		w, pid := standsBy(t, s, a)
		from := w.Lines()
		r := borrows(t, s, a, pid)
		w.Logged(from, `→ taken`)
		r.types("bt")
		r.types("print argc")
		r.types("continue")
		r.types("await starting main dispatch loop")
		r.types("quit")
		if code, _ := r.ends(time.Minute); code != 0 {
			t.Errorf("exit code %d", code)
		}
		<-r.read
		inOrder(t, r.String(), " that stood by, build-id", "● stopped", "Envoy::MainCommon::main", "#0", "main.cc:", "(int) ", "nothing is left running")
		// The window has the next one warmed, which F5 takes.
		takes(t, s, w, a, w.Ready(from))
		w.End()
	})
}

// However either of them ends, nothing is left, and what can go on does.
func TestWhoBorrowsAndWhoLendsMayEndAtAnyTime(t *testing.T) {
	for what, end := range map[string]func(t *testing.T, w *harness.Window, r *terminal){
		"the terminal is killed": func(t *testing.T, w *harness.Window, r *terminal) {
			from := w.Lines()
			_ = r.cmd.Process.Kill()
			r.ends(time.Minute)
			w.Ready(from)
			w.End()
		},
		"the window is closed": func(t *testing.T, w *harness.Window, r *terminal) {
			ended := make(chan struct{})
			go func() { defer close(ended); w.End() }()
			r.types("print argc")
			r.shows("(int) ")
			select {
			case <-ended:
				t.Error("the window's process has ended, whose child the debugger is")
			default:
			}
			r.types("quit")
			if code, _ := r.ends(time.Minute); code != 0 {
				t.Errorf("exit code %d", code)
			}
			<-ended
		},
		"the window is killed": func(t *testing.T, w *harness.Window, r *terminal) {
			w.Kill()
			if code, _ := r.ends(time.Minute); code != 1 {
				t.Errorf("exit code %d", code)
			}
			<-r.read
			inOrder(t, r.String(), "[ED1104]")
		},
	} {
		t.Run(what, func(t *testing.T) {
			harness.Each(t, func(t *testing.T, s *harness.Story) {
				a := s.Sample()
				w, pid := standsBy(t, s, a)
				end(t, w, borrows(t, s, a, pid))
				s.NoProcessLeft()
				s.Serve().End() // removes the folder of who was killed
				s.NothingLeft()
			})
		})
	}
}

func TestATerminalThatWantsAnotherDebuggerLeavesTheWindows(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		a := s.Sample()
		w, pid := standsBy(t, s, a)
		log := filepath.Join(s.Dir, "log")
		code, out := runOf(t, s, a, "", "--log", log, "--set", `initCommands=["settings set target.x86-disassembly-flavor intel"]`, "-x", "quit")
		if code != 0 {
			t.Errorf("exit code %d\n%s", code, out)
		}
		written, err := os.ReadFile(log)
		if err != nil || !strings.Contains(string(written), "it does not fit") {
			t.Errorf("%v\n%s", err, warmLines(string(written)))
		}
		takes(t, s, w, a, pid)
		w.End()
	})
}
