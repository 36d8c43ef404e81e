package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/client"
	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/test/support/harness"
)

// Whatever blocks, and however the end is asked for, a session ends in time, with
// an answer to every request if the client reads them, and leaves nothing behind (which
// every story checks).
func TestASessionEndsWhateverBlocks(t *testing.T) {
	blocks := []struct {
		name  string
		reach func(s *harness.Story) *harness.Session
		// held says that the client does not read.
		held bool
	}{
		{name: "lldb-dap does not answer initialize (a fake)", reach: func(s *harness.Story) *harness.Session {
			c := s.Start("--lldb-dap", fakeDap(s, "deaf"))
			if _, err := c.Send("initialize", map[string]any{"adapterID": "envoy"}); err != nil {
				s.T.Fatal(err)
			}
			return c
		}},
		{name: "lldb-dap is stopped, with 80 MiB of requests", reach: func(s *harness.Story) *harness.Session {
			c := atMain(s)
			stopPart(s.T, s, harness.LLDBDap)
			big := map[string]string{"expression": strings.Repeat("x", 8<<20), "context": "watch"}
			for range 10 {
				if _, err := c.Send("evaluate", big); err != nil {
					s.T.Fatal(err)
				}
			}
			return c
		}},
		{name: "LLDB reads a pipe that nobody writes to", reach: func(s *harness.Story) *harness.Session {
			c := s.Start()
			c.Initialize()
			c.Attach(s.Sample().With("preRunCommands", []string{"command source " + fifo(s.T, s)}))
			c.Phase("symbols", "begin")
			return c
		}},
		{name: "an evaluate that does not return", reach: func(s *harness.Story) *harness.Session {
			c := atMain(s)
			if _, err := c.Send("evaluate", map[string]string{"expression": "`expression -- while (true) {}", "context": "repl"}); err != nil {
				s.T.Fatal(err)
			}
			return c
		}},
		{name: "armed, waiting for the user", reach: func(s *harness.Story) *harness.Session {
			c := s.Start()
			c.Initialize()
			c.Attach(s.Sample().Agent(map[string]any{"start": "manual"}))
			c.Phase("agent started", "waiting")
			return c
		}},
		{name: "the helper is stopped", reach: func(s *harness.Story) *harness.Session {
			c := atMain(s)
			stopPart(s.T, s, harness.Helper)
			return c
		}},
		{name: "the debug server is stopped", reach: func(s *harness.Story) *harness.Session {
			c := atMain(s)
			stopPart(s.T, s, harness.GDBServer)
			return c
		}},
		{name: "a process of lldb-dap's holds its output open", reach: func(s *harness.Story) *harness.Session {
			lldb := filepath.Join(s.Dir, "leaky-lldb-dap")
			script := "#!/bin/sh\nenv -i setsid sleep 20 &\nexec " + s.LLDB.DAP + ` "$@"` + "\n"
			if err := os.WriteFile(lldb, []byte(script), 0o700); err != nil {
				s.T.Fatal(err)
			}
			c := s.Start("--lldb-dap", lldb)
			c.Initialize()
			return c
		}},
		{name: "the client does not read, and the agent talks", held: true, reach: func(s *harness.Story) *harness.Session {
			c := s.Start()
			c.Initialize()
			c.Hold()
			c.Attach(s.Sample().Agent(map[string]any{"command": []string{"/bin/sh", "-c", "yes; exec sleep 1000"}}))
			waitForPart(s.T, s, "agent", func(p harness.Proc) bool { return p.Exe == "yes" })
			time.Sleep(500 * time.Millisecond) // for it to have said more than anything holds
			return c
		}},
	}
	asks := []struct {
		name string
		ask  func(c *harness.Session)
	}{
		{"disconnect", func(c *harness.Session) { _, _ = c.Send("disconnect", nil) }},
		{"end of the input", (*harness.Session).Vanish},
		{"SIGTERM", func(c *harness.Session) { _ = syscall.Kill(c.PID, syscall.SIGTERM) }},
		{"SIGINT", func(c *harness.Session) { _ = syscall.Kill(c.PID, syscall.SIGINT) }},
	}
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		for _, b := range blocks {
			for _, a := range asks {
				t.Run(fmt.Sprintf("%s, %s", b.name, a.name), func(t *testing.T) {
					t.Parallel()
					s := harness.NewStory(t, s.LLDB)
					c := b.reach(s)
					began := time.Now()
					a.ask(c)
					_ = c.Exited()
					if took := time.Since(began); took > runEndsWithin {
						t.Errorf("it took %.1f s", took.Seconds())
					}
					if b.held || a.name != "disconnect" {
						return
					}
					for _, e := range c.Log() {
						if e.Sent && e.Type == dapio.Request && !answered(c, e) {
							t.Errorf("%s %d has no answer", e.Name, e.Seq)
						}
					}
				})
			}
		}
	})
}

// answered waits for the one answer to a request; the client may still be reading
// when the adapter has ended.
func answered(c *harness.Session, request client.Entry) bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, _ = c.Wait(ctx, 0, func(e client.Entry) bool {
		return !e.Sent && e.Type == dapio.Response && e.RequestSeq == request.Seq
	})
	n := 0
	for _, e := range c.Log() {
		if !e.Sent && e.Type == dapio.Response && e.RequestSeq == request.Seq {
			n++
		}
	}
	return n == 1
}

// atMain is a session that stands in main.
func atMain(s *harness.Story) *harness.Session { return atMainOf(s, s.Sample()) }

func atMainOf(s *harness.Story, a harness.Attributes) *harness.Session {
	c := s.Start()
	c.Initialize()
	c.Attach(a)
	c.Configure(mainPlace(s))
	c.Stopped(0)
	return c
}
