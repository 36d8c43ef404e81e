package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/internal/process"
	"github.com/envoydbg/envoydbg/test/support/harness"
	"github.com/envoydbg/envoydbg/test/support/pty"
)

// runEndsWithin is how long the end of a run may take, whatever blocks.
const runEndsWithin = 5 * time.Second

// blockage brings a run to where something blocks.
type blockage struct {
	name string
	// reach starts the run. Its output is followed when it returns.
	reach func(t *testing.T, s *harness.Story) *terminal
	// input says that a command is under way when the input ends, which is an
	// error of its own.
	input bool
	// once says that the first version of LLDB is enough.
	once bool
}

var blockages = []blockage{
	{name: "lldb-dap does not answer initialize (a fake)", once: true, reach: func(t *testing.T, s *harness.Story) *terminal {
		r := startRun(t, s, s.Sample(), "--lldb-dap", fakeDap(s, "deaf"))
		waitForPart(t, s, harness.LLDBDap, func(p harness.Proc) bool { return strings.Contains(p.Args[0], "deaf") })
		return r
	}},
	{name: "debug server: lldb-server does not tell its version", once: true, reach: func(t *testing.T, s *harness.Story) *terminal {
		server := filepath.Join(s.Dir, "lldb-server")
		if err := os.WriteFile(server, []byte("#!/bin/sh\nexec sleep 1000\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		return reachPhase(t, s, s.Sample(), "debug server", "--lldb-server", server)
	}},
	{name: "symbols: LLDB reads a pipe", reach: func(t *testing.T, s *harness.Story) *terminal {
		return reachPhase(t, s, s.Sample(), "symbols", "--set", fmt.Sprintf(`preRunCommands=["command source %s"]`, fifo(t, s)))
	}},
	{name: "armed, waiting for the user", reach: func(t *testing.T, s *harness.Story) *terminal {
		r := startRun(t, s, s.Sample(), "--start", "manual")
		r.shows(`"state":"waiting"`)
		return r
	}},
	{name: "the agent starts no Envoy", reach: func(t *testing.T, s *harness.Story) *terminal {
		return reachPhase(t, s, s.Sample().Agent(map[string]any{"command": []string{"/bin/sleep", "1000"}}), "attached")
	}},
	{name: "Envoy at the gate, the debug server stopped", reach: func(t *testing.T, s *harness.Story) *terminal {
		r := startRun(t, s, s.Sample(), "--start", "manual")
		r.shows(`"state":"waiting"`)
		stopPart(t, s, harness.GDBServer)
		r.types("start")
		waitForPart(t, s, harness.Gate, nil)
		return r
	}},
	{name: "at the prompt", reach: func(t *testing.T, s *harness.Story) *terminal {
		return reachStop(t, s)
	}},
	{name: "at the prompt, lldb-dap stopped", reach: func(t *testing.T, s *harness.Story) *terminal {
		r := reachStop(t, s)
		stopPart(t, s, harness.LLDBDap)
		return r
	}},
	{name: "at the prompt, the helper stopped", once: true, reach: func(t *testing.T, s *harness.Story) *terminal {
		r := reachStop(t, s)
		stopPart(t, s, harness.Helper)
		return r
	}},
	{name: "an expression that loops", input: true, reach: func(t *testing.T, s *harness.Story) *terminal {
		return reachCommand(t, s, "expression -- while (true) {}")
	}},
	// LLDB 22 comes without its Python.
	{name: "a script that loops", input: true, once: true, reach: func(t *testing.T, s *harness.Story) *terminal {
		return reachCommand(t, s, "script while True: pass")
	}},
	{name: "process continue", reach: func(t *testing.T, s *harness.Story) *terminal {
		r := reachStop(t, s)
		r.types("process continue")
		r.shows("starting main dispatch loop")
		return r
	}},
	{name: "a text that does not come", input: true, reach: func(t *testing.T, s *harness.Story) *terminal {
		r := reachStop(t, s)
		r.types("c")
		r.types("await nothing like this")
		r.shows("starting main dispatch loop")
		return r
	}},
	{name: "running", reach: func(t *testing.T, s *harness.Story) *terminal {
		r := reachStop(t, s)
		r.types("c")
		r.shows("starting main dispatch loop")
		return r
	}},
	{name: "the output is not read", reach: func(t *testing.T, s *harness.Story) *terminal {
		// It says more than any pipe holds, and then where it is.
		said := filepath.Join(s.Dir, "said")
		agent := []string{"/bin/sh", "-c", `head -c 1000000 /dev/zero | tr '\0' x; echo done >"$0"; exec sleep 1000`, said}
		r := startTerminal(t, s, s.Sample().Agent(map[string]any{"command": agent}), false, "-o", "json")
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
			if _, err := os.Stat(said); err == nil {
				return r
			}
			if time.Now().After(deadline) {
				t.Fatal("the agent has not come to its end")
			}
		}
	}},
}

// startRun starts a run whose output is JSON and is read.
func startRun(t *testing.T, s *harness.Story, a harness.Attributes, flags ...string) *terminal {
	t.Helper()
	r := startTerminal(t, s, a, false, append([]string{"-o", "json"}, flags...)...)
	r.follow()
	return r
}

func reachPhase(t *testing.T, s *harness.Story, a harness.Attributes, phase string, flags ...string) *terminal {
	t.Helper()
	r := startRun(t, s, a, flags...)
	r.shows(fmt.Sprintf(`{"phase":%q,"state":"begin"`, phase))
	return r
}

func reachStop(t *testing.T, s *harness.Story) *terminal {
	t.Helper()
	r := startRun(t, s, s.Sample())
	r.shows(`"kind":"stopped"`)
	return r
}

// reachCommand gives a command that does not return, when Envoy is stopped. LLDB
// has it when it uses the processor for it.
func reachCommand(t *testing.T, s *harness.Story, command string) *terminal {
	t.Helper()
	r := reachStop(t, s)
	r.types(command)
	time.Sleep(500 * time.Millisecond) // nothing tells that LLDB has begun
	return r
}

// fifo is a pipe that nobody writes to, nor ever opens for it.
func fifo(t *testing.T, s *harness.Story) string {
	t.Helper()
	path := filepath.Join(s.Dir, "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// waitForPart waits for a process of the story, and returns its PID.
func waitForPart(t *testing.T, s *harness.Story, part harness.Part, is func(harness.Proc) bool) int {
	t.Helper()
	if is == nil {
		is = part.Is
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		for _, p := range s.Processes() {
			if is(p) {
				return p.PID
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("no %s among %v", part, s.Processes())
		}
	}
}

func stopPart(t *testing.T, s *harness.Story, part harness.Part) {
	t.Helper()
	if err := syscall.Kill(waitForPart(t, s, part, nil), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
}

// Whatever blocks, and however the end is asked for, a run ends in time, with the
// exit code that says why, and leaves nothing behind (which every story checks).
func TestARunEndsWhateverBlocks(t *testing.T) {
	signal := func(sig syscall.Signal) func(t *testing.T, r *terminal) {
		return func(t *testing.T, r *terminal) {
			if err := r.cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
		}
	}
	asks := []struct {
		name string
		ask  func(t *testing.T, r *terminal)
		code int
	}{
		{"SIGTERM", signal(syscall.SIGTERM), 143},
		{"SIGINT", signal(syscall.SIGINT), 130},
		{"end of the input", func(_ *testing.T, r *terminal) { _ = r.stdin.Close() }, 0},
	}
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		for _, b := range blockages {
			if b.once && s.LLDB != harness.The.LLDBs[0] {
				continue
			}
			for _, a := range asks {
				if b.name == "the output is not read" && a.code == 0 {
					continue // the loop cannot know, and is held back as the agent is
				}
				t.Run(b.name+", "+a.name, func(t *testing.T) {
					t.Parallel()
					s := harness.NewStory(t, s.LLDB)
					r := b.reach(t, s)
					want := a.code
					if b.input && want == 0 {
						want = 1
					}
					a.ask(t, r)
					code, took := r.ends(runEndsWithin)
					if code != want {
						t.Errorf("exit code %d, want %d", code, want)
					}
					t.Logf("ended after %.1f s", took.Seconds())
				})
			}
		}
	})
}

// A person's keyboard: Ctrl-C, Ctrl-D, and quit beside a command that does not
// return.
func TestARunEndsFromTheKeyboard(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		for _, x := range []struct {
			name, kind, before, keys string
			code                     int
		}{
			{"Ctrl-C at the prompt", "xterm", "", "\x03", 130},
			{"Ctrl-C at the prompt, dumb", "dumb", "", "\x03", 130},
			{"Ctrl-D at the prompt, twice", "xterm", "", "\x04\x04", 0},
			{"Ctrl-D at the prompt, twice, dumb", "dumb", "", "\x04\x04", 0},
			{"Ctrl-D at the prompt, and yes", "xterm", "", "\x04y\n", 0},
			{"SIGTERM at the prompt", "xterm", "", "", 143},
			{"q at the prompt", "xterm", "", "q\n", 0},
			{"Ctrl-C in a loop", "xterm", "expression -- while (true) {}\n", "\x03", 130},
			{"Ctrl-C in a loop, dumb", "dumb", "expression -- while (true) {}\n", "\x03", 130},
			{"Ctrl-D in a loop", "xterm", "expression -- while (true) {}\n", "\x04", 0},
			{"q in a loop", "xterm", "expression -- while (true) {}\n", "q\n", 0},
		} {
			t.Run(x.name, func(t *testing.T) {
				t.Parallel()
				s := harness.NewStory(t, s.LLDB)
				r := startAtKeyboard(t, s, s.Sample(), x.kind, 80)
				r.shows("● stopped")
				r.shows("(envoydbg) ")
				if x.before != "" {
					_, _ = r.stdin.WriteString(x.before)
					time.Sleep(500 * time.Millisecond) // nothing tells that LLDB has begun
				}
				if x.code == 143 {
					_ = r.cmd.Process.Signal(syscall.SIGTERM)
				}
				_, _ = r.stdin.WriteString(x.keys)
				if code, _ := r.ends(runEndsWithin); code != x.code {
					t.Errorf("exit code %d, want %d", code, x.code)
				}
				r.shows("nothing is left running")
				if raw, err := pty.Raw(r.stdin); err != nil || raw {
					t.Errorf("the terminal was left in raw mode (%v)", err)
				}
			})
		}
	})
}

// A terminal window that is closed takes its session with it.
func TestAClosedTerminalEndsARun(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		for _, kind := range []string{"xterm", "dumb"} {
			r := startAtKeyboard(t, s, s.Sample(), kind, 80)
			r.shows("● stopped")
			_ = r.stdin.Close()
			if code, _ := r.ends(runEndsWithin); code == 0 {
				t.Errorf("%s: exit code %d", kind, code)
			}
			s.NoProcessLeft()
		}
	})
}

