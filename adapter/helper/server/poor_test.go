//go:build linux

package server

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/internal/process"
	"github.com/envoydbg/envoydbg/internal/process/processtest"
)

// deaf starts a deaf agent and a deaf Envoy, and returns who sees them end.
func (c *client) deaf() witnesses {
	c.t.Helper()
	agent := c.start(helper.AgentStartParams{Env: map[string]string{"ENVOY": actor(c.t, "real-envoy"), "ENVOY_DEAF": "1"}},
		"deaf", "envoy-anyway", "wait")
	return witness(c.t, agent, c.envoy().PID)
}

// useUp makes a process of the helper use up its descriptors.
func useUp(t *testing.T, pid int) {
	t.Helper()
	if err := unix.Kill(pid, unix.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(bound); ; time.Sleep(5 * time.Millisecond) {
		fds, err := os.ReadDir("/proc/" + itoa(pid) + "/fd")
		if err != nil {
			t.Fatal(err)
		}
		if len(fds) >= 256 { // see processtest.Exhaust
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d descriptors after %s", len(fds), bound)
		}
	}
}

// Where the kernel refuses pidfds, or no descriptor is left for one, all that was
// started still ends before anybody is told that it has: by the request to end, and
// by the supervisor when the helper's process dies.
func TestNothingIsLeftByAPoorHelper(t *testing.T) {
	for _, poor := range []struct{ name, value string }{
		{"pidfds refused, as by seccomp", itoa(int(unix.EPERM))},
		{"no pidfds, as by an old kernel", itoa(int(unix.ENOSYS))},
		{"no descriptors left", "descriptors"},
	} {
		t.Run(poor.name, func(t *testing.T) {
			t.Setenv(poorVariable, poor.value)
			s := openSession(t)
			ws := s.deaf()
			if poor.value == "descriptors" {
				useUp(t, s.hello.PID)
			}
			if left := s.end().Left; len(left) > 0 {
				t.Errorf("left: %s", describe(left))
			}
			ws.mustEnd(t, 0)
		})
		t.Run(poor.name+", and the helper's process is killed", func(t *testing.T) {
			t.Setenv(poorVariable, poor.value)
			s := openSession(t)
			s.mayDie = true
			ws := s.deaf()
			if poor.value == "descriptors" {
				p, err := process.Read(s.hello.PID)
				if err != nil {
					t.Fatal(err)
				}
				useUp(t, p.Parent)
			}
			_ = unix.Kill(s.hello.PID, unix.SIGKILL)
			select {
			case <-s.Done():
			case <-time.After(bound):
				t.Fatal("the client was not told")
			}
			ws.mustEnd(t, 0)
			if err := s.Err(); err == nil || !strings.Contains(err.Error(), "what it had started is ended too") {
				t.Errorf("the client was told %v", err)
			}
		})
	}
	nothingLeft(t)
}

// What /proc does not show (hidepid, and an agent of another user) is there all the
// same: it must not be taken for ended.
func TestAHiddenProcessIsNotTakenForEnded(t *testing.T) {
	s := openSession(t)
	s.mayDie = true
	agent := s.start(helper.AgentStartParams{}, "say:up", "stay")
	await(s, "the agent's word", func(p helper.OutputParams) bool { return string(p.Data) == "up\n" })
	ws := witness(t, agent)
	if err := unix.Mount("none", "/proc/"+itoa(agent), "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	r, err := s.End(s.ctx)
	if err == nil || !strings.Contains(err.Error(), "hidepid") {
		t.Errorf("the end: %+v, %v", r, err)
	}
	if err := unix.Unmount("/proc/"+itoa(agent), 0); err != nil {
		t.Fatal(err)
	}
	if ws[0].Ended() {
		t.Error("it has ended: nothing was tested")
	}
	if left := s.end().Left; len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	ws.mustEnd(t, 0)
}

// An agent or an lldb-server on a dead network mount: its exec hangs. The session can
// be ended all the same, and soon.
func TestAnExecThatHangsDoesNotHoldUpTheEnd(t *testing.T) {
	for _, c := range []struct {
		name   string
		start  func(ctx context.Context, s *client, path string) error
		vanish bool
	}{
		{"the agent, asked to end", startAgentAt, false},
		{"the agent, the client goes", startAgentAt, true},
		{"lldb-server, asked to end", startPlatformAt, false},
		{"lldb-server, the client goes", startPlatformAt, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			program := filepath.Join(t.TempDir(), "program")
			b, err := os.ReadFile("/bin/sleep")
			if err == nil {
				err = os.WriteFile(program, b, 0o755)
			}
			if err != nil {
				t.Fatal(err)
			}
			release := processtest.HoldExec(t, program)
			defer release()
			s := openSession(t)
			started := make(chan error, 1)
			go func() { started <- c.start(s.ctx, s, program) }()
			waitForFork(t, s.hello.PID)

			began := time.Now()
			if c.vanish {
				_ = s.Close() // the cleanup of the session looks at the error
			} else if left := s.end().Left; len(left) > 0 {
				t.Errorf("left: %s", describe(left))
			}
			if took := time.Since(began); took > endBound {
				t.Errorf("took %s", took)
			}
			select {
			case err := <-started:
				t.Logf("the start: %v", err)
			case <-time.After(bound):
				t.Error("the start was not answered")
			}
			if !c.vanish {
				_ = s.Close()
			}
			nothingLeft(t)
		})
	}
}

func startAgentAt(ctx context.Context, s *client, path string) error {
	_, err := s.AgentStart(ctx, helper.AgentStartParams{Command: []string{path, "1000"}})
	return err
}

func startPlatformAt(ctx context.Context, s *client, path string) error {
	_, err := s.PlatformStart(ctx, helper.PlatformStartParams{LLDBServer: path})
	return err
}

// waitForFork waits until the helper's process has a child, which hangs in its exec.
func waitForFork(t *testing.T, pid int) {
	t.Helper()
	for deadline := time.Now().Add(bound); ; time.Sleep(5 * time.Millisecond) {
		all, err := process.All()
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range all {
			if p.Parent == pid {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("the helper starts nothing")
		}
	}
}

// The reaper may see the end of a program before the start has noted it.
func TestAProgramThatEndsBeforeItIsNoted(t *testing.T) {
	c := &children{some: make(chan struct{}, 1), byPID: map[int]*child{}, starting: 1, early: map[int]syscall.WaitStatus{4711: 7 << 8}}
	ch, err := c.started(4711, nil)
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-ch.Done:
	default:
		t.Fatal("it is not known to have ended")
	}
	if text, code := statusText(ch.Status); code != 7 {
		t.Errorf("it ended with %s", text)
	}
	if len(c.byPID)+len(c.early)+c.starting > 0 {
		t.Errorf("still noted: %+v", c)
	}
	c.close()
	if _, err := c.start(command{}); !errors.Is(err, errClosed) {
		t.Errorf("a start after the end: %v", err)
	}
}
