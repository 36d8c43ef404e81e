package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/client"
	"github.com/envoydbg/envoydbg/internal/process"
	"github.com/envoydbg/envoydbg/test/support/harness"
)

// Agents as they are: scripts, version checks, several Envoys, other users.

// scripted are the attributes with an agent that is a shell script, in whose PATH
// is the Envoy to debug. What was the agent is "$@".
func scripted(a harness.Attributes, script string) harness.Attributes {
	agent := a["agent"].(map[string]any)
	env := map[string]string{"PATH": filepath.Dir(a["envoyPath"].(string)) + ":" + os.Getenv("PATH")}
	for name, value := range agent["env"].(map[string]string) {
		env[name] = value
	}
	return a.Agent(map[string]any{"env": env,
		"command": append([]string{"/bin/sh", "-c", script, "sh"}, agent["command"].([]string)...)})
}

// serves says that an Envoy runs undebugged.
func serves(t *testing.T, c *harness.Session, pid int) {
	t.Helper()
	if tracer := harness.Tracer(pid); tracer != 0 {
		t.Errorf("pid %d is traced by %d", pid, tracer)
	}
}

// letThrough waits for the line that a process has been let through the gate, and
// returns its PID.
func letThrough(t *testing.T, c *harness.Session, text string) int {
	t.Helper()
	line := c.Output(text).Get("body.output").Str
	_, rest, _ := strings.Cut(line, "(pid ")
	pid := 0
	if _, err := fmt.Sscanf(rest, "%d", &pid); err != nil {
		t.Fatalf("no pid in %q", line)
	}
	return pid
}

// A script that asks for Envoy's version, and whether its configuration is right,
// before it starts the real agent.
func TestQuestionsBeforeTheStartAreAnsweredAndTheStartIsDebugged(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		c.Attach(scripted(s.RealEnvoy(), `envoy --version && envoy --mode validate --config-yaml '{}' && exec "$@"`).
			With("breakpointPresets", []string{"main"}))
		c.Configure()
		asked := letThrough(t, c, "envoy --version (pid ")
		letThrough(t, c, "envoy --mode validate (pid ")
		c.Output("version: ")
		c.Output("OK") // configuration '' OK
		c.Stopped(0)
		if pid := c.Seen(0, "process").Get("body.systemProcessId").Int(); int(pid) != c.Part(harness.Envoy) || int(pid) == asked {
			t.Errorf("debugs pid %d, want Envoy's, %d", pid, c.Part(harness.Envoy))
		}
		c.Disconnect()
	})
}

// Two Envoys at once: the first at the gate is debugged, the other runs.
func TestOfTwoEnvoysTheFirstIsDebugged(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		c.Attach(scripted(s.Sample(), "envoy & envoy & wait"))
		c.Configure(mainPlace(s))
		at(t, c.Stopped(0), "Envoy::MainCommon::main", mainPlace(s))
		other := letThrough(t, c, "runs without the debugger")
		c.Output("starting main dispatch loop") // the other's: the first stands in main
		serves(t, c, other)
		c.Disconnect()
	})
}

// A hot restart: the agent starts the next epoch while the first is debugged, and
// has long been past startTimeout.
func TestAHotRestartRunsBesideTheDebuggedEnvoy(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		start := filepath.Join(s.Dir, "restart")
		if err := syscall.Mkfifo(start, 0o600); err != nil {
			t.Fatal(err)
		}
		c := s.Start()
		c.Initialize()
		c.Attach(scripted(s.Sample(), "envoy & read x < "+start+"; envoy --restart-epoch 1 & wait").With("startTimeout", 5))
		c.Configure(mainPlace(s))
		stop := c.Stopped(0)
		began := time.Now()
		if err := os.WriteFile(start, []byte("\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		other := letThrough(t, c, "runs without the debugger")
		c.Output("starting main dispatch loop")
		serves(t, c, other)
		// The session is as well as before, also when the gate's time is over.
		time.Sleep(time.Until(began.Add(6 * time.Second)))
		c.Step("next", stop)
		c.Stopped(stop.Index + 1)
		c.Disconnect()
	})
}

// Envoy dies at the gate, before the debugger has it: the agent's next one is
// debugged.
func TestARestartBeforeTheAttachIsDebugged(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		c.Attach(scripted(s.Sample(), "while :; do envoy; done").Agent(map[string]any{"start": "manual"}))
		c.Phase("agent started", "waiting")
		server := c.Part(harness.GDBServer)
		if err := syscall.Kill(server, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		c.Do("startAgent", nil, nil)
		first := c.Part(harness.Gate)
		if err := syscall.Kill(first, syscall.SIGSEGV); err != nil {
			t.Fatal(err)
		}
		c.Output("ended at the gate before the debugger had it")
		if err := syscall.Kill(server, syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		c.Configure(mainPlace(s))
		at(t, c.Stopped(0), "Envoy::MainCommon::main", mainPlace(s))
		if pid := int(c.Seen(0, "process").Get("body.systemProcessId").Int()); pid == first || pid != c.Part(harness.Envoy) {
			t.Errorf("debugs pid %d; the first was %d, Envoy is %d", pid, first, c.Part(harness.Envoy))
		}
		c.Disconnect()
	})
}

