package warm

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/lldb"
	"github.com/envoydbg/envoydbg/internal/process"
)

// bound bounds every wait.
const bound = 20 * time.Second

// story is a Keeper, and a program that somebody builds and debugs.
type story struct {
	*testing.T
	*Keeper
	dir   string
	want  Want
	short atomic.Pointer[string] // why memory is short
}

// each tells a story with an lldb-dap that takes connections, and with one that does not.
func each(t *testing.T, options Options, tell func(s *story)) {
	for _, v := range []lldb.Version{{Major: 19, Text: "19.1.7"}, {Major: 22, Text: "22.1.8"}} {
		t.Run(v.Text, func(t *testing.T) {
			dir, err := os.MkdirTemp("/tmp", "warm-") // short, because of the sockets
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.RemoveAll(dir) })
			t.Setenv(fakeVariable, v.Text[:2])
			t.Setenv(fakeVariable+"_DIR", dir)
			t.Setenv("HOME", dir)
			exe, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			s := &story{T: t, dir: dir, want: Want{Program: filepath.Join(dir, "envoy"), LLDBDap: exe, Hello: `{}`, Found: Found{Version: v}}}
			none := ""
			s.short.Store(&none)
			s.build()
			options.Dir, options.Short = dir, func(int64) string { return *s.short.Load() }
			options.Quiet, options.Every = 50*time.Millisecond, 20*time.Millisecond
			s.Keeper = New(options)
			closed := sync.OnceFunc(s.Close)
			t.Cleanup(func() {
				closed()
				if left, err := filepath.Glob(filepath.Join(dir, "w*")); err != nil || len(left) > 0 {
					t.Errorf("folders left: %v, %v", left, err)
				}
			})
			tell(s)
		})
	}
}

// build puts a new program in the place of the old one.
func (s *story) build() {
	s.Helper()
	b, err := os.ReadFile("/bin/true")
	if err == nil {
		err = os.WriteFile(s.want.Program+".new", b, 0o700)
	}
	if err == nil {
		err = os.Rename(s.want.Program+".new", s.want.Program)
	}
	if err != nil {
		s.Fatal(err)
	}
}

// session is one that takes nothing, and ends.
func (s *story) session() {
	s.Helper()
	if p, _ := s.Take(s.want); p != nil {
		s.Errorf("process %d was there before the first session", p.PID())
	}
	s.Next(s.want)
	s.Done()
}

// until waits for a state, and returns the process id then.
func (s *story) until(what string, is func(Status) bool) Status {
	s.Helper()
	for end := time.Now().Add(bound); ; time.Sleep(time.Millisecond) {
		now := s.Status()
		if is(now) {
			return now
		}
		if time.Now().After(end) {
			s.Fatalf("it is not %s but %+v", what, now)
		}
	}
}

func (s *story) ready() int {
	s.Helper()
	return s.until("ready", func(now Status) bool { return now.State == Ready }).PID
}

func (s *story) gone(pid int) {
	s.Helper()
	for end := time.Now().Add(bound); ; time.Sleep(time.Millisecond) {
		if _, err := process.Read(pid); err != nil {
			return
		}
		if time.Now().After(end) {
			s.Fatalf("process %d is still there", pid)
		}
	}
}

// hello is a client's.
func hello() *dapio.Message { return dapio.NewRequest("initialize", struct{}{}) }

func TestASessionTakesTheProcessThatStandsBy(t *testing.T) {
	each(t, Options{}, func(s *story) {
		s.session()
		pid := s.ready()
		p, _ := s.Take(s.want)
		if p == nil || p.PID() != pid {
			s.Fatalf("taken: %+v, want process %d", p, pid)
		}
		if again, _ := s.Take(s.want); again != nil {
			s.Errorf("a second session gets process %d", again.PID())
		}
		d, answer, err := p.Open(t.Context(), hello(), bystander{}, nil)
		if err != nil || !answer.Success || d.Version.Major != s.want.Version.Major {
			s.Fatalf("%v, %v", answer, err)
		}
		if _, err := d.Ask(t.Context(), dapio.NewRequest("threads", nil)); err != nil {
			s.Error(err)
		}
		// It is the session's, which ends it.
		s.Done()
		if now := s.Status(); now.State == Ready || now.State == Warming {
			s.Errorf("while a session runs: %+v", now)
		}
		if err := d.Close(); err != nil {
			s.Error(err)
		}
		p.Close()
		s.gone(pid)
		s.Done()
		if next := s.ready(); next == pid {
			s.Errorf("process %d serves again", pid)
		}
	})
}