func TestCtrlCEndsAStartup(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		r := startAtKeyboard(t, s, s.Sample().Agent(map[string]any{"command": []string{"/bin/sleep", "1000"}}), "xterm", 20)
		r.shows("… waiting for")
		_, _ = r.stdin.WriteString("\x03")
		if code, _ := r.ends(runEndsWithin); code != 130 {
			t.Errorf("exit code %d", code)
		}
		r.shows("nothing is left running")
	})
}

// The texts that are waited for are not in the agent's command, which is shown, too.
func TestTheMemoryOfARunDoesNotGrowWithItsOutput(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		const megabytes, most = 300, 40 // of output, of more memory
		line := strings.Repeat("x", 99)
		talk := func(megabytes int) string { return fmt.Sprintf("yes %s | head -c %d", line, megabytes*1_000_000) }
		agent := []string{"/bin/sh", "-c", talk(10) + "; printf '\\nthe %s\\n' first; read go <$0; " + talk(megabytes) + "; printf '\\nthe %s\\n' last; exec sleep 1000", fifo(t, s)}
		r := startTerminal(t, s, s.Sample().Agent(map[string]any{"command": agent}), false, "--set", "startTimeout=600")
		tail, done := make(chan string, 64), make(chan struct{})
		go watchFor(r.shown, []string{"the first", "the last"}, tail, done)
		wait := func(text string) {
			t.Helper()
			select {
			case got := <-tail:
				if got != text {
					t.Fatalf("got %q", got)
				}
			case <-done:
				t.Fatalf("the output has ended without %q", text)
			case <-time.After(80 * time.Second):
				t.Fatalf("%q has not come", text)
			}
		}
		wait("the first")
		before := peak(t, r.cmd.Process.Pid)
		if err := os.WriteFile(agent[3], []byte("\n"), 0); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		wait("the last")
		after := peak(t, r.cmd.Process.Pid)
		t.Logf("at most %d MB before and %d MB after %d MB of output, %.0f MB/s", before, after, megabytes, megabytes/time.Since(began).Seconds())
		if after-before > most {
			t.Errorf("%d MB have become %d MB", before, after)
		}
		_ = r.cmd.Process.Signal(syscall.SIGTERM)
		r.ends(runEndsWithin)
	})
}

