package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/envoydbg/envoydbg/test/support/harness"
)

// Each is refused with its number and a text that names what to change, before
// any agent has run; and the session can be ended as usual.
func TestWhatCannotWorkIsRefusedBeforeAnythingStarts(t *testing.T) {
	cases := []struct {
		name       string
		attributes func(s *harness.Story) harness.Attributes
		code       int
		says       string
	}{
		{"another build", with("envoyPath", harness.The.Envoy), 1203, "build-id"},
		{"no such target", with("target", "moon/"), 1003, `"moon/"`},
		{"target is no string", with("target", 1), 1001, `"target"`},
		{"program is no string", with("program", 1), 1001, `"program"`},
		{"program is relative", with("program", "bazel-bin/envoy"), 1001, `"program"`},
		{"no such program", with("program", "/nonexistent/envoy"), 1107, "/nonexistent/envoy"},
		{"program is no ELF", func(s *harness.Story) harness.Attributes {
			return s.Sample().With("program", file(s, "#!/bin/sh\n"))
		}, 1107, "corrupt"},
		{"program is a pipe that nobody writes to", func(s *harness.Story) harness.Attributes {
			return s.Sample().With("program", fifo(s.T, s))
		}, 1107, "pipe"},
		{"program is a device", with("program", "/dev/zero"), 1107, "/dev/zero"},
		{"program is a folder", with("program", "/usr"), 1107, "/usr"},
		{"program is a broken ELF", func(s *harness.Story) harness.Attributes {
			b, err := os.ReadFile(harness.The.SampleDebug)
			if err != nil {
				s.T.Fatal(err)
			}
			return s.Sample().With("program", file(s, string(b[:64])+strings.Repeat("\xff", 4096)))
		}, 1107, "corrupt"},
		{"no such envoyPath", with("envoyPath", "/nonexistent/envoy"), 1205, "/nonexistent/envoy"},
		{"no such lldb-dap", with("lldbDap", "/nonexistent/lldb-dap"), 1101, "/nonexistent/lldb-dap"},
		{"no such lldb-server", with("lldbServer", "/nonexistent/lldb-server"), 1201, "/nonexistent/lldb-server"},
		{"lldbServer is another program", with("lldbServer", "/bin/true"), 1206, "/bin/true"},
		{"lldbDap is another program", with("lldbDap", "/bin/true"), 1103, "/bin/true"},
		{"lldbDap is too old (a fake)", fake("old"), 1102, "18.1.8"},
		{"lldbDap says nothing (a fake)", fake("mute"), 1103, "fake"},
		{"agent.command is empty", agentWith("command", []string{}), 1001, `"agent.command"`},
		{"agent.start is unknown", agentWith("start", "later"), 1001, `"agent.start"`},
		{"agent.env holds a number", agentWith("env", map[string]int{"A": 1}), 1001, "agent.env"},
		{"agent.cwd is no folder", agentWith("cwd", "/nonexistent"), 1001, `"agent.cwd"`},
		{"the agent's program is not in PATH", agentWith("command", []string{"no-such-agent"}), 1019, "no-such-agent"},
		{"the agent's program is not there", agentWith("command", []string{"/nonexistent/agent"}), 1019, "/nonexistent/agent"},
		{"the agent's program is not executable", func(s *harness.Story) harness.Attributes {
			return agentWith("command", []string{notExecutable(s, "#!/bin/sh\n")})(s)
		}, 1020, "mode -rw-"},
		{"lldb-dap is not executable", func(s *harness.Story) harness.Attributes {
			return s.Sample().With("lldbDap", notExecutable(s, "#!/bin/sh\n"))
		}, 1020, "run lldb-dap"},
		{"lldb-server is not executable", func(s *harness.Story) harness.Attributes {
			return s.Sample().With("lldbServer", notExecutable(s, "#!/bin/sh\n"))
		}, 1020, "run lldb-server"},
		{"no such work tree", with("workTree", "/nonexistent"), 1001, `"workTree"`},
		{"no such folder in the source map", with("sourceMap", [][]string{{"/proc/self/cwd", "/nonexistent"}}), 1001, `"sourceMap"`},
		{"a name that is nearly right", with("breakPointPreset", []string{"main"}), 1001, `"breakpointPresets"`},
		{"an attribute of the agent that is nearly right", agentWith("enviroment", "x"), 1001, "command, env, cwd, envFile, output, start"},
		{"an agent's attribute in the wrong place", with("command", []string{"x"}), 1001, `"agent": {"command": …}`},
		{"no target", with("target", nil), 1001, `"target": "local"`},
		{"a misspelled target", func(s *harness.Story) harness.Attributes {
			return s.Sample().With("target", nil).With("tarket", "local")
		}, 1001, `"tarket"`},
		{"no such preset", with("breakpointPresets", []string{"everything"}), 1001, `"breakpointPresets"`},
		{"startTimeout is negative", with("startTimeout", -1), 1001, `"startTimeout"`},
		{"attachCommands", with("attachCommands", []string{"x"}), 1001, `"attachCommands"`},
		{"pid", with("pid", 1), 1001, `"pid"`},
	}
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		for _, x := range cases {
			t.Run(x.name, func(t *testing.T) {
				s := harness.NewStory(t, s.LLDB)
				c := s.Start()
				c.Initialize()
				c.Attach(x.attributes(s))
				if e := c.AttachFails(); e.Code != x.code || !strings.Contains(e.Text, x.says) {
					t.Errorf("ED%d %q, want ED%d with %q", e.Code, e.Text, x.code, x.says)
				}
				if n := len(c.Events("terminated")); n != 0 {
					t.Error("terminated after an attach that has failed")
				}
				if pids := c.Parts(harness.Agent); len(pids) != 0 {
					t.Errorf("an agent runs: %v", pids)
				}
				c.Disconnect()
			})
		}
	})
}

