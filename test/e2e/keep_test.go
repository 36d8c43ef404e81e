package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/test/support/harness"
)

// Disconnect, as an editor's button of that name does it, leaves Envoy and its agent
// running: not traced, with no breakpoint in them, and able to write.
func TestDisconnectLeavesEnvoyRunning(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		for _, running := range []bool{false, true} {
			s := harness.NewStory(t, s.LLDB)
			c := s.Start()
			c.Initialize()
			c.Attach(s.Sample())
			c.Configure(mainPlace(s))
			stop := c.Stopped(0)
			if running {
				c.Do("continue", map[string]int{"threadId": stop.Thread}, nil)
				c.Output("starting main dispatch loop")
			}
			envoy, agent := c.Part(harness.Envoy), c.Part(harness.Agent)
			c.Do("disconnect", map[string]bool{"terminateDebuggee": false}, nil)
			c.Output("run on")
			_ = c.Exited()

			status, err := os.ReadFile("/proc/" + strconv.Itoa(envoy) + "/status")
			if err != nil || !strings.Contains(string(status), "TracerPid:\t0\n") {
				t.Fatalf("Envoy after the session (running %v): %v\n%s", running, err, status)
			}
			if running {
				// It takes signals, and writes of them.
				if err := syscall.Kill(envoy, syscall.SIGTERM); err != nil {
					t.Error(err)
				}
			} else if err := syscall.Kill(agent, syscall.SIGTERM); err != nil {
				t.Error(err)
			}
			s.NothingLeft() // the helper ends behind the last of them
		}
	})
}

// standing checks that a process is stopped without a debugger, with all its threads,
// and returns where its first thread stands.
func standing(t *testing.T, pid int) (pc uint64) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil || !strings.Contains(string(status), "TracerPid:\t0\n") {
		t.Fatalf("a debugger has it: %v\n%s", err, status)
	}
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	for _, task := range tasks {
		if text, _ := os.ReadFile(task); !strings.Contains(string(text), "State:\tT (stopped)") {
			t.Errorf("%s: not stopped\n%s", task, text)
		}
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/syscall", pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(text)) // the last two are sp and pc
	if pc, err = strconv.ParseUint(fields[len(fields)-1], 0, 64); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	t.Logf("%s", text)
	return pc
}

// What is kept stopped stands at the instruction where the debugger has left it, without
// the debugger's traps, and runs on from there.
func TestEnvoyStaysStoppedAfterTheSession(t *testing.T) {
	ends := map[string]func(c *harness.Session){
		"by the attribute, when the editor has gone": func(c *harness.Session) { c.Vanish() },
		"by the attribute, at a disconnect":          func(c *harness.Session) { c.Do("disconnect", map[string]bool{}, nil) },
		"by the editor's word": func(c *harness.Session) {
			c.Do("disconnect", map[string]bool{"terminateDebuggee": false, "suspendDebuggee": true}, nil)
		},
	}
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		for name, end := range ends {
			t.Run(name, func(t *testing.T) {
				s := harness.NewStory(t, s.LLDB)
				c := s.Start()
				c.Initialize()
				attributes := s.Sample()
				if name != "by the editor's word" {
					attributes = attributes.With("atEnd", "keepStopped")
				}
				c.Attach(attributes)
				c.Configure(mainPlace(s))
				stop := c.Stopped(0)
				var frames struct {
					StackFrames []struct{ InstructionPointerReference string }
				}
				c.Do("stackTrace", map[string]int{"threadId": stop.Thread, "levels": 1}, &frames)
				at, err := strconv.ParseUint(frames.StackFrames[0].InstructionPointerReference, 0, 64)
				if err != nil {
					t.Fatal(err)
				}
				envoy := c.Part(harness.Envoy)
				end(c)
				_ = c.Exited()

				if pc := standing(t, envoy); pc != at {
					t.Errorf("it stands at %#x, and was left at %#x", pc, at)
				}
				program, err := os.Open(fmt.Sprintf("/proc/%d/mem", envoy))
				if err != nil {
					t.Fatal(err)
				}
				defer program.Close()
				code := make([]byte, 1)
				if _, err := program.ReadAt(code, int64(at)); err != nil || bytes.Equal(code, []byte{0xcc}) {
					t.Errorf("a trap is left at %#x: % x, %v", at, code, err)
				}
				if err := syscall.Kill(envoy, syscall.SIGCONT); err != nil {
					t.Fatal(err)
				}
				runsOn(t, envoy)
				if err := syscall.Kill(envoy, syscall.SIGTERM); err != nil {
					t.Error(err)
				}
				s.NothingLeft()
			})
		}
	})
}

// runsOn waits until a process waits for connections.
func runsOn(t *testing.T, pid int) {
	t.Helper()
	deadline := time.Now().Add(harness.EndWithin)
	for time.Now().Before(deadline) {
		if text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/wchan", pid)); strings.Contains(string(text), "poll") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	t.Fatalf("it does not run on:\n%s", text)
}

// An Envoy that runs stops when the debugger has let go of it. The helper that stays
// with it ends both.
func TestARunningEnvoyIsStoppedAfterTheSession(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		c.Attach(s.Sample())
		c.Configure(mainPlace(s))
		c.Do("continue", map[string]int{"threadId": c.Stopped(0).Thread}, nil)
		c.Output("starting main dispatch loop")
		envoy := c.Part(harness.Envoy)
		c.Do("disconnect", map[string]bool{"terminateDebuggee": false, "suspendDebuggee": true}, nil)
		said := c.Output("stays stopped").Get("body.output").String()
		_ = c.Exited()
		standing(t, envoy)
		var helper int
		_, last, _ := strings.Cut(said, `"kill `)
		_, last, _ = strings.Cut(last, `"kill `)
		if _, err := fmt.Sscanf(last, "%d", &helper); err != nil {
			t.Fatalf("%v: %s", err, said)
		}
		if err := syscall.Kill(helper, syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		s.NothingLeft()
	})
}
