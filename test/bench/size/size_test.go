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

	"github.com/envoydbg/envoydbg/test/support/checkout"
	"github.com/envoydbg/envoydbg/test/support/harness"
	"github.com/envoydbg/envoydbg/test/support/pidns"
	"github.com/envoydbg/envoydbg/test/support/report"
)

var (
	page = flag.String("page", "docs/size.md", "the page to write, from the checkout's folder; empty for none")
	only = flag.Int("lldb", 0, "measure only this version of LLDB")
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
}

// way is a way to debug the program.
type way struct {
	name  string
	begin func(s *harness.Story, program string) *harness.Session
	armed bool
}

var ways = []way{
	{"lldb-dap alone", func(s *harness.Story, program string) *harness.Session {
		c := s.StartCommand("", s.LLDB.DAP)
		c.Initialize()
		return c
	}, false},
	{"envoydbg, no index cache", startup, true},
	{"envoydbg, fills the index cache", startup, true},
	{"envoydbg, index cache", startup, true},
}

func startup(s *harness.Story, _ string) *harness.Session {
	c := s.Start()
	c.Initialize()
	return c
}

// measure runs a session up to the stop.
func measure(t *testing.T, lldb harness.LLDB, w way, program, cache string) (m measured) {
	s := harness.NewStory(t, lldb)
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	s.Ctx, s.Variables = ctx, []string{"XDG_CACHE_HOME=" + cache}
	c := w.begin(s, program)
	lldbDap := follow(c.Part(harness.LLDBDap))
	began := time.Now()
	if w.armed {
		a := s.Of(program).With("envoyPath", program+".stripped").With("breakpointPresets", []string{"main"}).With("startTimeout", 600)
		c.Attach(a.With("indexCache", w.name != "envoydbg, no index cache"))
		c.Phase("armed", "end")
		m.armed = time.Since(began)
		var err error
		if m.toArmed, err = lldbDap.cpu(); err != nil {
			t.Fatal(err)
		}
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
	var err error
	if m.cpu, err = lldbDap.cpu(); err != nil {
		t.Fatal(err)
	}
	m.memory = lldbDap.peak()
	c.Do("disconnect", map[string]bool{"terminateDebuggee": true}, nil)
	c.End()
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
			m := measure(t, lldb, w, program, cache)
			armed := ""
			if w.armed {
				armed = fmt.Sprintf("%.1f s (CPU %.1f s)", m.armed.Seconds(), m.toArmed.Seconds())
			}
			rows = append(rows, []string{fmt.Sprint(lldb.Version), w.name, fmt.Sprintf("%.1f s", m.cpu.Seconds()),
				fmt.Sprintf("%.2f GB", float64(m.memory)/1e9), armed, fmt.Sprintf("%.1f s", m.stopped.Seconds())})
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
	if *page == "" {
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
