package e2e

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/test/support/harness"
)

// terminal runs `envoydbg run` on a story's Envoy and returns what it printed;
// input is the keyboard. The launch attributes of the story become flags.
func terminal(t *testing.T, s *harness.Story, a harness.Attributes, input string, flags ...string) (string, error) {
	t.Helper()
	agent := a["agent"].(map[string]any)
	args := []string{"run", "--lldb-dap", s.LLDB.DAP, "--program", a["program"].(string), "--envoy-path", a["envoyPath"].(string),
		"--cwd", agent["cwd"].(string), "--work-tree", harness.The.Sources}
	for name, value := range agent["env"].(map[string]string) {
		args = append(args, "--env", name+"="+value)
	}
	args = append(append(args, flags...), "--")
	args = append(args, agent["command"].([]string)...)
	cmd := exec.CommandContext(s.Ctx, harness.The.Envoydbg, args...)
	cmd.Env = s.Env()
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	if t.Failed() {
		t.Logf("%s", out)
	}
	return string(out), err
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
		out, err := terminal(t, s, s.Sample(), "", "-x", "bt", "-x", "next", "-x", "continue",
			"-x", "until starting main dispatch loop", "-x", "quit")
		if err != nil {
			t.Error(err)
		}
		inOrder(t, out, "✓ preflight", "✓ debug server", "✓ symbols", "✓ armed", "clock_nanosleep",
			"✓ agent started", "✓ attached", "✓ breakpoints", "1 of 1 verified",
			"● stopped", "Envoy::MainCommon::main", "source/exe/main_common.cc:", "→",
			"#0", "#1", "main.cc:", "● stopped", "starting main dispatch loop", "nothing is left running")
	})
}

func TestRunReadsItsCommandsFromTheInput(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		out, err := terminal(t, s, s.Sample(), "start\nb\nl expression 6*7\nnonsense\nn\nq\n", "--start", "manual")
		if err != nil {
			t.Error(err)
		}
		inOrder(t, out, "✓ armed", "waiting for Envoy: Start Agent", "✓ agent started", "● stopped", "#0", "= 42", "there is no command nonsense", "● stopped", "session ended")
	})
}

func TestRunTellsAProgramInJSONLines(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		out, err := terminal(t, s, s.RealEnvoy(), "", "-o", "json", "-b", "main", "-b", "libevent", "-x", "bt", "-x", "continue", "-x", "bt")
		if err != nil {
			t.Error(err)
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
		out, err := terminal(t, s, a, "")
		if err == nil {
			t.Error("exit code 0 for a program of another build")
		}
		inOrder(t, out, "The local program is not the Envoy that will run.", "[ED1203]")
	})
}
