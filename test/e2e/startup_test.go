package e2e

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/client"
	"github.com/envoydbg/envoydbg/internal/process"
	"github.com/envoydbg/envoydbg/test/support/harness"
)

func mainPlace(s *harness.Story) harness.Place {
	file, line := s.Line("source/exe/main_common.cc", "main_began = main_began + 1;")
	return harness.Place{File: file, Line: line}
}

func serverPlace(s *harness.Story) harness.Place {
	file, line := s.Line("source/server/server.cc", `ENVOY_LOG("info", "main", "initializing epoch 0`)
	return harness.Place{File: file, Line: line}
}

// at fails the story unless the stop is at that place.
func at(t *testing.T, stop harness.Stop, function string, place harness.Place) {
	t.Helper()
	top := stop.Frames[0]
	if !strings.HasPrefix(top.Name, function) || top.Source.Path != place.File || top.Line != place.Line {
		t.Errorf("stopped (%s) in %s at %s:%d, want %s at %s:%d", stop.Reason, top.Name, top.Source.Path, top.Line,
			function, place.File, place.Line)
	}
}

// From F5 to the end of a session: main, a step over and one into, variables, a
// second breakpoint, goodbye.
func TestAStartupIsDebuggedFromMainOn(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		if !c.Initialize().Get("body.supportsConfigurationDoneRequest").Bool() {
			t.Error("the capabilities are not lldb-dap's")
		}
		c.Attach(s.Sample())
		if c.Seen(0, "capabilities").Get("body.capabilities.supportSuspendDebuggee").Raw != "true" {
			t.Error("it is not offered to leave Envoy stopped")
		}
		if s.LLDB.Version == 19 { // which claims that it can restart
			if c.Seen(0, "capabilities").Get("body.capabilities.supportsRestartRequest").Raw != "false" {
				t.Error("a restart in place is still offered")
			}
		}
		c.Configure(mainPlace(s), serverPlace(s))

		stop := c.Stopped(0)
		at(t, stop, "Envoy::MainCommon::main", mainPlace(s))
		if stop.Reason != "breakpoint" {
			t.Errorf("reason %q, want breakpoint", stop.Reason)
		}
		if len(stop.Frames) < 2 || stop.Frames[1].Name != "main" || stop.Frames[1].Source.Path != filepath.Join(harness.The.Sources, "source/exe/main.cc") {
			t.Errorf("called by %+v, want main of the local main.cc", stop.Frames[1:])
		}
		if began := value(c, stop, "Envoy::main_began"); began != "0" {
			t.Errorf("main_began is %s at the first line of main", began)
		}
		c.Output("Envoy startup, phase by phase:")

		c.Step("next", stop)
		stop = c.Stopped(stop.Index + 1)
		if began := value(c, stop, "Envoy::main_began"); began != "1" {
			t.Errorf("main_began is %s after the step over it", began)
		}
		c.Step("next", stop) // over the declaration
		stop = c.Stopped(stop.Index + 1)
		c.Step("stepIn", stop)
		stop = c.Stopped(stop.Index + 1)
		if !strings.HasPrefix(stop.Frames[0].Name, "Envoy::Server::wantsVersion") {
			t.Errorf("stepped into %s, want wantsVersion", stop.Frames[0].Name)
		}
		if argc := local(c, stop, "argc"); argc == "" || argc == "0" || argc == "1" {
			t.Errorf("argc is %q, want that of pilot-agent's Envoy", argc)
		}

		c.Step("continue", stop)
		stop = c.Stopped(stop.Index + 1)
		at(t, stop, "Envoy::Server::InstanceImpl::initialize", serverPlace(s))
		c.Step("continue", stop)
		c.Output("starting main dispatch loop")
		if n := len(c.Events("stopped")); n != 5 {
			t.Errorf("%d stops, want 5: no stray one", n)
		}
		c.Disconnect()
	})
}

// value evaluates an expression in the top frame.
func value(c *harness.Session, stop harness.Stop, expression string) string {
	var answer struct{ Result string }
	c.Do("evaluate", map[string]any{"expression": expression, "frameId": stop.Frames[0].ID, "context": "watch"}, &answer)
	return answer.Result
}

// local reads a variable of the top frame the way an editor does.
func local(c *harness.Session, stop harness.Stop, name string) string {
	for _, v := range locals(c, stop.Frames[0].ID) {
		if v.Name == name {
			return v.Value
		}
	}
	return ""
}