// peak is the most memory that a process has used, in MB.
func peak(t *testing.T, pid int) int {
	t.Helper()
	status, err := process.ReadStatus(pid)
	if err != nil {
		t.Fatal(err)
	}
	kb, err := strconv.Atoi(strings.TrimSuffix(status.Field("VmHWM"), " kB"))
	if err != nil {
		t.Fatal(err)
	}
	return kb / 1000
}

// watchFor reads to the end, and tells when a text has come; it keeps nothing.
func watchFor(in *os.File, texts []string, found chan<- string, done chan<- struct{}) {
	defer close(done)
	buf, rest := make([]byte, 256<<10), ""
	for {
		n, err := in.Read(buf)
		now := rest + string(buf[:n])
		for len(texts) > 0 && strings.Contains(now, texts[0]) {
			found <- texts[0]
			texts = texts[1:]
		}
		rest = now[max(0, len(now)-100):]
		if err != nil {
			return
		}
	}
}

// startAtKeyboard starts a run in a terminal of its own, whose keyboard is stdin
// and whose screen is shown.
func startAtKeyboard(t *testing.T, s *harness.Story, a harness.Attributes, kind string, columns int, flags ...string) *terminal {
	t.Helper()
	keyboard, screen, err := pty.Open()
	if err == nil {
		err = pty.Resize(keyboard, columns, 24)
	}
	if err != nil {
		t.Fatal(err)
	}
	r := &terminal{t: t, cmd: runCommand(s, a, flags...), stdin: keyboard, shown: keyboard, read: make(chan struct{})}
	r.cmd.Env = append(r.cmd.Env, "TERM="+kind, "XDG_STATE_HOME="+s.Dir)
	r.cmd.Stdin, r.cmd.Stdout, r.cmd.Stderr = screen, screen, screen
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	err = r.cmd.Start()
	_ = screen.Close()
	if err != nil {
		t.Fatal(err)
	}
	r.cleanup()
	r.follow()
	return r
}