func with(name string, value any) func(*harness.Story) harness.Attributes {
	return func(s *harness.Story) harness.Attributes { return s.Sample().With(name, value) }
}

func agentWith(name string, value any) func(*harness.Story) harness.Attributes {
	return func(s *harness.Story) harness.Attributes {
		a := s.Sample()
		if name == "command" {
			// The harness looks at the command; only the adapter gets this one.
			agent := a["agent"].(map[string]any)
			return harness.Attributes{"target": "local", "program": a["program"], "envoyPath": a["envoyPath"],
				"agent": any(struct {
					Command any `json:"command"`
					Cwd     any `json:"cwd"`
				}{value, agent["cwd"]})}
		}
		return a.Agent(map[string]any{name: value})
	}
}

func fake(kind string) func(*harness.Story) harness.Attributes {
	return func(s *harness.Story) harness.Attributes { return s.Sample().With("lldbDap", fakeDap(s, kind)) }
}

// fakeDap is the path of a fake of that kind.
func fakeDap(s *harness.Story, kind string) string {
	s.T.Helper()
	path := filepath.Join(s.Dir, "fake-lldb-dap-"+kind)
	if err := os.Symlink(fakeProgram, path); err != nil {
		s.T.Fatal(err)
	}
	return path
}

// file writes a file of the story's.
func file(s *harness.Story, content string) string {
	s.T.Helper()
	path := filepath.Join(s.Dir, "corrupt")
	if err := os.WriteFile(path, []byte(content), 0o700); err != nil {
		s.T.Fatal(err)
	}
	return path
}

// notExecutable writes a file that may not be executed.
func notExecutable(s *harness.Story, content string) string {
	s.T.Helper()
	path := file(s, content)
	if err := os.Chmod(path, 0o600); err != nil {
		s.T.Fatal(err)
	}
	return path
}

// A name that is like none that is known may be one of another LLDB's, and the session
// goes on; so it does with what lldb-dap would do with a program of its own. Both are
// told.
func TestAttributesWithoutEffectAreWarnings(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		c.Attach(s.Sample().With("miDebuggerPath", "/usr/bin/gdb").With("args", []string{"x"}).With("preLaunchTask", "build").With("__sessionId", "7"))
		c.Configure(mainPlace(s))
		at(t, c.Stopped(0), "Envoy::MainCommon::main", mainPlace(s))
		var told []string
		for _, e := range c.Events("output") {
			if e.Get("body.category").Str == "important" {
				told = append(told, e.Get("body.output").Str)
			}
		}
		if all := strings.Join(told, ""); len(told) != 2 || !strings.Contains(all, `"miDebuggerPath" is not known; it was passed to lldb-dap.`) ||
			!strings.Contains(all, `"args" has no effect in a startup session.`) {
			t.Errorf("told: %q", told)
		}
		c.Disconnect()
	})
}

// The shortest configuration: what has the symbols is what runs.
func TestProgramAloneIsWhatRuns(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		c.Attach(s.Sample().With("envoyPath", nil))
		c.Configure(mainPlace(s))
		at(t, c.Stopped(0), "Envoy::MainCommon::main", mainPlace(s))
		c.Disconnect()
	})
}

// The helper stands beside envoydbg; each thing that can be wrong with it is told.
func TestWhatIsWrongWithTheHelperIsTold(t *testing.T) {
	t.Parallel()
	s := harness.NewStory(t, harness.The.LLDBs[0])
	a := s.Sample()
	helper := "envoydbg-helper-linux-" + runtime.GOARCH
	for _, x := range []struct {
		name, says string
		install    func(path string) error
	}{
		{"missing", "[ED1105]", func(string) error { return nil }},
		{"not executable", "is not permitted to run the helper program.", func(path string) error { return os.WriteFile(path, []byte("\x7fELF"), 0o600) }},
		{"a text file", "The helper program does not start.", func(path string) error { return os.WriteFile(path, []byte("text"), 0o700) }},
	} {
		dir := t.TempDir()
		envoydbg := filepath.Join(dir, "envoydbg")
		// Not written by this process, see Story.NamedSample.
		if out, err := exec.Command("cp", harness.The.Envoydbg, envoydbg).CombinedOutput(); err != nil {
			t.Fatalf("cp: %v\n%s", err, out)
		}
		if err := x.install(filepath.Join(dir, helper)); err != nil {
			t.Fatal(err)
		}
		cmd := runCommand(s, a, "-x", "quit")
		cmd.Path = envoydbg
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), x.says) || !strings.Contains(string(out), filepath.Join(dir, helper)) ||
			strings.Contains(string(out), "fork/exec") {
			t.Errorf("%s: %v, want %q\n%s", x.name, err, x.says, out)
		}
	}
}

