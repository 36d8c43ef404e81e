package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/internal/process"
	"github.com/envoydbg/envoydbg/test/support/harness"
	"github.com/envoydbg/envoydbg/test/support/pty"
)

// keys types what no command is.
func (r *terminal) keys(keys string) {
	r.t.Helper()
	if _, err := r.stdin.WriteString(keys); err != nil {
		r.t.Fatal(err)
	}
}

// answers types keys, and waits for what is shown from then on: the texts, one
// after another.
func (r *terminal) answers(keys string, texts ...string) {
	r.t.Helper()
	from := len(r.String())
	r.keys(keys)
	for _, text := range texts {
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
			if at := strings.Index(r.String()[from:], text); at >= 0 {
				from += at + len(text)
				break
			}
			if time.Now().After(deadline) {
				r.t.Fatalf("%q was not answered with %q but\n%s", keys, text, r.String()[from:])
			}
		}
	}
}

const prompt = "(envoydbg) "

// What a user of gdb or LLDB types means what they expect.
func TestThePromptIsADebuggers(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		r := startAtKeyboard(t, s, s.Sample(), "xterm", 80)
		r.answers("", "● stopped", "Envoy::MainCommon::main", "→", prompt)
		r.answers("bt\r", "* #0", "Envoy::MainCommon::main", "  #1", prompt)
		r.answers("p argc\r", "(int)", prompt)
		r.answers("p not_here\r", "error: ", "not_here", prompt)
		r.answers("frobnicate\r", "'frobnicate' is not a valid command", prompt)
		r.answers("b Envoy::Server::InstanceImpl::loadRuntimeFlags\r", "Breakpoint ", ": Envoy::Server::InstanceImpl::loadRuntimeFlags", "source/server/server.cc:", prompt)
		r.answers("c\r", "● stopped", "InstanceImpl::loadRuntimeFlags", "→", prompt)

		// The selected frame is the one that expressions and variables are about.
		r.answers("p options.concurrency\r", "error: ", prompt)
		r.answers("up\r", "#1", "InstanceImpl::initialize", "→", prompt)
		r.answers("p options.concurrency\r", "uint32_t) 1", prompt)
		r.answers("info args\r", "options", prompt)
		r.answers("down\r", "#0", "InstanceImpl::loadRuntimeFlags", prompt)
		r.answers("down\r", "innermost", prompt)
		r.answers("frame 1\r", "#1", "InstanceImpl::initialize", prompt)
		r.answers("l\r", "→", prompt)
		r.answers("f 0\r", "#0", prompt)

		r.answers("tbreak Envoy::Server::InstanceImpl::listenForSignals\r", "Temporary breakpoint ", "listenForSignals", prompt)
		r.answers("c\r", "● stopped", "InstanceImpl::listenForSignals", prompt)
		before := len(r.String())
		r.answers("info breakpoints\r", "loadRuntimeFlags", prompt)
		if strings.Contains(r.String()[before:], "listenForSignals") {
			t.Error("a temporary breakpoint was hit and is still there")
		}
		r.answers("n\r", "● stopped", "InstanceImpl::listenForSignals", prompt)
		r.answers("\r", "● stopped", "InstanceImpl::listenForSignals", prompt) // next again
		r.answers("watch signal_fd_\r", "Watchpoint created", prompt)
		r.answers("watchpoint delete 1\r", prompt)
		r.answers("finish\r", "● stopped", "InstanceImpl::initialize", prompt)

		// Envoy runs; Ctrl-C pauses it, and commands of a stopped one work again.
		r.answers("c\r", "starting main dispatch loop")
		r.answers("bt\r", "Envoy is running")
		r.answers("\x03", "● stopped", prompt)
		r.answers("info threads\r", "thread #1", "thread #2", prompt)
		r.answers("thread 2\r", "#0", prompt)
		r.answers("c\r", "running")
		r.keys("\x03\x03")
		if code, _ := r.ends(runEndsWithin); code != 130 {
			t.Errorf("exit code %d after the second Ctrl-C", code)
		}
		r.shows("nothing is left running")
	})
}

func TestTabCompletesAndTheHistoryIsKept(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		r := startAtKeyboard(t, s, s.Sample(), "xterm", 80)
		r.answers("", "● stopped", prompt)
		r.answers("p arg\t", "argc  argv")
		r.answers("\x15fin\t", "finish ")
		r.answers("\x15breakpoint comm\t", "breakpoint command ")
		r.answers("\x15p argc + 1\r", "(int)", prompt)
		r.keys("q\r")
		if code, _ := r.ends(runEndsWithin); code != 0 {
			t.Errorf("exit code %d", code)
		}
		path := filepath.Join(s.Dir, "envoydbg", "history")
		if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
			t.Errorf("the history: %v, %v", st, err)
		}

		r = startAtKeyboard(t, s, s.Sample(), "xterm", 80)
		r.answers("", "● stopped", prompt)
		r.answers("\x1b[A\x1b[A\r", "p argc + 1", "(int)", prompt)
		r.keys("q\r")
		r.ends(runEndsWithin)
	})
}

