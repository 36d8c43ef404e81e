package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/client"
	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/test/support/harness"
)

// A session of a client that has nothing but launch.json is recorded from its first
// message on, on one clock, and no variable of the agent's file is in the record.
func TestASessionRecordsItself(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		record, env := filepath.Join(s.Dir, "record.log"), filepath.Join(s.Dir, "agent.env")
		if err := os.WriteFile(env, []byte("# a secret\nexport STORY_SECRET=\"s3cr3t value\"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		c := s.Start()
		c.Initialize()
		sample := s.Sample()
		agent := sample["agent"].(map[string]any)
		command, ok := agent["command"].([]string)
		if !ok {
			t.Fatalf("the agent's command is %v", agent["command"])
		}
		c.Attach(sample.With("trace", record).Agent(map[string]any{"envFile": env,
			"command": append([]string{"/bin/sh", "-c", `echo "it is $STORY_SECRET"; exec "$@"`, "sh"}, command...)}))
		c.Output("it is s3cr3t value")
		c.Configure(mainPlace(s))
		c.Stopped(0)
		c.Output(record) // the user is told where it is
		c.Disconnect()
		b, err := os.ReadFile(record)
		if err != nil {
			t.Fatal(err)
		}
		text := string(b)
		for _, want := range []string{`"command":"initialize"`, "client →", "lldb-dap ←", "gdb platform", "begin symbols", "vAttachOrWait", "helper", "it is …", "over → ended"} {
			if !strings.Contains(text, want) {
				t.Errorf("the record has no %q", want)
			}
		}
		if strings.Contains(text, "s3cr3t") {
			t.Error("the record has the secret")
		}
	})
}

// The agent's output goes to a terminal that the client opens, all of it, and the
// terminal's program ends with the session.
func TestTheAgentsOutputCanGoToATerminal(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Do("initialize", map[string]any{"adapterID": "envoy", "pathFormat": "path", "supportsRunInTerminalRequest": true, "supportsEnvoyPhases": true}, nil)
		c.Attach(s.Sample().Agent(map[string]any{"output": "terminal"}))
		asked := c.Until(0, "the request for a terminal", func(e client.Entry) bool {
			return !e.Sent && e.Type == dapio.Request && e.Name == "runInTerminal"
		})
		var args []string
		for _, a := range asked.Get("arguments.args").Array() {
			args = append(args, a.Str)
		}
		shown := runInTerminal(t, s, args)
		if err := c.Respond(asked.Message, map[string]int{}); err != nil {
			t.Fatal(err)
		}
		c.Configure(mainPlace(s))
		c.Step("continue", c.Stopped(0))
		shown.until("starting main dispatch loop")
		c.Disconnect()
		shown.ended()
		if elsewhere := said(c); elsewhere != "" {
			t.Errorf("the console has %q", elsewhere)
		}
	})
}

// A client without terminals is told so before anything is started.
func TestAClientWithoutTerminals(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		c.Attach(s.Sample().Agent(map[string]any{"output": "terminal"}))
		if e := c.AttachFails(); e.Code != 1323 {
			t.Errorf("%v", e)
		}
		c.Disconnect()
	})
}

// shownText is what a program in a terminal shows.
type shownText struct {
	t    *testing.T
	s    *harness.Story
	done chan error

	mu   sync.Mutex
	text bytes.Buffer
}

// runInTerminal runs a command as a client does that is asked to.
func runInTerminal(t *testing.T, s *harness.Story, args []string) *shownText {
	t.Helper()
	shown := &shownText{t: t, s: s, done: make(chan error, 1)}
	cmd := exec.CommandContext(s.Ctx, args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = shown, shown
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { shown.done <- cmd.Wait() }()
	return shown
}

// Write implements io.Writer.
func (x *shownText) Write(p []byte) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.text.Write(p)
}

func (x *shownText) String() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.text.String()
}

// until waits until a text is shown.
func (x *shownText) until(text string) {
	x.t.Helper()
	for !strings.Contains(x.String(), text) {
		select {
		case <-x.s.Ctx.Done():
			x.t.Fatalf("the terminal never shows %q: %q", text, x.String())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// ended waits for the end of the program.
func (x *shownText) ended() {
	x.t.Helper()
	select {
	case err := <-x.done:
		if err != nil {
			x.t.Errorf("the terminal's program ends with %v: %q", err, x.String())
		}
	case <-x.s.Ctx.Done():
		x.t.Error("the terminal's program does not end")
	}
}
