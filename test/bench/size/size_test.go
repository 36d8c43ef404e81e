package size

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/control"
	"github.com/envoydbg/envoydbg/test/support/checkout"
	"github.com/envoydbg/envoydbg/test/support/harness"
	"github.com/envoydbg/envoydbg/test/support/pidns"
	"github.com/envoydbg/envoydbg/test/support/report"
)

var (
	page = flag.String("page", "docs/size.md", "the page to write, from the checkout's folder; empty for none")
	only = flag.Int("lldb", 0, "measure only this version of LLDB")
	some = flag.String("way", "", "measure only the sessions whose name contains this; the page is not written then")
	own  = flag.String("program", "", "measure this program in place of the generated one, with PROGRAM.stripped as what runs; the page is not written then")
	set  = flag.String("init", "", "a command for LLDB, to see what a setting does; the page is not written then")
)

// bound limits a session: a busy machine takes several times the half minute of a plain one.
const bound = 5 * time.Minute

func TestMain(m *testing.M) { pidns.Main(m, harness.SetUp) }

// function is where all sessions stop.
const function = "Envoy::MainCommon::main"

// measured is what a session has cost up to the stop.
type measured struct {
	armed   time.Duration // from the launch request; 0 of a plain session
	stopped time.Duration // from the launch request to the locals
	toArmed time.Duration // processor time of lldb-dap until it is armed
	cpu     time.Duration // and until the locals are there
	memory  int64         // of lldb-dap, anonymous, at most; bytes
	before  time.Duration // what it had used when the session began
	stands  int64         // and the memory that it had; bytes
	answers string        // what it said of the stop, by which programs are compared
}

// subject is a program to debug.
type subject struct {
	program string   // what the debugger reads
	running string   // the same build, without symbols
	init    []string // what LLDB must be told to find the symbols; presets do not look there
}

// firstLine is the first line of the function behind its prologue, as the program's compiler
// has called the file.
var firstLine = harness.Place{File: "/proc/self/cwd/source/exe/main_common.cc", Line: 19}

// warmed is the name of the way that has an lldb-dap with the symbols.
const warmed = "envoydbg, an lldb-dap stands by"

// borrowed is the name of the way that takes it from another process.
const borrowed = "in a terminal, one stands by"

// way is a way to debug the program.
type way struct {
	name string
	// begin begins a session, and returns it with the process id of its lldb-dap, 0 if it is
	// to be found.
	begin  func(s *harness.Story, a harness.Attributes) (c *harness.Session, pid int, end func())
	armed  bool
	cached bool
}

var ways = []way{
	{"lldb-dap alone", func(s *harness.Story, _ harness.Attributes) (*harness.Session, int, func()) {
		c := s.StartCommand("", s.LLDB.DAP)
		c.Initialize()
		return c, 0, func() {}
	}, false, false},
	{"envoydbg, no index cache", startup, true, false},
	{"envoydbg, fills the index cache", startup, true, true},
	{"envoydbg, index cache", startup, true, true},
	{warmed, warm, true, true},
	{borrowed, terminal, true, true},
}

func startup(s *harness.Story, _ harness.Attributes) (*harness.Session, int, func()) {
	c := s.Start()
	c.Initialize()
	return c, 0, func() {}
}

// warm begins the second session of a window, when an lldb-dap stands by.
func warm(s *harness.Story, a harness.Attributes) (*harness.Session, int, func()) {
	w, pid := standsBy(s, a)
	c := w.Open(control.OpenParams{})
	c.Initialize()
	return c, pid, w.End
}

// terminal begins a session in a process of its own, as envoydbg run does, when an lldb-dap
// stands by in a window.
func terminal(s *harness.Story, a harness.Attributes) (*harness.Session, int, func()) {
	w, pid := standsBy(s, a)
	c, _, _ := startup(s, a)
	return c, pid, w.End
}

// standsBy is a window after a session, with the process id of what stands by.
func standsBy(s *harness.Story, a harness.Attributes) (w *harness.Window, pid int) {
	w = s.Serve()
	first := w.Open(control.OpenParams{Trace: true})
	first.Initialize()
	first.Attach(a)
	first.Phase("armed", "end")
	first.Disconnect()
	return w, w.Ready(0)
}