// What must come before what, whatever the version of LLDB.
func TestTheAgentStartsOnlyWhenTheDebugServerWaits(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		// This agent says something before it starts Envoy.
		a := s.Sample()
		agent := a["agent"].(map[string]any)["command"].([]string)
		script := append([]string{"/bin/sh", "-c", `echo first; echo second >&2; echo third; exec "$@"`, "sh"}, agent...)
		c.Attach(a.Agent(map[string]any{"command": script}))
		c.Configure(mainPlace(s))
		c.Stopped(0)

		armed := c.Phase("armed", "end")
		if d := armed.Get("body.detail").Str; !strings.Contains(d, "vAttachOrWait") || !strings.Contains(d, "polls: clock_nanosleep") {
			t.Errorf("the evidence of arming is %q, want the packet and the server's state", d)
		}
		order := []client.Entry{c.Phase("preflight", "begin"), c.Phase("debug server", "begin"), c.Phase("symbols", "begin"), armed,
			c.Phase("agent started", "begin"), c.Phase("attached", "begin"), c.Phase("attached", "end"),
			c.Phase("breakpoints", "begin"), c.Phase("breakpoints", "end"), c.Seen(0, "stopped")}
		if !slices.IsSortedFunc(order, func(a, b client.Entry) int { return a.Index - b.Index }) {
			for _, e := range order {
				t.Logf("%4d %s", e.Index, e.Raw)
			}
			t.Error("the phases are out of order")
		}
		// In the trace, which has one clock for all: the packet went out before
		// the agent was started, and no process of the agent is older.
		trace, err := os.ReadFile(c.Trace)
		if err != nil {
			t.Fatal(err)
		}
		packet := strings.Index(string(trace), "vAttachOrWait;")
		started := strings.Index(string(trace), "begin agent started")
		if packet < 0 || started < 0 || packet > started {
			t.Errorf("in the trace the packet is at %d, the agent's start at %d", packet, started)
		}
		// What was written before the attach was answered, in its order. The two
		// streams are two pipes, whose order among each other nobody knows.
		first, third := c.Output("first"), c.Output("third")
		if first.Index > third.Index || third.Index < c.Phase("agent started", "begin").Index {
			t.Errorf("first is entry %d, third %d", first.Index, third.Index)
		}
		if category := c.Output("second").Get("body.category").Str; category != "stderr" {
			t.Errorf("stderr came as %q", category)
		}
		if category := first.Get("body.category").Str; category != "stdout" {
			t.Errorf("stdout came as %q", category)
		}
		for _, e := range c.Log()[:c.Seen(0, "stopped").Index] {
			if e.Name == "continued" || e.Name == "thread" && e.Get("body.reason").Str == "exited" {
				t.Errorf("a stray event before the first stop: %s", e.Raw)
			}
		}
		c.Disconnect()
		progressIsWhole(t, c)
	})
}

// progressIsWhole: one start, one end, of one id, and nothing after the end.
func progressIsWhole(t *testing.T, c *harness.Session) {
	t.Helper()
	var seen []string
	for _, e := range c.Log() {
		if strings.HasPrefix(e.Name, "progress") && strings.HasPrefix(e.Get("body.progressId").Str, "envoydbg-") {
			seen = append(seen, strings.TrimPrefix(e.Name, "progress"))
		}
	}
	text := strings.Join(seen, " ")
	if !strings.HasPrefix(text, "Start ") || !strings.HasSuffix(text, " End") || strings.Count(text, "Start")+strings.Count(text, "End") != 2 {
		t.Errorf("progress: %s", text)
	}
}

func TestStopOnEntryStopsBeforeTheFirstInstruction(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		c.Attach(s.Sample().With("stopOnEntry", true))
		c.Configure(mainPlace(s))
		stop := c.Stopped(0)
		if stop.Reason != "entry" {
			t.Errorf("reason %q, want entry", stop.Reason)
		}
		// By its address: the name _start comes with libc6-dbg.
		loader, err := elf.Open("/lib64/ld-linux-x86-64.so.2")
		if err != nil {
			t.Fatal(err)
		}
		entry := fmt.Sprintf("ld-linux-x86-64.so.2[0x%016x]", loader.Entry)
		_ = loader.Close()
		if where := c.Command("image lookup --address $pc"); !strings.Contains(where, entry) {
			t.Errorf("stands at %s, want %s", where, entry)
		}
		// The stack holds argc still, so not one instruction has pushed anything.
		argc := strings.Fields(c.Command("memory read --format d --size 8 --count 1 $sp"))
		args, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(c.Part(harness.Envoy)), "cmdline"))
		if want := strconv.Itoa(strings.Count(string(args), "\x00")); err != nil || argc[len(argc)-1] != want {
			t.Errorf("at the stack pointer is %v, want argc %s (%v)", argc, want, err)
		}
		c.Step("continue", stop)
		stop = c.Stopped(stop.Index + 1)
		at(t, stop, "Envoy::MainCommon::main", mainPlace(s))
		if n := len(c.Events("stopped")); n != 2 {
			t.Errorf("%d stops, want entry and main", n)
		}
		c.Disconnect()
	})
}

