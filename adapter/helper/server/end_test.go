//go:build linux

package server

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/internal/process"
)

func (c *client) end() helper.EndResult {
	c.t.Helper()
	r, err := c.End(c.ctx)
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

func TestEndLeavesNothing(t *testing.T) {
	for _, c := range []struct {
		name   string
		env    map[string]string
		script []string
		within time.Duration
	}{
		{"agent alone", nil, []string{"stay"}, time.Second},
		{"agent and Envoy", nil, []string{"envoy-anyway", "wait"}, time.Second},
		{"deaf ones", map[string]string{"ENVOY_DEAF": "1"}, []string{"deaf", "envoy-anyway", "wait"}, endBound},
		{"orphaned Envoy", nil, []string{"envoy-anyway", "exit:0"}, time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openSession(t)
			env := map[string]string{"ENVOY": actor(t, "real-envoy")}
			for k, v := range c.env {
				env[k] = v
			}
			pids := []int{s.start(helper.AgentStartParams{Env: env}, c.script...)}
			if len(c.script) > 1 {
				pids = append(pids, s.envoy().PID)
			}
			if c.script[len(c.script)-1] == "exit:0" {
				s.exit("agent")
				pids = pids[1:]
				if p, err := s.Process(s.ctx, helper.ProcessParams{PID: pids[0]}); err != nil || !p.Alive || !p.Ours {
					t.Errorf("the orphan: %+v %v, want alive and ours", p, err)
				}
			}
			w := witness(t, pids...)
			began := time.Now()
			if left := s.end().Left; len(left) > 0 {
				t.Errorf("left: %s", describe(left))
			}
			// A second of slack for a machine under load.
			if took := time.Since(began); took > c.within+time.Second {
				t.Errorf("took %s", took)
			}
			w.mustEnd(t, 0)
			if left := s.end().Left; len(left) > 0 {
				t.Errorf("the second time: %v", left)
			}
		})
	}
	nothingLeft(t)
}

func TestEndAtTheGate(t *testing.T) {
	c := openSession(t)
	c.startGated(nil, "envoy", "wait")
	w := witness(t, c.gate("waiting").PID)
	if left := c.end().Left; len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	w.mustEnd(t, 0)
	c.exit("agent")
	if got := c.gates(); strings.Contains(got, "ended") {
		t.Errorf("what the session ends itself is told:\n%s", got)
	}
}

func TestEndedSessionStartsAgain(t *testing.T) {
	c := openSession(t)
	c.startGated(nil, "envoy", "wait")
	c.gate("waiting")
	c.end()
	c.startGated(nil, "envoy", "wait")
	second := await(c, "a second gate", func(p helper.GateParams) bool {
		return p.State == "waiting" && exe(p.PID) != ""
	})
	trace(t, second.PID)
	if got := c.envoy().PID; got != second.PID {
		t.Errorf("Envoy is %d, want %d", got, second.PID)
	}
}

// Whoever goes away without a word, nothing must stay behind.
func TestNothingStaysWhenSomeoneVanishes(t *testing.T) {
	for _, c := range []struct {
		name   string
		vanish func(t *testing.T, s *client)
		why    string // in the client's error
	}{
		{"the client", func(t *testing.T, s *client) {
			if err := s.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		}, "closed"},
		{"the session's process, killed", func(_ *testing.T, s *client) {
			_ = unix.Kill(s.hello.PID, unix.SIGKILL)
		}, "killed"},
		{"the supervisor, killed", func(_ *testing.T, s *client) {
			p, _ := process.Read(s.hello.PID)
			_ = unix.Kill(p.Parent, unix.SIGKILL)
		}, "killed"},
		{"the supervisor, asked to end", func(_ *testing.T, s *client) {
			p, _ := process.Read(s.hello.PID)
			_ = unix.Kill(p.Parent, unix.SIGTERM)
		}, "the helper ended the connection"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openSession(t)
			s.mayDie = true
			agent := s.start(helper.AgentStartParams{Env: map[string]string{"ENVOY": actor(t, "real-envoy"), "ENVOY_DEAF": "1"}},
				"deaf", "envoy-anyway", "wait")
			w := witness(t, agent, s.envoy().PID, s.hello.PID)
			c.vanish(t, s)
			w.mustEnd(t, endBound+2*time.Second)
			select {
			case <-s.Done():
			case <-time.After(bound):
				t.Fatal("the client was not told")
			}
			if err := s.Err(); err == nil || !strings.Contains(err.Error(), c.why) {
				t.Errorf("the client was told %v, want %q", err, c.why)
			}
			nothingLeft(t)
			if _, err := os.Stat(s.hello.Dir); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the session's folder %s: %v, want it gone", s.hello.Dir, err)
			}
			if _, err := s.Process(s.ctx, helper.ProcessParams{PID: 1}); err == nil {
				t.Error("a call after the end succeeded")
			}
		})
	}
}