// Envoy crashes in the debugger: the session ends with it, and with the session
// the agent. The next session debugs the next start.
func TestAfterACrashTheNextSessionDebugsTheNextStart(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		a := scripted(s.Sample(), "while :; do envoy; done")
		for range 2 {
			c := s.Start()
			c.Initialize()
			c.Attach(a)
			c.Configure(mainPlace(s))
			stop := c.Stopped(0)
			at(t, stop, "Envoy::MainCommon::main", mainPlace(s))
			if err := syscall.Kill(c.Part(harness.Envoy), syscall.SIGSEGV); err != nil {
				t.Fatal(err)
			}
			c.Step("continue", stop)
			stop = c.Stopped(stop.Index + 1) // of the signal
			c.Step("continue", stop)
			c.Seen(0, "terminated")
			c.End()
			s.NoProcessLeft()
		}
	})
}

// An agent that is Envoy, or becomes it by exec, under its name.
func TestAnAgentThatBecomesEnvoyIsDebugged(t *testing.T) {
	for name, command := range map[string]func(a harness.Attributes) harness.Attributes{
		"Envoy itself": func(a harness.Attributes) harness.Attributes {
			return a.Agent(map[string]any{"command": []string{a["envoyPath"].(string), "--concurrency", "1"}})
		},
		"exec envoy": func(a harness.Attributes) harness.Attributes { return scripted(a, "exec envoy --concurrency 1") },
		"bash -c": func(a harness.Attributes) harness.Attributes {
			return scripted(a, "exec bash -c 'envoy --concurrency 1'") // bash execs its last command
		},
	} {
		t.Run(name, func(t *testing.T) {
			harness.Each(t, func(t *testing.T, s *harness.Story) {
				c := s.Start()
				c.Initialize()
				c.Attach(command(s.Sample()))
				c.Configure(mainPlace(s))
				stop := c.Stopped(0)
				at(t, stop, "Envoy::MainCommon::main", mainPlace(s))
				c.Step("continue", stop)
				c.Output("starting main dispatch loop")
				c.Disconnect()
			})
		})
	}
}

// By its path it does not come to the gate, and that is told at once.
func TestAnAgentThatBecomesEnvoyByItsPathIsTold(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		a := s.Sample()
		c.Attach(a.Agent(map[string]any{"command": []string{"/bin/sh", "-c", "exec " + a["envoyPath"].(string)}}))
		e := c.AttachFails()
		if e.Code != 1307 || !strings.Contains(e.Error(), "the agent itself became "+a["envoyPath"].(string)) || !strings.Contains(e.Error(), "by that name alone") {
			t.Errorf("the attach: %v", e)
		}
		refused := c.Until(0, "the answer", func(e client.Entry) bool { return !e.Sent && e.Name == "attach" })
		if took := refused.Time.Sub(c.Phase("agent started", "end").Time); took > 2*time.Second {
			t.Errorf("told after %v", took)
		}
		c.Disconnect()
	})
}

// Without the gate a version check is caught in place of Envoy: it is told as
// what it is, and left alone.
func TestWithoutTheGateAVersionCheckIsTold(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		a := s.NamedSample().With("gate", false)
		envoy := a["envoyPath"].(string)
		c.Attach(scripted(a, "while :; do "+envoy+" --version; done")) // once may be too quick to be caught
		if e := c.AttachFails(); e.Code != 1318 || !strings.Contains(e.Error(), envoy+" --version") {
			t.Errorf("the attach: %v", e)
		}
		c.Disconnect()
	})
}

// copied are the attributes with the agent's program in the story's folder, where
// other users may run it.
func copied(t *testing.T, s *harness.Story, a harness.Attributes) harness.Attributes {
	t.Helper()
	agent := a["agent"].(map[string]any)
	command := append([]string(nil), agent["command"].([]string)...)
	program := filepath.Join(s.Dir, "pilot-agent")
	for _, cp := range [][]string{{"cp", command[0], program}, {"chmod", "755", s.Dir}, {"chown", "-R", "1337:1337", agent["cwd"].(string)}} {
		if out, err := exec.Command(cp[0], cp[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", cp, err, out)
		}
	}
	command[0] = program
	return a.Agent(map[string]any{"command": append([]string{"setpriv", "--reuid", "1337", "--regid", "1337", "--clear-groups"}, command...)})
}

// pilot-agent has a user of its own in a sidecar; here it becomes that by setpriv.
func TestAnAgentOfAnotherUserIsDebugged(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		c.Attach(copied(t, s, s.NamedSample()))
		c.Configure(mainPlace(s))
		stop := c.Stopped(0)
		at(t, stop, "Envoy::MainCommon::main", mainPlace(s))
		pid := c.Part(harness.Envoy)
		if st, err := os.Stat(fmt.Sprintf("/proc/%d", pid)); err != nil || st.Sys().(*syscall.Stat_t).Uid != 1337 {
			t.Errorf("Envoy (pid %d) is not of user 1337: %v, %v", pid, st, err)
		}
		c.Step("continue", stop)
		c.Output("starting main dispatch loop")
		c.Disconnect()
	})
}

