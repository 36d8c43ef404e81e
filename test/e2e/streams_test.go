package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/test/support/harness"
)

// google/go-dap, and what is built on it, stops at 4 MiB.
func TestMessagesAbove4MiBPass(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		c.Launch(plain())
		c.Configure(mainPlace(s))
		stop := c.Stopped(0)
		if v := value(c, stop, "Envoy::main_began + 41"+strings.Repeat(" ", 5<<20)+"+ 1"); v != "42" {
			t.Errorf("an expression of 5 MiB is %q, want 42", v)
		}
		c.Disconnect()

		// No real debugger has 8 MiB to say here.
		c = s.Start("--lldb-dap", fakeDap(s, "big"))
		c.Initialize()
		c.Launch(plain())
		var threads struct{ Threads []struct{ Name string } }
		c.Do("threads", nil, &threads)
		if n := len(threads.Threads[0].Name); n != 8<<20 {
			t.Errorf("of 8 MiB %d bytes have come", n)
		}
		c.Disconnect()
	})
}

// LLDB's own libraries print to stdout at times, in the middle of the protocol.
func TestBytesThatAreNoDAPDoNotDisturb(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		noisy := filepath.Join(s.Dir, "noisy-lldb-dap")
		script := "#!/bin/sh\nprintf 'warning: no protocol\\nContent-Length: x\\r\\n\\r\\n\\000\\377'\n" +
			"exec " + s.LLDB.DAP + " \"$@\"\n"
		if err := os.WriteFile(noisy, []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
		c := s.Start("--lldb-dap", noisy)
		c.Initialize()
		a := s.Sample().With("lldbServer", filepath.Join(filepath.Dir(s.LLDB.DAP), "lldb-server"))
		c.Attach(a)
		c.Configure(mainPlace(s))
		at(t, c.Stopped(0), "Envoy::MainCommon::main", mainPlace(s))
		c.Disconnect()
		if trace, err := os.ReadFile(c.Trace); err != nil || !strings.Contains(string(trace), "warning: no protocol") {
			t.Errorf("the trace does not show what lldb-dap printed (%v)", err)
		}
	})
}

// A client that stops reading for a while loses nothing, and holds up neither
// the agent nor Envoy.
func TestAClientThatDoesNotReadForAWhileLosesNothing(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		const lines = 100_000
		c := s.Start()
		c.Initialize()
		a := s.Sample()
		agent := a["agent"].(map[string]any)["command"].([]string)
		script := append([]string{"/bin/sh", "-c", fmt.Sprintf(`seq 1 %d; exec "$@"`, lines), "sh"}, agent...)
		c.Attach(a.Agent(map[string]any{"command": script}))
		c.Phase("symbols", "begin")
		c.Hold()
		c.Part(harness.Envoy) // is there although nobody reads
		c.Resume()
		c.Configure(mainPlace(s))
		at(t, c.Stopped(0), "Envoy::MainCommon::main", mainPlace(s))
		var said, want strings.Builder
		for _, e := range c.Events("output") {
			if e.Get("body.category").Str == "stdout" {
				said.WriteString(e.Get("body.output").Str)
			}
		}
		for i := range lines {
			fmt.Fprintf(&want, "%d\n", i+1)
		}
		if !strings.HasPrefix(said.String(), want.String()) {
			t.Errorf("of %d bytes %d have come, or in another order", want.Len(), said.Len())
		}
		c.Disconnect()

		// The same with lldb-dap as the source: a fake, that says more than
		// any pipe holds.
		c = s.Start("--lldb-dap", fakeDap(s, "flood"))
		c.Initialize()
		c.Hold()
		c.Launch(plain())
		c.Resume()
		last := c.Output("line 49999 of many")
		n := 0
		for _, e := range c.Events("output") {
			if strings.HasPrefix(e.Get("body.output").Str, fmt.Sprintf("line %d of", n)) {
				n++
			}
		}
		if n != 50_000 {
			t.Errorf("%d of 50000 events have come in order, the last at %d", n, last.Index)
		}
		c.Disconnect()
	})
}

func TestSessionsOverASocket(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		private := filepath.Join(s.Dir, "private")
		if err := os.Mkdir(private, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, x := range []struct {
			network, address string
			sessions         int
		}{{"unix", "unix:" + filepath.Join(private, "dap.sock"), 2}, {"tcp", "127.0.0.1:0", 1}} {
			where, stop := s.Listen(x.address)
			s.Dial(x.network, where).End() // one that only ever connects
			var c *harness.Session
			for i := range x.sessions {
				c = s.Dial(x.network, where)
				c.Initialize()
				c.Attach(s.Sample())
				c.Configure(mainPlace(s))
				at(t, c.Stopped(0), "Envoy::MainCommon::main", mainPlace(s))
				if i+1 < x.sessions {
					c.Disconnect()
				}
			}
			// The last one is open when the server is told to end, and its client
			// still learns of the end.
			stop()
			_ = c.Exited()
			c.Seen(0, "terminated")
		}
	})
}

func TestNothingIsServedWhereOthersCanConnect(t *testing.T) {
	t.Parallel()
	s := harness.NewStory(t, harness.The.LLDBs[0])
	open := filepath.Join(s.Dir, "open")
	if err := os.Mkdir(open, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"0.0.0.0:0", ":4711", "[::]:0", "192.0.2.1:0", "example.org:80", "4711", "unix:" + open + "/dap.sock",
		"unix:/nonexistent/dap.sock"} {
		began := time.Now()
		out, err := exec.CommandContext(s.Ctx, harness.The.Envoydbg, "dap", "--listen", address).CombinedOutput()
		if err == nil || !strings.Contains(string(out), address) || strings.Contains(string(out), "listening on") {
			t.Errorf("--listen %s: %v %s (%v)", address, err, out, time.Since(began))
		}
	}
}