// measure runs a session up to the stop.
func measure(t *testing.T, lldb harness.LLDB, w way, of subject, cache string) (m measured) {
	t.Helper()
	s := harness.NewStory(t, lldb)
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	s.Ctx, s.Variables = ctx, []string{"XDG_CACHE_HOME=" + cache}
	init := append([]string{}, of.init...)
	if *set != "" {
		init = append(init, *set)
	}
	a := s.Of(of.program).With("envoyPath", of.running).With("startTimeout", 600).With("indexCache", w.cached).With("initCommands", init)
	if len(of.init) == 0 {
		a["breakpointPresets"] = []string{"main"}
	}
	c, pid, end := w.begin(s, a)
	if pid == 0 {
		pid = c.Part(harness.LLDBDap)
	}
	lldbDap := follow(pid)
	before, err := lldbDap.cpu()
	if err != nil {
		t.Fatal(err)
	}
	m.before, m.stands = before, anonymous(pid)
	began := time.Now()
	if w.armed {
		c.Attach(a)
		c.Phase("armed", "end")
		m.armed = time.Since(began)
		if m.toArmed, err = lldbDap.cpu(); err != nil {
			t.Fatal(err)
		}
		m.toArmed -= before
		if len(of.init) > 0 {
			c.Configure(firstLine)
		} else {
			c.Configure()
		}
	} else {
		c.Launch(harness.Attributes{"program": of.program, "args": []string{"--version"}, "initCommands": init})
		c.Seen(0, "initialized")
		c.Do("setFunctionBreakpoints", map[string]any{"breakpoints": []map[string]string{{"name": function}}}, nil)
		c.Do("configurationDone", nil, nil)
	}
	stop := c.Stopped(0)
	if stop.Frames[0].Name != function && !strings.HasPrefix(stop.Frames[0].Name, function+"(") {
		t.Fatalf("%s stopped in %s", w.name, stop.Frames[0].Name)
	}
	var scopes struct {
		Scopes []struct{ VariablesReference int }
	}
	c.Do("scopes", map[string]int{"frameId": stop.Frames[0].ID}, &scopes)
	var variables struct {
		Variables []struct{ Name, Type, Value string }
	}
	c.Do("variables", map[string]int{"variablesReference": scopes.Scopes[0].VariablesReference}, &variables)
	m.stopped = time.Since(began)
	if m.cpu, err = lldbDap.cpu(); err != nil {
		t.Fatal(err)
	}
	m.cpu -= before
	m.memory = lldbDap.peak()
	// Before the prologue has run argc has another value.
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", c.Seen(0, "process").Get("body.systemProcessId").Int()))
	if v := variables.Variables; err != nil || len(v) < 3 || v[0].Name != "argc" || v[0].Value != strconv.Itoa(bytes.Count(line, []byte{0})) {
		t.Fatalf("%s: %q (%v) has the locals %v", w.name, line, err, variables.Variables)
	}
	for _, f := range stop.Frames {
		m.answers += fmt.Sprintf("%s at %s:%d\n", f.Name, filepath.Base(f.Source.Path), f.Line)
	}
	for _, v := range variables.Variables {
		m.answers += v.Type + " " + v.Name + "\n"
	}
	for _, place := range []string{"main_common.cc --line 32", "os_sys_calls_impl.cc --line 20"} {
		said := c.Command("breakpoint set --file " + place)
		where, _, _ := strings.Cut(said, ", address")
		_, where, found := strings.Cut(where, "Breakpoint ") // LLDB 19 repeats the command
		if !found {
			t.Fatalf("%s: %s: %q", w.name, place, said)
		}
		m.answers += where + "\n"
	}
	c.Do("disconnect", map[string]bool{"terminateDebuggee": true}, nil)
	c.End()
	end()
	return m
}

// build is where ../program/build.sh has put what it makes.
func build(t *testing.T, what string) string {
	t.Helper()
	cmd := exec.Command("../program/build.sh", what)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// TestSize measures everything and writes the page.
func TestSize(t *testing.T) {
	program := *own
	if program == "" {
		program = build(t, "envoy")
	}
	st, err := os.Stat(program)
	if err != nil {
		t.Fatal(err)
	}
	of := subject{program: program, running: program + ".stripped"}
	var rows [][]string
	var servers []string
	for _, lldb := range harness.The.LLDBs {
		if *only != 0 && *only != lldb.Version {
			continue
		}
		servers = append(servers, filepath.Join(filepath.Dir(lldb.DAP), "lldb-server"))
		cache := t.TempDir()
		for _, w := range ways {
			if !strings.Contains(w.name, *some) {
				continue
			}
			m := measure(t, lldb, w, of, cache)
			armed := ""
			if w.armed {
				armed = fmt.Sprintf("%.1f s (CPU %.1f s)", m.armed.Seconds(), m.toArmed.Seconds())
			}
			rows = append(rows, []string{fmt.Sprint(lldb.Version), w.name, fmt.Sprintf("%.1f s", m.cpu.Seconds()),
				fmt.Sprintf("%.2f GB", float64(m.memory)/1e9), armed, fmt.Sprintf("%.1f s", m.stopped.Seconds())})
			if w.name == warmed {
				rows = append(rows, []string{fmt.Sprint(lldb.Version), "before that session", fmt.Sprintf("%.1f s", m.before.Seconds()),
					fmt.Sprintf("%.2f GB", float64(m.stands)/1e9), "", ""})
			}
			t.Log(rows[len(rows)-1])
			t.Log(m.answers)
		}
		rows = append(rows, []string{fmt.Sprint(lldb.Version), "the index cache has", "", fmt.Sprintf("%.2f GB", float64(size(t, cache))/1e9), "", ""})
	}
	publish(t, "size", servers, *some+*own+*set == "", fmt.Sprintf("The program has %.2f GB in 5,000 units.\n\n%s", float64(st.Size())/1e9,
		report.Table(2, []string{"LLDB", "session", "CPU of lldb-dap", "anonymous memory", "armed after", "stop with locals after"}, rows)))
}

// publish prints a section of the page with the conditions of the run, and writes it if all of
// it was measured.
func publish(t *testing.T, section string, servers []string, whole bool, text string) {
	t.Helper()
	conditions, err := report.Conditions(servers...)
	if err != nil {
		t.Fatal(err)
	}
	text = conditions + "\n\n" + text
	fmt.Println(text)
	if *page == "" || !whole {
		return
	}
	if err := report.Replace(checkout.Path(t, *page), section, text); err != nil {
		t.Fatal(err)
	}
}

// size is how many bytes the files below a folder have.
func size(t *testing.T, dir string) (bytes int64) {
	err := filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			bytes += info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}