func TestOnlyAProcessThatFitsIsTaken(t *testing.T) {
	for what, change := range map[string]func(*Want){
		"another program":              func(w *Want) { w.Program = "/bin/sh" },
		"another lldb-dap":             func(w *Want) { w.LLDBDap = "/bin/sh" },
		"another folder":               func(w *Want) { w.Folder = "/" },
		"another init command":         func(w *Want) { w.InitCommands = []string{"settings set x y"} },
		"another work tree":            func(w *Want) { w.WorkTree = "/" },
		"with the index cache":         func(w *Want) { w.IndexCache = true },
		"another adapter":              func(w *Want) { w.Adapter = "0.0.0" },
		"another environment":          func(w *Want) { w.Environment = []string{"HOME=/"} },
		"a client that greets in 19":   func(w *Want) { w.Hello = `{"sourceInitFile":false}` },
		"built since, and not noticed": nil,
	} {
		t.Run(what, func(t *testing.T) {
			each(t, Options{}, func(s *story) {
				s.session()
				pid := s.ready()
				w := s.want
				fits := false
				switch {
				case change == nil:
					s.build()
				default:
					change(&w)
					fits = w.Hello != s.want.Hello && s.want.Version.Major > 19 // it is greeted anew
				}
				p, _ := s.Take(w)
				if (p != nil) != fits {
					s.Fatalf("taken: %v", p)
				}
				if p != nil {
					p.Close()
				}
				s.gone(pid)
			})
		})
	}
}

func TestABuildReplacesTheProcess(t *testing.T) {
	each(t, Options{}, func(s *story) {
		s.session()
		old := s.ready()
		s.build()
		s.gone(old)
		s.ready()
		// A file of split DWARF comes behind the linker.
		old = s.ready()
		if err := os.WriteFile(s.want.Program+".dwp", []byte("x"), 0o600); err != nil {
			s.Fatal(err)
		}
		s.gone(old)
		s.ready()
	})
}

func TestNothingIsBegunWhileTheProgramIsWritten(t *testing.T) {
	each(t, Options{}, func(s *story) {
		f, err := os.OpenFile(s.want.Program, os.O_RDWR, 0)
		if err != nil {
			s.Fatal(err)
		}
		s.session()
		s.until("waiting for the linker", func(now Status) bool {
			return now.State == Waiting && now.Why == "the program is being written"
		})
		// It is looked at some more times.
		for end := time.Now().Add(2 * writing); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			if now := s.Status(); now.PID != 0 {
				s.Fatalf("begun: %+v", now)
			}
		}
		if err := f.Close(); err != nil {
			s.Fatal(err)
		}
		s.ready()
	})
}

func TestAProcessThatDiesIsReplacedSomeTimes(t *testing.T) {
	each(t, Options{}, func(s *story) {
		s.session()
		for range deaths {
			pid := s.ready()
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				s.Fatal(err)
			}
			s.until("another", func(now Status) bool { return now.State == Ready && now.PID != pid })
		}
		pid := s.ready()
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			s.Fatal(err)
		}
		s.until("gone", func(now Status) bool { return now.State == Gone })
		// The next session begins anew.
		s.session()
		s.ready()
	})
}

func TestAnLLDBThatCannotReadTheProgramIsGivenUp(t *testing.T) {
	each(t, Options{}, func(s *story) {
		if err := os.WriteFile(filepath.Join(s.dir, dies), nil, 0o600); err != nil {
			s.Fatal(err)
		}
		s.session()
		s.until("gone", func(now Status) bool { return now.State == Gone && now.PID == 0 })
	})
}

func TestItGoesWhenMemoryIsShort(t *testing.T) {
	each(t, Options{}, func(s *story) {
		s.session()
		pid := s.ready()
		why := "others wait for memory"
		s.short.Store(&why)
		if now := s.until("gone", func(now Status) bool { return now.State == Gone }); now.Why != why {
			s.Errorf("%+v", now)
		}
		s.gone(pid)
		// And none is begun.
		s.session()
		s.until("gone", func(now Status) bool { return now.State == Gone && now.PID == 0 })
		why = ""
		s.short.Store(&why)
		s.session()
		s.ready()
	})
}

func TestItGoesWhenNobodyDebugsForLong(t *testing.T) {
	each(t, Options{Idle: time.Second}, func(s *story) {
		s.session()
		pid := s.ready()
		s.until("gone", func(now Status) bool { return now.State == Gone })
		s.gone(pid)
		// A build does not bring it back.
		s.build()
		time.Sleep(300 * time.Millisecond)
		if now := s.Status(); now.State != Gone {
			s.Errorf("%+v", now)
		}
	})
}

func TestItGoesWithTheWindow(t *testing.T) {
	each(t, Options{}, func(s *story) {
		s.session()
		pid := s.ready()
		s.Close()
		s.gone(pid)
		if p, _ := s.Take(s.want); p != nil {
			s.Errorf("process %d after the end", p.PID())
		}
		s.Next(s.want)
		s.Done()
	})
}

// Whatever comes when, there is one process at most, and none behind the end.
func TestAllAtOnce(t *testing.T) {
	each(t, Options{}, func(s *story) {
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for i := range 6 {
					p, _ := s.Take(s.want)
					s.Next(s.want)
					if p != nil {
						p.Close()
					}
					s.Done()
					if i%3 == 0 {
						s.Drop()
					}
					time.Sleep(20 * time.Millisecond)
				}
			})
		}
		all.Go(func() {
			for range 10 {
				s.build()
				time.Sleep(20 * time.Millisecond)
			}
		})
		all.Go(func() {
			for range 100 {
				if dirs, _ := filepath.Glob(filepath.Join(s.dir, "w*")); len(dirs) > 5 { // those that end, with those that sessions have
					s.Error(fmt.Sprint("folders: ", dirs))
				}
				time.Sleep(5 * time.Millisecond)
			}
		})
		all.Wait()
	})
}