func TestEnterStartsTheAgent(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		r := startAtKeyboard(t, s, s.Sample(), "xterm", 80, "--start", "manual")
		r.answers("", "✓ armed", "press Enter to start the agent", prompt)
		r.answers("bt\r", "Envoy is not there yet", prompt)
		r.answers("\r", "✓ agent started", "● stopped", prompt)
		r.keys("q\r")
		if code, _ := r.ends(runEndsWithin); code != 0 {
			t.Errorf("exit code %d", code)
		}
	})
}

// A terminal that understands nothing, and a pipe, get lines.
func TestWithoutATerminalToWriteOnThereAreOnlyLines(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		r := startAtKeyboard(t, s, s.Sample(), "dumb", 20)
		r.answers("", "● stopped", prompt)
		r.answers("b nothing_like_this\n", "nothing_like_this", prompt)
		r.answers("finish\n", "starting main dispatch loop")
		r.keys("q\n")
		r.ends(runEndsWithin)
		<-r.read
		code, piped := runOf(t, s, s.Sample(), "bt\nn\nq\n")
		if code != 0 {
			t.Errorf("exit code %d", code)
		}
		for name, out := range map[string]string{"dumb": r.String(), "pipe": piped} {
			if strings.ContainsAny(out, "\x1b\b\a") {
				t.Errorf("%s: control characters in %q", name, out)
			}
			if blankLine(out) {
				t.Errorf("%s: a blank line in\n%s", name, out)
			}
		}
		if strings.Contains(piped, prompt) {
			t.Errorf("a prompt for a program:\n%s", piped)
		}
	})
}

// blankLine reports a blank line in what was shown. One behind a command does not
// count: such a terminal ends the typed line itself, so what the agent writes before
// the run has read that line finds a prompt that still seems open.
func blankLine(shown string) bool {
	before := ""
	for line := range strings.Lines(strings.ReplaceAll(shown, "\r", "")) {
		if line == "\n" && before != "" && !strings.HasPrefix(before, prompt) {
			return true
		}
		before = line
	}
	return false
}

// Ctrl-Z gives the terminal back to the shell, and fg the prompt; the session's
// parts go on meanwhile.
func TestCtrlZSuspendsTheRunAlone(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		keyboard, screen, err := pty.Open()
		if err == nil {
			err = pty.Resize(keyboard, 80, 24)
		}
		if err != nil {
			t.Fatal(err)
		}
		run := runCommand(s, s.Sample())
		shell := exec.Command("bash", append([]string{"--norc", "--noprofile", "-i", "-c", `set -m; "$@"; echo the job: $?; stty -a | grep -o ' -\?icanon'; fg; echo the end: $?`, "bash"}, run.Args...)...)
		shell.Env = append(run.Env, "TERM=xterm", "XDG_STATE_HOME="+s.Dir)
		shell.Stdin, shell.Stdout, shell.Stderr = screen, screen, screen
		shell.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
		r := &terminal{t: t, cmd: shell, stdin: keyboard, shown: keyboard, read: make(chan struct{})}
		err = shell.Start()
		_ = screen.Close()
		if err != nil {
			t.Fatal(err)
		}
		r.cleanup()
		r.follow()

		r.answers("", "● stopped", prompt)
		r.answers("\x1a", "the job: 148", "icanon", prompt) // 128 + SIGTSTP
		if strings.Contains(r.String(), "-icanon") {
			t.Error("the shell got a terminal in raw mode")
		}
		r.answers("p argc\r", "(int)", prompt)
		for _, part := range []harness.Part{harness.LLDBDap, harness.Helper} {
			if status, err := process.ReadStatus(waitForPart(t, s, part, nil)); err != nil || strings.HasPrefix(status.Field("State"), "T") {
				t.Errorf("%s: %v, %v", part, status.Field("State"), err)
			}
		}
		r.keys("q\r")
		if code, _ := r.ends(runEndsWithin); code != 0 {
			t.Errorf("exit code %d", code)
		}
		r.shows("the end: 0")
	})
}

// A script that waits for a stop at a place that is nowhere would wait for ever.
func TestAScriptWithABreakpointThatIsNotBoundEnds(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		for _, flags := range [][]string{
			{"-b", "no_such_file.cc:44", "-x", "bt"},
			{"-b", "main", "-x", "b no_such_file.cc:44", "-x", "c", "-x", "bt"},
		} {
			code, out := runOf(t, s, s.Sample(), "", flags...)
			if code != 1 || !strings.Contains(out, "[ED1030]") || !strings.Contains(out, "no_such_file.cc:44") {
				t.Errorf("%v: exit code %d\n%s", flags, code, out)
			}
		}
	})
}
