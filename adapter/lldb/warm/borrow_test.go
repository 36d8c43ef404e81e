package warm

import (
	"bufio"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/lldb"
)

// window tells a story of a window that lends what stands by in it, which is process pid.
func window(t *testing.T, tell func(s *story, l *Lending, pid int)) {
	each(t, Options{}, func(s *story) {
		l, err := s.Lend()
		if err != nil {
			s.Fatal(err)
		}
		s.Cleanup(func() { l.Recall(); within(s, "what is lent", l.Close()) })
		s.session()
		tell(s, l, s.ready())
	})
}

func within(s *story, what string, done <-chan struct{}) {
	s.Helper()
	select {
	case <-done:
	case <-time.After(bound):
		s.Fatalf("%s has not ended", what)
	}
}

// borrows borrows what stands by, as a session in a terminal does.
func (s *story) borrows() (*Process, *lldb.DAP, *ears) {
	s.Helper()
	p, err := borrow(s.dir, s.want)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(p.Close)
	h := &ears{ended: make(chan struct{})}
	d, answer, err := p.Open(s.Context(), hello(), h, nil)
	if err != nil || !answer.Success || d.Version.Major != s.want.Version.Major {
		s.Fatalf("%v, %v", answer, err)
	}
	return p, d, h
}

// ears hear a borrowed lldb-dap.
type ears struct {
	bystander
	ended chan struct{}
}

func (e *ears) Ended() { close(e.ended) }

func TestASessionOfAnotherProcessBorrowsWhatStandsBy(t *testing.T) {
	window(t, func(s *story, _ *Lending, pid int) {
		p, d, _ := s.borrows()
		if p.PID() != pid {
			s.Errorf("process %d, want %d", p.PID(), pid)
		}
		if _, err := d.Ask(s.Context(), dapio.NewRequest("threads", nil)); err != nil {
			s.Error(err)
		}
		if again, err := borrow(s.dir, s.want); err == nil || !strings.Contains(err.Error(), "a session has it") {
			s.Errorf("a second one gets %v, %v", again, err)
		}
		// It ends with the session, and the next one is warmed.
		if err := d.Close(); err != nil {
			s.Error(err)
		}
		p.Close()
		s.gone(pid)
		if next := s.ready(); next == pid {
			s.Errorf("process %d serves again", pid)
		}
		if _, err := os.Stat(p.Dir); !os.IsNotExist(err) {
			s.Errorf("its folder: %v", err)
		}
	})
}

func TestWhatDoesNotFitIsNotLentAndStays(t *testing.T) {
	window(t, func(s *story, _ *Lending, pid int) {
		w := s.want
		w.Environment = []string{"LD_PRELOAD=/lib/x.so"}
		if p, err := borrow(s.dir, w); err == nil || !strings.Contains(err.Error(), "does not fit") {
			s.Errorf("%v, %v", p, err)
		}
		if now := s.Status(); now.State != Ready || now.PID != pid {
			s.Errorf("%+v", now)
		}
	})
}

func TestABorrowedProcessEndsWithWhoHasBorrowedIt(t *testing.T) {
	window(t, func(s *story, _ *Lending, pid int) {
		p, _, _ := s.borrows()
		_ = p.borrowed.conn.Close() // as the kernel does for one that is killed
		s.gone(pid)
		s.ready()
	})
}

func TestABorrowerHearsHowTheProcessHasEnded(t *testing.T) {
	window(t, func(s *story, _ *Lending, pid int) {
		_, d, h := s.borrows()
		if err := syscall.Kill(pid, syscall.SIGSEGV); err != nil {
			s.Fatal(err)
		}
		within(s, "the stream", h.ended)
		if said := d.Status(); !strings.Contains(said, "segmentation fault") && !strings.Contains(said, "exit status 2") {
			s.Errorf("it has ended: %s", said)
		}
	})
}

// A window that closes while a session in a terminal has its lldb-dap waits for that.
func TestABorrowedProcessOutlivesTheWindow(t *testing.T) {
	window(t, func(s *story, l *Lending, pid int) {
		p, d, _ := s.borrows()
		s.Close()
		returned := l.Close()
		if _, err := d.Ask(s.Context(), dapio.NewRequest("threads", nil)); err != nil {
			s.Error(err)
		}
		select {
		case <-returned:
			s.Error("the window does not wait")
		default:
		}
		_ = d.Close()
		p.Close()
		within(s, "what is lent", returned)
		s.gone(pid)
	})
}

func TestAWindowTakesBackWhatItHasLent(t *testing.T) {
	window(t, func(s *story, l *Lending, pid int) {
		_, _, h := s.borrows()
		l.Recall()
		within(s, "the stream", h.ended)
		within(s, "what is lent", l.Close())
		s.gone(pid)
	})
}

// Who answers that is no window, or is none of this PID namespace, cannot have a session take
// or kill what is not the window's own child.
func TestOnlyTheWindowsOwnChildIsBorrowed(t *testing.T) {
	for answer, want := range map[string]string{
		`{"pid":1,"dir":"/"}`: "process 1 is no child of the window",
		`{"pid":-1}`:          "process",
		`{}`:                  "",
		`no JSON`:             "invalid character",
	} {
		dir := t.TempDir()
		l, err := net.Listen("unix", filepath.Join(dir, lendSocket))
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			var w Want
			_ = json.NewDecoder(bufio.NewReader(conn)).Decode(&w)
			_, _ = conn.Write([]byte(answer + "\n"))
		}()
		p, err := borrow(dir, Want{Program: "/bin/true"})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v", answer, p, err)
		}
		_ = l.Close()
	}
}

func TestWhatLLDB19ReadsOfAGreeting(t *testing.T) {
	for _, c := range []struct {
		warmed, session string
		fits            bool
	}{
		{`{"clientID":"vscode","supportsStartDebuggingRequest":true}`, `{"clientID":"envoydbg"}`, true},
		{`{"clientID":"envoydbg"}`, `{"supportsStartDebuggingRequest":true}`, false},
		{`{}`, `{"sourceInitFile":true}`, true},
		{`{}`, `{"sourceInitFile":false}`, false},
	} {
		if got := greets(c.warmed, c.session); got != c.fits {
			t.Errorf("greeted with %s, and taken by %s: %t", c.warmed, c.session, got)
		}
	}
}

func TestTheVariablesThatLLDBObeys(t *testing.T) {
	got := strings.Join(Obeyed([]string{"PATH=/bin", "LLDB_X=1", "HOME=/a", "TERM=x", "HOME=/b", "PYTHONSTARTUP=x"}), " ")
	if want := "HOME=/b LLDB_X=1"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
