package size

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
)

// bound limits a session: a busy machine takes several times the half minute of a plain one.
const bound = 10 * time.Minute

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
}

// warmed is the name of the way that has an lldb-dap with the symbols.
const warmed = "envoydbg, an lldb-dap stands by"

// way is a way to debug the program.
type way struct {
	name string
	// begin begins a session, and returns it with the process id of its lldb-dap, 0 if it is
	// to be found.
	begin func(s *harness.Story, a harness.Attributes) (c *harness.Session, pid int, end func())
	armed bool
}

var ways = []way{
	{"lldb-dap alone", func(s *harness.Story, _ harness.Attributes) (*harness.Session, int, func()) {
		c := s.StartCommand("", s.LLDB.DAP)
		c.Initialize()
		return c, 0, func() {}
	}, false},
	{"envoydbg, no index cache", startup, true},
	{"envoydbg, fills the index cache", startup, true},
	{"envoydbg, index cache", startup, true},
	{warmed, warm, true},
}

func startup(s *harness.Story, _ harness.Attributes) (*harness.Session, int, func()) {
	c := s.Start()
	c.Initialize()
	return c, 0, func() {}
}

// warm begins the second session of a window, when an lldb-dap stands by.
func warm(s *harness.Story, a harness.Attributes) (*harness.Session, int, func()) {
	w := s.Serve()
	first := w.Open(control.OpenParams{Trace: true})
	first.Initialize()
	first.Attach(a)
	first.Phase("armed", "end")
	first.Disconnect()
	pid := w.Ready(0)
	c := w.Open(control.OpenParams{Trace: true})
	c.Initialize()
	return c, pid, w.End
}

// measure runs a session up to the stop.
func measure(t *testing.T, lldb harness.LLDB, w way, program, cache string) (m measured) {
	s := harness.NewStory(t, lldb)
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	s.Ctx, s.Variables = ctx, []string{"XDG_CACHE_HOME=" + cache}
	a := s.Of(program).With("envoyPath", program+".stripped").With("breakpointPresets", []string{"main"}).With("startTimeout", 600).
		With("indexCache", w.name != "envoydbg, no index cache")
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
		c.Configure()
	} else {
		c.Launch(harness.Attributes{"program": program, "args": []string{"--version"}})
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
	var variables struct{ Variables []struct{ Name string } }
	c.Do("variables", map[string]int{"variablesReference": scopes.Scopes[0].VariablesReference}, &variables)
	if len(variables.Variables) < 3 || variables.Variables[0].Name != "argc" {
		t.Fatalf("%s: the locals are %v", w.name, variables.Variables)
	}
	m.stopped = time.Since(began)
	if m.cpu, err = lldbDap.cpu(); err != nil {
		t.Fatal(err)
	}
	m.cpu -= before
	m.memory = lldbDap.peak()
	c.Do("disconnect", map[string]bool{"terminateDebuggee": true}, nil)
	c.End()
	end()
	return m
}

// TestSize measures everything and writes the page.
func TestSize(t *testing.T) {
	build := exec.Command("../program/build.sh", "envoy")
	build.Stderr = os.Stderr
	out, err := build.Output()
	if err != nil {
		t.Fatal(err)
	}
	program := strings.TrimSpace(string(out))
	st, err := os.Stat(program)
	if err != nil {
		t.Fatal(err)
	}
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
			m := measure(t, lldb, w, program, cache)
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
		}
		rows = append(rows, []string{fmt.Sprint(lldb.Version), "the index cache has", "", fmt.Sprintf("%.2f GB", float64(size(t, cache))/1e9), "", ""})
	}
	conditions, err := report.Conditions(servers...)
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("%s\n\nThe program has %.2f GB in 5,000 units.\n\n%s", conditions, float64(st.Size())/1e9,
		report.Table(2, []string{"LLDB", "session", "CPU of lldb-dap", "anonymous memory", "armed after", "stop with locals after"}, rows))
	fmt.Println(text)
	if *page == "" || *some != "" {
		return
	}
	if err := report.Replace(checkout.Path(t, *page), "size", text); err != nil {
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
