package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/test/support/harness"
)

// terminal is an `envoydbg run` on a story's Envoy.
type terminal struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin *os.File // the writing end of its input; nil if it has none
	shown *os.File // the reading end of its output
	read  chan struct{}

	mu   sync.Mutex
	text strings.Builder // what it has printed
}

// runCommand is an `envoydbg run` with the launch attributes of a story as flags.
func runCommand(s *harness.Story, a harness.Attributes, flags ...string) *exec.Cmd {
	agent := a["agent"].(map[string]any)
	args := []string{"run", "--program", a["program"].(string), "--envoy-path", a["envoyPath"].(string),
		"--cwd", agent["cwd"].(string), "--work-tree", harness.The.Sources}
	if !slices.Contains(flags, "--lldb-dap") {
		args = append(args, "--lldb-dap", s.LLDB.DAP)
	}
	for name, value := range agent["env"].(map[string]string) {
		args = append(args, "--env", name+"="+value)
	}
	args = append(append(args, flags...), "--")
	cmd := exec.Command(harness.The.Envoydbg, append(args, agent["command"].([]string)...)...)
	cmd.Env = s.Env()
	return cmd
}

// startTerminal starts a run whose input is a pipe, or with none nothing. Its
// output is only read from the first wait on.
func startTerminal(t *testing.T, s *harness.Story, a harness.Attributes, none bool, flags ...string) *terminal {
	t.Helper()
	r := &terminal{t: t, cmd: runCommand(s, a, flags...), read: make(chan struct{})}
	var in, out *os.File
	var err error
	if !none {
		if in, r.stdin, err = os.Pipe(); err != nil {
			t.Fatal(err)
		}
		r.cmd.Stdin = in
	}
	if r.shown, out, err = os.Pipe(); err != nil {
		t.Fatal(err)
	}
	r.cmd.Stdout, r.cmd.Stderr = out, out
	err = r.cmd.Start()
	_ = out.Close()
	if in != nil {
		_ = in.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	r.cleanup()
	return r
}

// cleanup ends at the latest with the test what it has started.
func (r *terminal) cleanup() {
	r.t.Cleanup(func() {
		_ = r.cmd.Process.Kill() // fails when it has ended
		_ = r.shown.Close()
		_ = r.stdin.Close()
		if r.t.Failed() {
			r.t.Logf("shown:\n%s", r.String())
		}
	})
}

// follow reads the output from now on.
func (r *terminal) follow() {
	go func() {
		defer close(r.read)
		buf := make([]byte, 64<<10)
		for {
			n, err := r.shown.Read(buf)
			r.mu.Lock()
			r.text.Write(buf[:n])
			r.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
}

// String is what has been printed.
func (r *terminal) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// shows waits until a text has been printed.
func (r *terminal) shows(text string) {
	r.t.Helper()
	for deadline := time.Now().Add(time.Minute); !strings.Contains(r.String(), text); time.Sleep(5 * time.Millisecond) {
		select {
		case <-r.read:
			if !strings.Contains(r.String(), text) {
				r.t.Fatalf("the run has ended without %q", text)
			}
		default:
			if time.Now().After(deadline) {
				r.t.Fatalf("%q was not printed", text)
			}
		}
	}
}

// types gives a command.
func (r *terminal) types(command string) {
	r.t.Helper()
	if _, err := r.stdin.WriteString(command + "\n"); err != nil {
		r.t.Fatal(err)
	}
}

// ends waits for the run's end and returns its exit code and how long it took.
func (r *terminal) ends(within time.Duration) (int, time.Duration) {
	r.t.Helper()
	began := time.Now()
	late := time.AfterFunc(within, func() {
		r.t.Errorf("the run has not ended within %v", within)
		_ = r.cmd.Process.Kill()
	})
	defer late.Stop()
	_ = r.cmd.Wait() // the exit code says it
	return r.cmd.ProcessState.ExitCode(), time.Since(began)
}

// runOf runs to its end with that input, none if it is empty, and returns the
// exit code and what was printed.
func runOf(t *testing.T, s *harness.Story, a harness.Attributes, input string, flags ...string) (int, string) {
	t.Helper()
	r := startTerminal(t, s, a, input == "", flags...)
	r.follow()
	if input != "" {
		if _, err := r.stdin.WriteString(input); err != nil {
			t.Fatal(err)
		}
		_ = r.stdin.Close()
	}
	code, _ := r.ends(time.Minute)
	<-r.read
	return code, r.String()
}

// inOrder checks that the texts occur one after another.
func inOrder(t *testing.T, out string, texts ...string) {
	t.Helper()
	rest := out
	for _, text := range texts {
		_, after, ok := strings.Cut(rest, text)
		if !ok {
			t.Fatalf("%q is not there, or not in its place, in\n%s", text, out)
		}
		rest = after
	}
}

func TestRunShowsTheStartupFromATerminal(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		code, out := runOf(t, s, s.Sample(), "", "-x", "bt", "-x", "next", "-x", "continue",
			"-x", "await starting main dispatch loop", "-x", "quit")
		if code != 0 {
			t.Errorf("exit code %d", code)
		}
		inOrder(t, out, "✓ preflight", "✓ debug server", "✓ symbols", "✓ armed", "clock_nanosleep",
			"✓ agent started", "✓ attached", "✓ breakpoints", "1 of 1 verified",
			"● stopped", "Envoy::MainCommon::main", "source/exe/main_common.cc:", "→",
			"#0", "#1", "main.cc:", "● stopped", "starting main dispatch loop", "nothing is left running")
	})
}

func TestRunReadsItsCommandsFromTheInput(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		code, out := runOf(t, s, s.Sample(), "start\nbt\nexpression 6*7\nnonsense\nn\nq\n", "--start", "manual")
		if code != 1 { // for nonsense
			t.Errorf("exit code %d", code)
		}
		inOrder(t, out, "✓ armed", "waiting for you to start the agent", "✓ agent started", "● stopped", "#0", "= 42", "'nonsense' is not a valid command", "● stopped", "session ended")
	})
}

func TestRunTellsAProgramInJSONLines(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		code, out := runOf(t, s, s.RealEnvoy(), "", "-o", "json", "-b", "main", "-b", "libevent", "-x", "bt", "-x", "continue", "-x", "bt")
		if code != 0 {
			t.Errorf("exit code %d", code)
		}
		var stops int
		for line := range strings.Lines(out) {
			var object struct {
				Kind string
				Body json.RawMessage
			}
			if err := json.Unmarshal([]byte(line), &object); err != nil {
				t.Fatalf("not a JSON object: %s", line)
			}
			if object.Kind == "stopped" {
				stops++
			}
		}
		if stops != 2 {
			t.Errorf("%d stops, want main and epoll_create1 in\n%s", stops, out)
		}
		inOrder(t, out, "__libc_start_main", "epoll_create1")
	})
}

func TestRunFailsWithTheFaultAndAnExitCode(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		a := s.Sample()
		a["program"] = harness.The.Envoy
		code, out := runOf(t, s, a, "")
		if code != 1 {
			t.Errorf("exit code %d for a program of another build", code)
		}
		inOrder(t, out, "The local program is not the Envoy that will run.", "[ED1203]")
	})
}

// A warning is no error: the preset finds nothing, and the session goes on.
func TestAWarningDoesNotFailARun(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		code, out := runOf(t, s, s.RealEnvoy(), "", "-b", "main", "-b", "syscalls", "-x", "bt", "-x", "quit")
		if code != 0 {
			t.Errorf("exit code %d\n%s", code, out)
		}
		inOrder(t, out, "[ED1403]", "● stopped", "#0", "nothing is left running")
	})
}
