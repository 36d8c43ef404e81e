package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/client"
	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/test/support/failures"
	"github.com/envoydbg/envoydbg/test/support/harness"
)

// errorWithin is how long after a failure the user may wait for its error.
const errorWithin = 5 * time.Second

// stage brings a session to a phase and holds it there.
type stage struct {
	name  string
	reach func(t *testing.T, s *harness.Story, c *harness.Session)
	parts []harness.Part
}

var stages = []stage{
	{"symbols", reachSymbols, []harness.Part{harness.LLDBDap, harness.Platform, harness.Helper, harness.Supervisor}},
	{"armed, waiting for the user", reachArmed, []harness.Part{harness.LLDBDap, harness.Platform, harness.GDBServer, harness.Helper,
		harness.Supervisor}},
	{"Envoy at the gate", reachGate, []harness.Part{harness.LLDBDap, harness.Platform, harness.GDBServer, harness.Helper,
		harness.Supervisor, harness.Agent, harness.Gate}},
	{"stopped in main", reachMain, []harness.Part{harness.LLDBDap, harness.Platform, harness.GDBServer, harness.Helper,
		harness.Supervisor, harness.Agent, harness.Envoy}},
	{"running", reachRunning, []harness.Part{harness.LLDBDap, harness.Platform, harness.GDBServer, harness.Helper,
		harness.Supervisor, harness.Agent, harness.Envoy}},
}

// phases are the stages' names.
func phases() []string {
	var names []string
	for _, s := range stages {
		names = append(names, s.name)
	}
	return names
}