// Envoy behind the gate cannot tell that there is one.
func TestEnvoyIsTheProcessItWouldBeWithoutADebugger(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		a := s.Sample()
		want := undebugged(t, s, a)

		c := s.Start()
		c.Initialize()
		c.Attach(a)
		c.Configure()
		c.Output("starting main dispatch loop")
		got := identityOf(t, c.Part(harness.Envoy))
		// The agent's child: the gate handed on its PID.
		if parent := c.Part(harness.Agent); got.parent != parent {
			t.Errorf("Envoy's parent is %d, want the agent %d", got.parent, parent)
		}
		for _, f := range []struct{ name, got, want string }{{"cmdline", got.cmdline, want.cmdline}, {"environ", got.environ, want.environ},
			{"exe", got.exe, want.exe}, {"comm", got.comm, want.comm}, {"cwd", got.cwd, want.cwd}, {"descriptors", got.fds, want.fds},
			{"signals", got.signals, want.signals}} {
			if f.got != f.want {
				t.Errorf("%s differs:\n  debugged    %q\n  undebugged  %q", f.name, f.got, f.want)
			}
		}
		c.Disconnect()
	})
}

// identity is what a process can know of how it was started.
type identity struct {
	parent                                         int
	cmdline, environ, exe, comm, cwd, fds, signals string
}

func identityOf(t *testing.T, pid int) identity {
	t.Helper()
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	link := func(name string) string { l, _ := os.Readlink(filepath.Join(dir, name)); return l }
	env := strings.Split(read("environ"), "\x00")
	slices.Sort(env)
	id := identity{cmdline: read("cmdline"), environ: strings.Join(env, "\n"), exe: link("exe"), comm: read("comm"), cwd: link("cwd")}
	fds, err := os.ReadDir(filepath.Join(dir, "fd"))
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		kind, _, _ := strings.Cut(link("fd/"+fd.Name()), ":[") // pipes and sockets have numbers
		id.fds += fd.Name() + " " + kind + "\n"
	}
	status := process.Status(read("status"))
	id.parent, _ = strconv.Atoi(status.Field("PPid"))
	for _, name := range []string{"SigBlk", "SigIgn", "SigCgt", "Seccomp", "NoNewPrivs", "CoreDumping", "CapEff", "CapBnd", "Uid"} {
		id.signals += name + ": " + status.Field(name) + "\n"
	}
	return id
}

// undebugged starts the agent by itself and looks at its Envoy.
func undebugged(t *testing.T, s *harness.Story, a harness.Attributes) identity {
	t.Helper()
	agent := a["agent"].(map[string]any)
	command := agent["command"].([]string)
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env, cmd.Dir = s.Env(), agent["cwd"].(string)
	for name, v := range agent["env"].(map[string]string) {
		cmd.Env = append(cmd.Env, name+"="+v)
	}
	out, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = w, w
	err = cmd.Start()
	_ = w.Close()
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	_ = out.SetReadDeadline(time.Now().Add(20 * time.Second))
	for buf := make([]byte, 4096); !strings.Contains(said.String(), "starting main dispatch loop"); {
		n, err := out.Read(buf)
		if said.Write(buf[:n]); err != nil {
			t.Fatalf("%v; the agent said:\n%s", err, said.String())
		}
	}
	var id identity
	for _, p := range s.Processes() {
		if p.Parent == cmd.Process.Pid {
			id = identityOf(t, p.PID)
		}
	}
	// The agent's Envoy ends with SIGTERM and with it the agent.
	_ = cmd.Process.Signal(os.Interrupt)
	go func() { _, _ = out.WriteTo(&said) }()
	_ = cmd.Wait()
	s.NothingLeft()
	return id
}
