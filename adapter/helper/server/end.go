//go:build linux

package server

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/envoydbg/envoydbg/adapter/helper"
)

// The grace of each step of end, and the bound on all of it.
const (
	graceEnvoy = 2 * time.Second
	graceAgent = 1 * time.Second
	endBound   = 5 * time.Second
)

// descendants are the living processes below this one. As this process is a
// subreaper, none can leave by the death of its parent.
func descendants(t table) []proc {
	var out []proc
	for pid, p := range t {
		if !p.dead() && t.top(os.Getpid(), pid) != 0 {
			out = append(out, p)
		}
	}
	return out
}

// serverSide says whether a descendant belongs to lldb-server rather than to
// the agent; an orphaned gdbserver is told by its session or its program.
func (s *session) serverSide(t table, p proc) bool {
	top := t.top(os.Getpid(), p.pid)
	s.mu.Lock()
	platform := s.platform
	s.mu.Unlock()
	if platform != nil && (top == platform.PID || t[top].sid == platform.PID) {
		return true
	}
	return strings.HasPrefix(filepath.Base(exe(top)), "lldb-server")
}

// agentSide are the living processes of the agent, orphans too.
func (s *session) agentSide() []int {
	t := processes()
	var pids []int
	for _, p := range descendants(t) {
		if !s.serverSide(t, p) {
			pids = append(pids, p.pid)
		}
	}
	return pids
}

// choose opens the descendants for which want is true.
func choose(t table, want func(proc) bool) handles {
	var hs handles
	for _, p := range descendants(t) {
		if want(p) {
			if h, ok := open(p); ok {
				hs = append(hs, h)
			}
		}
	}
	return hs
}

// endAll ends everything below this process and returns the PIDs that resisted.
// The debug servers go first and at once: their death releases Envoy, which
// would not see a SIGTERM while it is stopped. Then Envoy and the agent may end
// in their own way, and what is left is killed.
func (s *session) endAll() helper.EndResult {
	s.endMu.Lock()
	defer s.endMu.Unlock()
	bound := time.Now().Add(endBound)

	step := func(sig unix.Signal, grace time.Duration, want func(table, proc) bool) {
		t := processes()
		hs := choose(t, func(p proc) bool { return want(t, p) })
		defer hs.close()
		hs.signal(sig)
		hs.wait(earlier(bound, time.Now().Add(grace)))
	}
	step(unix.SIGKILL, time.Second, s.serverSide)
	if a := s.agent.Load(); a != nil {
		step(unix.SIGTERM, graceEnvoy, func(t table, p proc) bool { return p.pid != a.PID && !s.serverSide(t, p) })
		step(unix.SIGTERM, graceAgent, func(_ table, p proc) bool { return p.pgrp == a.PID })
	}
	return helper.EndResult{Left: killAll(bound)}
}

// killAll kills all descendants until there are none, which takes several
// rounds while some of them fork, or until the bound.
func killAll(bound time.Time) []int {
	for {
		hs := choose(processes(), func(proc) bool { return true })
		if len(hs) == 0 {
			return []int{}
		}
		if time.Now().After(bound) {
			left := []int{}
			for _, h := range hs {
				left = append(left, h.pid)
			}
			hs.close()
			return left
		}
		hs.signal(unix.SIGKILL)
		hs.wait(earlier(bound, time.Now().Add(200*time.Millisecond)))
		hs.close()
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
