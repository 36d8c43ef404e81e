package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/test/support/harness"
)

// said is what the client has been shown of the agent and Envoy.
func said(c *harness.Session) string {
	var b strings.Builder
	for _, e := range c.Events("output") {
		if category := e.Get("body.category").Str; category == "stdout" || category == "stderr" {
			b.WriteString(e.Get("body.output").Str)
		}
	}
	return b.String()
}

// What the agent and Envoy write can be kept out of the debug console.
func TestTheAgentsOutputCanGoToAFile(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		file := filepath.Join(s.Dir, "agent.log")
		c := atMainOf(s, s.Sample().Agent(map[string]any{"output": file}))
		c.Step("continue", c.Stopped(0))
		waitForText(t, s, file, "starting main dispatch loop")
		c.Disconnect()
		if shown := said(c); shown != "" {
			t.Errorf("the console has %q", shown)
		}
		if st, err := os.Stat(file); err != nil || st.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", st, err)
		}
	})
}

// Hidden output comes to light when it may say why the startup has failed.
func TestHiddenOutputIsShownWhenTheStartFails(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		c.Attach(s.Sample().Agent(map[string]any{"output": "hide", "command": []string{"/bin/sh", "-c", "echo no certificate; exit 3"}}))
		c.AttachFails()
		c.Output("no certificate")
		c.Disconnect()
	})
}

func TestAFileForTheOutputThatCannotBeWritten(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		c.Attach(s.Sample().Agent(map[string]any{"output": "/nonexistent/agent.log"}))
		if e := c.AttachFails(); e.Code != 1001 || !strings.Contains(e.Error(), "/nonexistent/agent.log") {
			t.Errorf("%v", e)
		}
		c.Disconnect()
	})
}

// A named pipe takes nothing until somebody reads it. The session waits for that, and can be
// ended while it does.
func TestTheAgentsOutputCanGoToANamedPipe(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		pipe := filepath.Join(s.Dir, "agent.pipe")
		if err := syscall.Mkfifo(pipe, 0o600); err != nil {
			t.Fatal(err)
		}
		a := s.Sample().Agent(map[string]any{"output": pipe})
		c := s.Start()
		c.Initialize()
		c.Attach(a)
		c.Phase("preflight", "begin")
		if took := c.Disconnect(); took > 2*time.Second {
			t.Errorf("the session ended after %v", took)
		}

		text := make(chan string)
		go func() {
			b, err := os.ReadFile(pipe)
			if err != nil {
				t.Error(err)
			}
			text <- string(b)
		}()
		c = atMainOf(s, a)
		c.Disconnect()
		select {
		case got := <-text:
			if got == "" {
				t.Error("the reader got nothing")
			}
		case <-s.Ctx.Done():
			t.Fatal("the pipe has a writer although the session has ended")
		}
	})
}

// waitForText waits until a file holds a text.
func waitForText(t *testing.T, s *harness.Story, file, text string) {
	t.Helper()
	for {
		if b, _ := os.ReadFile(file); strings.Contains(string(b), text) {
			return
		}
		select {
		case <-s.Ctx.Done():
			b, err := os.ReadFile(file)
			t.Fatalf("%s never has %q: %q, %v", file, text, b, err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}