// reachSymbols lets LLDB read its commands from a pipe that nobody writes to,
// after it has made the target and before it tells the debug server to wait.
func reachSymbols(t *testing.T, s *harness.Story, c *harness.Session) {
	t.Helper()
	pipe := filepath.Join(s.Dir, "commands")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil && !errors.Is(err, os.ErrExist) {
		t.Fatal(err)
	}
	c.Initialize()
	c.Attach(s.Sample().With("preRunCommands", []string{"command source " + pipe}))
	// Opening for writing, without waiting, succeeds as soon as LLDB reads.
	for {
		fd, err := syscall.Open(pipe, syscall.O_WRONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
		if err == nil {
			t.Cleanup(func() { _ = syscall.Close(fd) })
			return
		}
		if !errors.Is(err, syscall.ENXIO) || s.Ctx.Err() != nil {
			t.Fatalf("LLDB has not come to read its commands: %v", err)
		}
		time.Sleep(time.Millisecond) // a pipe does not tell that it has a reader
	}
}

func reachArmed(t *testing.T, s *harness.Story, c *harness.Session) {
	t.Helper()
	c.Initialize()
	c.Attach(s.Sample().Agent(map[string]any{"start": "manual"}))
	c.Phase("agent started", "waiting")
}

// reachGate stops the debug server's process, so that Envoy waits at the gate.
func reachGate(t *testing.T, s *harness.Story, c *harness.Session) {
	t.Helper()
	reachArmed(t, s, c)
	if err := syscall.Kill(c.Part(harness.GDBServer), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	c.Do("startAgent", nil, nil)
	c.Part(harness.Gate)
}

func reachMain(t *testing.T, s *harness.Story, c *harness.Session) {
	t.Helper()
	c.Initialize()
	c.Attach(s.Sample())
	c.Configure(mainPlace(s), serverPlace(s))
	at(t, c.Stopped(0), "Envoy::MainCommon::main", mainPlace(s))
}

func reachRunning(t *testing.T, s *harness.Story, c *harness.Session) {
	t.Helper()
	c.Initialize()
	c.Attach(s.Sample())
	c.Configure()
	c.Output("starting main dispatch loop")
}

// injury is what goes wrong.
type injury struct {
	name string
	do   func(t *testing.T, c *harness.Session) outcome
}

// outcome is what came of it.
type outcome struct {
	// sees is what the user sees, in words.
	sees string
	// after is when, counted from the failure.
	after time.Duration
}

const adapterKilled = "adapter killed"

func injuries(st stage) []injury {
	var all []injury
	for _, part := range st.parts {
		all = append(all, injury{string(part) + " killed", func(t *testing.T, c *harness.Session) outcome {
			return killed(t, c, part, c.Part(part))
		}})
	}
	return append(all,
		injury{"helper and its supervisor killed at once", func(t *testing.T, c *harness.Session) outcome {
			return killed(t, c, harness.Helper, -c.Part(harness.Supervisor)) // their process group
		}},
		injury{"disconnect", func(t *testing.T, c *harness.Session) outcome {
			took := c.Disconnect()
			if took > errorWithin {
				t.Errorf("disconnect took %v", took)
			}
			return outcome{"the session ends", took}
		}},
		injury{"client vanishes", func(t *testing.T, c *harness.Session) outcome {
			began := time.Now()
			c.Vanish()
			if err := c.Exited(); err != nil {
				t.Errorf("the adapter ended with %v", err)
			}
			return outcome{"nothing; the adapter ends", time.Since(began)}
		}},
		injury{adapterKilled, func(t *testing.T, c *harness.Session) outcome {
			began := time.Now()
			if err := harness.Kill(c.PID); err != nil {
				t.Fatal(err)
			}
			_ = c.Exited()
			return outcome{"the client's connection ends", time.Since(began)}
		}})
}

// killed kills a part and waits for what the user gets to see.
func killed(t *testing.T, c *harness.Session, part harness.Part, pid int) outcome {
	t.Helper()
	from := len(c.Log())
	began := time.Now()
	if err := harness.Kill(pid); err != nil {
		t.Fatalf("kill %d: %v", pid, err)
	}
	end := c.Until(from, "an error, or the end", func(e client.Entry) bool {
		switch {
		case e.Sent:
			return false
		case part == harness.Agent && e.Name == "output" && strings.Contains(e.Get("body.output").Str, "pilot-agent (pid "):
			return true // the agent's own end; Envoy may live on
		case strings.HasPrefix(faultOf(e), "ED1501 "):
			return false // the link was cut; what has come of it is told after it
		}
		return e.Name == "terminated" || faultOf(e) != ""
	})
	out := outcome{after: end.Time.Sub(began)}
	if out.after > errorWithin {
		t.Errorf("the user has waited %v for an error", out.after)
	}
	switch fault := faultOf(end); {
	case fault != "" && end.Type == dapio.Response:
		out.sees = "the attach fails: " + fault
	case fault != "":
		out.sees = fault
		c.Seen(end.Index, "terminated")
	case end.Name == "terminated":
		out.sees = "the session ends" + exitOf(c)
	default:
		out.sees = survives(t, c)
	}
	c.End()
	return out
}

// faultOf is the first line of an error of the adapter's and its number.
func faultOf(e client.Entry) string {
	text := e.Get("body.error.format").Str
	if e.Name == "output" && e.Get("body.category").Str == "important" {
		text = e.Get("body.output").Str
	}
	at := strings.LastIndex(text, "[ED")
	if at < 0 {
		return ""
	}
	what, _, _ := strings.Cut(text, "\n")
	id, _, _ := strings.Cut(text[at+1:], "]")
	return id + " " + what
}

// asChild is what is seen when the helper is a child: at the end of a link its loss is
// told by another error.
func asChild(sees string) string {
	if harness.The.Target == harness.Local {
		return sees
	}
	return strings.Replace(sees, "ED1503 The helper beside Envoy has ended, and with it Envoy and the agent; the debug session is over.",
		"ED1315 The helper beside Envoy has gone; the debug session is over.", 1)
}

func exitOf(c *harness.Session) string {
	for _, e := range c.Events("exited") {
		return fmt.Sprintf(" (exit code %d)", e.Get("body.exitCode").Int())
	}
	return ""
}

// survives uses the session after the agent's death.
func survives(t *testing.T, c *harness.Session) string {
	t.Helper()
	if len(c.Events("stopped")) > 0 {
		stop := c.Stopped(0)
		c.Step("continue", stop)
		if next := c.Stopped(stop.Index + 1); !strings.HasPrefix(next.Frames[0].Name, "Envoy::Server::InstanceImpl::initialize") {
			t.Errorf("stopped in %s", next.Frames[0].Name)
		}
	} else {
		var threads struct{ Threads []struct{ ID int } }
		c.Do("threads", nil, &threads)
		from := len(c.Log())
		c.Do("pause", map[string]int{"threadId": threads.Threads[0].ID}, nil)
		c.Stopped(from)
	}
	c.Do("disconnect", map[string]any{}, nil)
	return "a line that the agent has ended; debugging goes on"
}

// Each part is killed in each phase, and each session is the next one after a
// failure: it must not suffer from what came before.
func TestEveryPartMayDieInEveryPhase(t *testing.T) {
	rows := failures.Table{Phases: phases()}
	t.Run("phase", func(t *testing.T) {
		for _, st := range stages {
			t.Run(st.name, func(t *testing.T) {
				t.Parallel()
				for _, lldb := range harness.The.LLDBs {
					t.Run(lldb.String(), func(t *testing.T) {
						t.Parallel()
						for _, in := range injuries(st) {
							t.Run(in.name, func(t *testing.T) {
								s := harness.NewStory(t, lldb)
								if in.name == adapterKilled {
									// A daemon waits for its client for as long as its lease says.
									s.Variables = append(s.Variables, "TUNNEL_RECONNECT=1s")
								}
								c := s.Start()
								st.reach(t, s, c)
								out := in.do(t, c)
								left := s.NoProcessLeft()
								if in.name == adapterKilled {
									// Its folder nobody can remove but the next session.
									next := s.Start()
									next.Initialize()
									next.Disconnect()
								}
								s.NothingLeft()
								rows.Add(failures.Row{Phase: st.name, What: in.name, LLDB: lldb.Version, Sees: asChild(out.sees), After: out.after, Gone: left})
							})
						}
						t.Run("and the next session works", func(t *testing.T) {
							s := harness.NewStory(t, lldb)
							c := s.Start()
							reachMain(t, s, c)
							c.Disconnect()
						})
					})
				}
			})
		}
	})
	if !t.Failed() {
		all := 0
		for _, st := range stages {
			all += len(injuries(st)) * len(harness.The.LLDBs)
		}
		rows.Check(t, "killed", all)
	}
}

// What goes wrong without anybody being killed.
func TestStartupsThatGoWrong(t *testing.T) {
	var rows failures.Table
	cases := []struct {
		name       string
		attributes func(s *harness.Story) harness.Attributes
	}{
		{"the agent starts nothing (startTimeout 1 s)", func(s *harness.Story) harness.Attributes {
			return s.Sample().With("startTimeout", 1).Agent(map[string]any{"command": []string{"sleep", "100"}})
		}},
		{"nobody traces Envoy at the gate (startTimeout 1 s)", nil},
		{"the agent ends at once", func(s *harness.Story) harness.Attributes {
			return s.Sample().Agent(map[string]any{"command": []string{"sh", "-c", "echo no configuration >&2; exit 3"}})
		}},
		{"the agent does not exist", func(s *harness.Story) harness.Attributes {
			return s.Sample().Agent(map[string]any{"command": []string{"/nonexistent/pilot-agent"}})
		}},
		{"Envoy ends at once with code 3", func(s *harness.Story) harness.Attributes {
			a := s.Sample()
			env := a["agent"].(map[string]any)["env"].(map[string]string)
			env["ENVOY_SAMPLE_EXIT"] = "3"
			return a
		}},
		{"the agent starts Envoy past the gate", func(s *harness.Story) harness.Attributes {
			return s.Sample().Agent(map[string]any{"command": []string{"sh", "-c", harness.The.Sample + " & wait"}})
		}},
	}
	t.Run("case", func(t *testing.T) {
		for _, x := range cases {
			t.Run(x.name, func(t *testing.T) {
				harness.Each(t, func(t *testing.T, s *harness.Story) {
					c := s.Start()
					began := time.Now()
					if x.attributes == nil {
						c.Initialize()
						c.Attach(s.Sample().With("startTimeout", 1).Agent(map[string]any{"start": "manual"}))
						c.Phase("agent started", "waiting")
						if err := syscall.Kill(c.Part(harness.GDBServer), syscall.SIGSTOP); err != nil {
							t.Fatal(err)
						}
						began = time.Now()
						c.Do("startAgent", nil, nil)
					} else {
						c.Initialize()
						c.Attach(x.attributes(s))
						if !strings.Contains(x.name, "Envoy ends") {
							c.AttachFails()
						} else {
							c.Configure()
						}
					}
					end := c.Until(0, "an error, or the end", func(e client.Entry) bool {
						return !e.Sent && (e.Name == "terminated" || faultOf(e) != "")
					})
					sees := "the session ends" + exitOf(c)
					if f := faultOf(end); f != "" {
						sees = "the attach fails: " + f
					} else {
						c.Output("error initializing configuration: ENVOY_SAMPLE_EXIT=3")
					}
					c.End()
					rows.Add(failures.Row{Phase: "starting", What: x.name, LLDB: s.LLDB.Version, Sees: sees, After: end.Time.Sub(began),
						Gone: s.NoProcessLeft()})
				})
			})
		}
	})
	if !t.Failed() {
		rows.Check(t, "wrong", len(cases)*len(harness.The.LLDBs))
	}
}

// Two at once in one network and one PID namespace, under one name of Envoy.
func TestTwoSessionsAtOnceDoNotMeet(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		sessions := []*harness.Session{s.Start(), s.Start()}
		for _, c := range sessions {
			c.Initialize()
			c.Attach(s.Sample().Agent(map[string]any{"start": "manual"}))
		}
		for _, c := range sessions {
			c.Phase("agent started", "waiting")
		}
		// The agents the other way round, with both debug servers waiting.
		slices.Reverse(sessions)
		for _, c := range sessions {
			c.Do("startAgent", nil, nil)
		}
		envoys := map[int]bool{}
		for _, c := range sessions {
			c.Configure(mainPlace(s))
			at(t, c.Stopped(0), "Envoy::MainCommon::main", mainPlace(s))
			envoys[c.Part(harness.Envoy)] = true
		}
		if len(envoys) != 2 {
			t.Errorf("two sessions stopped in %d Envoys", len(envoys))
		}
		// The end of one is not the other's.
		sessions[0].Disconnect()
		stop := sessions[1].Stopped(0)
		sessions[1].Step("next", stop)
		sessions[1].Stopped(stop.Index + 1)
		sessions[1].Disconnect()
	})
}
