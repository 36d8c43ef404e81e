package e2e

import (
	"strconv"
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

// toMain runs a session to main and looks at its locals.
func toMain(t *testing.T, s *harness.Story, c *harness.Session, a harness.Attributes) {
	t.Helper()
	c.Attach(a)
	c.Configure(mainPlace(s))
	at(t, c.Stopped(0), "Envoy::MainCommon::main", mainPlace(s))
}

// ready waits until an lldb-dap stands by, and returns its process id.
func ready(w *harness.Window, from int) (pid, next int) {
	_, next = w.Logged(from, `warm .*→ ready`)
	began, _ := w.Logged(from, `pid (\d+), low priority`)
	pid, _ = strconv.Atoi(began[1])
	return pid, next
}

func TestTheNextSessionTakesTheDebuggerThatStandsBy(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		w := s.Serve()
		a := s.Sample()
		first := traced(w)
		toMain(t, s, first, a)
		first.Disconnect()
		pid, next := ready(w, 0)

		second := traced(w)
		toMain(t, s, second, a)
		w.Logged(next, `lldb-dap \(pid `+strconv.Itoa(pid)+`\) has the symbols of`)
		second.Disconnect()

		// It has served, and the next one is another.
		other, _ := ready(w, next)
		if other == pid {
			t.Errorf("process %d serves again", pid)
		}
		w.End()
	})
}
