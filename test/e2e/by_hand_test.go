package e2e

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/internal/process"
	"github.com/envoydbg/envoydbg/test/support/harness"
)

// byHand is an lldb-server that somebody has started, beside the sessions.
type byHand struct {
	address, mark string
	pid           int
}

// startByHand starts one of the story's version, or of another one.
func startByHand(t *testing.T, s *harness.Story, lldb int) *byHand {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &byHand{address: l.Addr().String(), mark: "BY_HAND=" + filepath.Base(s.Dir)}
	l.Close()
	server := filepath.Join(harness.The.Root, fmt.Sprintf("bin/tools/lldb-%d/bin/lldb-server", lldb))
	cmd := exec.Command(server, "platform", "--server", "--listen", b.address)
	cmd.Env = append(os.Environ(), b.mark)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	b.pid = cmd.Process.Pid
	t.Cleanup(func() {
		for _, pid := range b.processes() {
			_ = harness.Kill(pid)
		}
		_ = cmd.Wait()
	})
	within(t, "it listens", b.listens)
	return b
}

func (b *byHand) listens() bool {
	conn, err := net.Dial("tcp", b.address)
	if err == nil {
		conn.Close()
	}
	return err == nil
}

// processes are those of it that run.
func (b *byHand) processes() (pids []int) {
	all, _ := process.All()
	for pid := range all {
		env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if err == nil && bytes.Contains(append([]byte{0}, env...), []byte("\x00"+b.mark+"\x00")) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// alone says whether nothing is left of what it has done for sessions.
func (b *byHand) alone() bool {
	all := b.processes()
	return len(all) == 1 && all[0] == b.pid
}

func within(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for late := time.Now().Add(harness.EndWithin); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("not within %v: %s", harness.EndWithin, what)
		}
	}
}

// Envoy is debugged by an lldb-server that is none of the session's; it stays, and what it
// has started for the session does not.
func TestAnLLDBServerThatWasStartedByHand(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		b := startByHand(t, s, s.LLDB.Version)
		for range 2 {
			c := s.Start()
			c.Initialize()
			c.Attach(s.Sample().With("debugServer", map[string]any{"connect": "connect://" + b.address}))
			c.Configure(mainPlace(s))
			stop := c.Stopped(0)
			at(t, stop, "Envoy::MainCommon::main", mainPlace(s))
			if n := len(c.Parts(harness.Platform)); n > 0 {
				t.Errorf("the session has %d lldb-servers of its own", n)
			}
			c.Step("next", stop)
			c.Stopped(stop.Index + 1)
			c.Disconnect()
			s.NothingLeft()
			within(t, "only the server itself is left", b.alone)
		}
		if !b.listens() {
			t.Error("the server has gone")
		}
	})
}

// A session that ends while the debugger waits.
func TestAnLLDBServerByHandDoesNotWaitOn(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		b := startByHand(t, s, s.LLDB.Version)
		for _, end := range []string{"disconnect", "the client has gone"} {
			c := s.Start()
			c.Initialize()
			c.Attach(s.Sample().Agent(map[string]any{"start": "manual"}).With("debugServer", map[string]any{"connect": "connect://" + b.address}))
			c.Phase("armed", "end")
			if end == "disconnect" {
				c.Disconnect()
			} else {
				c.End()
			}
			s.NothingLeft()
			within(t, "only the server itself is left after "+end, b.alone)
		}
	})
}

// Envoy runs on without a debugger.
func TestAnLLDBServerByHandLetsEnvoyRunOn(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		b := startByHand(t, s, s.LLDB.Version)
		c := s.Start()
		c.Initialize()
		c.Attach(s.Sample().With("debugServer", map[string]any{"connect": "connect://" + b.address}))
		c.Configure(mainPlace(s))
		c.Stopped(0)
		for _, e := range c.Events("capabilities") {
			if e.Get("body.capabilities.supportSuspendDebuggee").Bool() {
				t.Error("it is offered to leave Envoy stopped, which only the end of the debug server would do")
			}
		}
		agent := c.Part(harness.Agent)
		c.Do("disconnect", map[string]any{"terminateDebuggee": false}, nil)
		_ = c.Exited()
		within(t, "only the server itself is left", b.alone)
		if pids := c.Parts(harness.Envoy); len(pids) != 1 || harness.Tracer(pids[0]) != 0 {
			t.Errorf("Envoys: %v", pids)
		}
		if err := syscall.Kill(agent, syscall.SIGTERM); err != nil {
			t.Error(err)
		}
	})
}

func TestAnLLDBServerByHandThatDoesNotFit(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		other := map[int]int{19: 22, 22: 19}[s.LLDB.Version]
		b := startByHand(t, s, other)
		for _, f := range []struct{ address, code, text string }{
			{"127.0.0.1:1", "ED1331", "lldb-server platform --server --listen 127.0.0.1:1"},
			{b.address, "ED1334", fmt.Sprintf("is version %d.", other)},
		} {
			c := s.Start()
			c.Initialize()
			c.Attach(s.Sample().With("debugServer", map[string]any{"connect": "connect://" + f.address}))
			err := c.AttachFails()
			if text := fmt.Sprint(err); !strings.Contains(text, f.code) || !strings.Contains(text, f.text) {
				t.Errorf("%s: %v", f.code, err)
			}
			c.End()
			s.NothingLeft()
		}
		within(t, "only the server itself is left", b.alone)
	})
}

// Its end is the end of the session.
func TestAnLLDBServerByHandThatEnds(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		b := startByHand(t, s, s.LLDB.Version)
		c := s.Start()
		c.Initialize()
		c.Attach(s.Sample().With("debugServer", map[string]any{"connect": "connect://" + b.address}))
		c.Configure(mainPlace(s))
		c.Stopped(0)
		for _, pid := range b.processes() {
			_ = harness.Kill(pid)
		}
		c.Output("ED1314")
		c.Seen(0, "terminated")
		c.End()
	})
}