// Refused ptrace is its own error, at once, with either LLDB.
func TestRefusedPtraceIsNamed(t *testing.T) {
	withoutPtrace, err := harness.Build("without-ptrace", "./test/e2e/without-ptrace")
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		name    string
		wrapper []string // what the adapter runs under
		agent   func(t *testing.T, s *harness.Story, a harness.Attributes) harness.Attributes
		says    []string
	}{
		{"by a seccomp filter", []string{withoutPtrace}, nil, []string{"a seccomp filter forbids ptrace", "CAP_SYS_PTRACE"}},
		{"for another user", []string{"/usr/bin/setpriv", "--bounding-set", "-sys_ptrace"}, copied,
			[]string{"Envoy runs as user 1337 and the debug server as 0, without CAP_SYS_PTRACE", "as one user"}},
	} {
		t.Run(x.name, func(t *testing.T) {
			harness.Each(t, func(t *testing.T, s *harness.Story) {
				trace := filepath.Join(s.Dir, "trace1")
				args := append(x.wrapper[1:], harness.The.Envoydbg, "dap", "--log", trace, "--lldb-dap", s.LLDB.DAP)
				c := s.StartCommand(trace, x.wrapper[0], args...)
				c.Initialize()
				a := s.NamedSample()
				if x.agent != nil {
					a = x.agent(t, s, a)
				}
				c.Attach(a)
				e := c.AttachFails()
				if e.Code != 1317 {
					t.Errorf("the attach: %v", e)
				}
				for _, says := range x.says {
					if !strings.Contains(e.Error(), says) {
						t.Errorf("the error does not say %q:\n%v", says, e)
					}
				}
				c.Disconnect()
			})
		})
	}
}

// A client that stops reading stops the agent, which writes into a full pipe then;
// nothing is lost, and no part of the session grows.
func TestAClientThatStopsReadingHoldsTheAgentBack(t *testing.T) {
	const lines, size = 400_000, 100 // 40 MB
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		script := fmt.Sprintf(`echo first; seq -f %%0%d.0f 0 %d; exec "$@"`, size-1, lines-1)
		c.Attach(scripted(s.Sample(), script).Agent(map[string]any{"start": "manual"}))
		c.Phase("agent started", "waiting")
		c.Hold()
		if _, err := c.Send("startAgent", nil); err != nil {
			t.Fatal(err)
		}
		writer := 0
		for writer == 0 {
			for _, p := range s.Processes() {
				if p.Exe == "seq" {
					writer = p.PID
				}
			}
			if s.Ctx.Err() != nil {
				t.Fatal("the agent does not write")
			}
		}
		written := still(t, s, writer)
		for _, part := range []int{c.PID, c.Part(harness.Helper)} {
			if kb := resident(t, part); kb > 100<<10 {
				t.Errorf("pid %d takes %d KiB while %d bytes have been written", part, kb, written)
			}
		}
		if written > 16<<20 {
			t.Errorf("the agent has written %d bytes to a client that reads nothing", written)
		}
		c.Resume()
		c.Configure(mainPlace(s))
		at(t, c.Stopped(0), "Envoy::MainCommon::main", mainPlace(s))
		var text strings.Builder
		for _, e := range c.Events("output") {
			if e.Get("body.category").Str == "stdout" {
				text.WriteString(e.Get("body.output").Str)
			}
		}
		_, rest, _ := strings.Cut(text.String(), "first\n")
		for i := range lines {
			if line := fmt.Sprintf("%0*d\n", size-1, i); !strings.HasPrefix(rest, line) {
				t.Fatalf("line %d is not %q", i, line)
			}
			rest = rest[size:]
		}
		c.Disconnect()
	})
}

// still waits until a process writes no more, and returns how many bytes it has
// written.
func still(t *testing.T, s *harness.Story, pid int) (bytes int) {
	t.Helper()
	last, same := -1, 0
	for ; same < 20; time.Sleep(50 * time.Millisecond) {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
		if err != nil || s.Ctx.Err() != nil {
			t.Fatalf("the agent is not held back: %v\n%s", err, b)
		}
		_, rest, _ := strings.Cut(string(b), "wchar: ")
		if _, err := fmt.Sscan(rest, &bytes); err != nil {
			t.Fatal(err)
		}
		if same++; bytes != last {
			last, same = bytes, 0
		}
	}
	return bytes
}

// resident is the memory of a process in KiB.
func resident(t *testing.T, pid int) (kb int) {
	t.Helper()
	status, err := process.ReadStatus(pid)
	if err == nil {
		_, err = fmt.Sscan(status.Field("VmRSS"), &kb)
	}
	if err != nil {
		t.Fatal(err)
	}
	return kb
}