// The same faults speak of attributes in an editor and of flags in a terminal.
func TestInATerminalErrorsSpeakOfFlags(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		for _, x := range []struct {
			name       string
			attributes harness.Attributes
			flags      []string
			code       int
			says       []string
		}{
			{"another build", s.Sample().With("envoyPath", harness.The.Envoy), nil, 1, []string{"--program     ", "--envoy-path  ", "Set --program to", "[ED1203]"}},
			{"no such program", s.Sample().With("program", "/nonexistent/envoy"), nil, 1, []string{"Set --program to", "[ED1107]"}},
			{"lldb-server is another program", s.Sample(), []string{"--lldb-server", "/bin/true"}, 1, []string{"set --lldb-server to", "[ED1206]"}},
			{"a wrong value", s.Sample(), []string{"--start-timeout", "-1"}, 2, []string{"--start-timeout is -1", "[ED1010]"}},
			{"an attribute that is unknown", s.Sample(), []string{"--set", "frobnicate=1", "--start-timeout", "0.01"}, 1, []string{`"frobnicate" is not known`, "[ED1017]"}},
		} {
			cmd := runCommand(s, x.attributes, append(x.flags, "-x", "quit")...)
			out, _ := cmd.CombinedOutput() // the exit code says it
			if cmd.ProcessState.ExitCode() != x.code {
				t.Errorf("%s: exit code %d, want %d\n%s", x.name, cmd.ProcessState.ExitCode(), x.code, out)
			}
			for _, text := range x.says {
				if !strings.Contains(string(out), text) {
					t.Errorf("%s does not say %q:\n%s", x.name, text, out)
				}
			}
			for _, text := range []string{`"program"`, `"envoyPath"`, `"lldbServer"`, `"startTimeout"`, "launch.json"} {
				if strings.Contains(string(out), text) {
					t.Errorf("%s says %s:\n%s", x.name, text, out)
				}
			}
		}
	})
}

// The attribute has the last word: initialize came before it could be known.
func TestLLDBDapOfTheAttributeReplacesTheFlags(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		other := harness.The.LLDBs[0]
		if other == s.LLDB {
			other = harness.The.LLDBs[1]
		}
		c := s.Start("--lldb-dap", other.DAP)
		first := c.Initialize()
		c.Attach(s.Sample().With("lldbDap", s.LLDB.DAP))
		caps := c.Seen(0, "capabilities")
		first.Get("body").ForEach(func(key, value gjson.Result) bool {
			if value.Bool() && !caps.Get("body.capabilities."+key.Str).Exists() && !strings.HasPrefix(key.Str, "$") && key.Str != "__lldb" {
				t.Errorf("the capability %s is neither confirmed nor taken back", key.Str)
			}
			return true
		})
		c.Configure(mainPlace(s))
		at(t, c.Stopped(0), "Envoy::MainCommon::main", mainPlace(s))
		if pids := c.Parts(harness.LLDBDap); len(pids) != 1 {
			t.Errorf("%d lldb-dap run, want 1", len(pids))
		}
		if d := c.Phase("preflight", "end").Get("body.detail").Str; !strings.Contains(d, "lldb-dap "+s.LLDB.String()[len("LLDB "):]+".") {
			t.Errorf("the phase says %q", d)
		}
		c.Disconnect()
	})
}

// Requests at the wrong time have an answer, too.
func TestRequestsOutOfOrderAreRefused(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		if e := c.Refused("threads", nil); e.Code != 1903 {
			t.Errorf("threads before initialize: %v", e)
		}
		if e := c.Refused("attach", s.Sample()); e.Code != 1903 {
			t.Errorf("attach before initialize: %v", e)
		}
		c.Initialize()
		if e := c.Refused("initialize", map[string]any{}); e.Code != 1903 {
			t.Errorf("a second initialize: %v", e)
		}
		c.Attach(s.Sample())
		if e := c.Refused("attach", s.Sample()); e.Code != 1903 {
			t.Errorf("a second attach: %v", e)
		}
		c.Configure(mainPlace(s))
		c.Stopped(0)
		if e := c.Refused("restart", map[string]any{}); e.Code != 1402 {
			t.Errorf("restart: %v", e)
		}
		c.Disconnect()
	})
}

// What is no DAP is told and ends the session.
func TestAClientThatSpeaksNoDAPIsTold(t *testing.T) {
	t.Parallel()
	s := harness.NewStory(t, harness.The.LLDBs[0])
	cmd := exec.CommandContext(s.Ctx, harness.The.Envoydbg, "dap")
	cmd.Env = s.Env()
	cmd.Stdin = strings.NewReader("GET / HTTP/1.1\r\n\r\n")
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err == nil || !strings.Contains(said.String(), "[ED1902]") {
		t.Errorf("it ended with %v and said %q", err, said.String())
	}
}
