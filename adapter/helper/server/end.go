//go:build linux

package server

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/internal/process"
)

// The grace of each step of end, and the bound on all of it.
const (
	// graceHeld is short: what got SIGKILL runs no further instruction, but is only seen
	// to have ended when its tracer has been, which may be stopped itself.
	graceHeld  = 100 * time.Millisecond
	graceEnvoy = 2 * time.Second
	graceAgent = 1 * time.Second
	endBound   = 5 * time.Second
)

// descendants are the living processes below this one. As this process is a
// subreaper, none can leave by the death of its parent.
func descendants(t process.Table) []process.Stat {
	var out []process.Stat
	for pid, p := range t {
		if !p.Dead() && t.Top(os.Getpid(), pid) != 0 {
			out = append(out, p)
		}
	}
	return out
}

// serverSide says whether a descendant belongs to lldb-server rather than to
// the agent; an orphaned gdbserver is told by its session or its program.
func (s *session) serverSide(t process.Table, p process.Stat) bool {
	top := t.Top(os.Getpid(), p.PID)
	s.mu.Lock()
	platform := s.platform
	s.mu.Unlock()
	if platform != nil && (top == platform.PID || t[top].Session == platform.PID) {
		return true
	}
	return strings.HasPrefix(filepath.Base(exe(top)), "lldb-server")
}

// agentSide are the living processes of the agent, orphans too.
func (s *session) agentSide() ([]int, error) {
	t, err := process.All()
	var pids []int
	for _, p := range descendants(t) {
		if !s.serverSide(t, p) {
			pids = append(pids, p.PID)
		}
	}
	return pids, err
}

// open opens the descendants for which want is true. With an error there are more
// of them.
func open(want func(process.Table, process.Stat) bool) (process.Handles, error) {
	t, err := process.All()
	var hs process.Handles
	for _, p := range descendants(t) {
		if !want(t, p) {
			continue
		}
		h, openErr := p.Open()
		switch {
		case openErr == nil:
			hs = append(hs, h)
		case !errors.Is(openErr, os.ErrProcessDone):
			err = errors.Join(err, openErr)
		}
	}
	return hs, err
}

// endAll ends everything below this process, and returns the PIDs of what resisted.
// The error says why it is not known whether there is more. What a debugger has
// stopped is killed where it stands: released, it would run on until it sees a
// SIGTERM. Then the debug servers go. Then Envoy and the agent may end in their own
// way, and what is left is killed.
func (s *session) endAll() (helper.EndResult, error) {
	s.endMu.Lock()
	defer s.endMu.Unlock()
	bound := time.Now().Add(endBound)
	reaper := &s.children.reaper

	step := func(sig syscall.Signal, grace time.Duration, want func(process.Table, process.Stat) bool) {
		s.signal(sig, earlier(bound, time.Now().Add(grace)), want)
	}
	s.endHeld()
	step(syscall.SIGKILL, time.Second, s.serverSide)
	if a := s.agent.Load(); a != nil {
		step(syscall.SIGTERM, graceEnvoy, func(t process.Table, p process.Stat) bool { return p.PID != a.PID && !s.serverSide(t, p) })
		step(syscall.SIGTERM, graceAgent, func(_ process.Table, p process.Stat) bool { return p.Group == a.PID })
	}
	left, err := killAll(reaper, bound)
	return helper.EndResult{Left: left}, err
}

// signal sends the descendants for which want is true a signal, and waits until they
// have ended or until late. An error leaves some of them out; killAll meets it again.
func (s *session) signal(sig syscall.Signal, late time.Time, want func(process.Table, process.Stat) bool) {
	hs, _ := open(want)
	defer hs.Close()
	for _, h := range hs {
		_ = s.children.reaper.Signal(h, sig)
	}
	hs.Wait(late)
}

// endHeld kills what a debugger keeps stopped, or was kept so after it, where it stands,
// and lets nothing come after it.
func (s *session) endHeld() {
	s.closeGate()
	s.signal(syscall.SIGKILL, time.Now().Add(graceHeld), func(t process.Table, p process.Stat) bool {
		return (p.HeldByDebugger() || p.State == 'T' && s.kept.has(p)) && !s.serverSide(t, p)
	})
}

// errHidden is for what the kernel counts among the children and /proc does not
// show: mounted with hidepid, it hides the processes of other users.
var errHidden = errors.New("a process of the session is there that /proc does not show; is it mounted with hidepid?")

// killAll kills all descendants until there are none, which takes several
// rounds while some of them fork, or until the bound. It returns the PIDs of those
// left; the error says why it is not known whether there are more.
func killAll(reaper *process.Reaper, bound time.Time) (left []int, err error) {
	for {
		hs, err := open(func(process.Table, process.Stat) bool { return true })
		if err == nil && len(hs) == 0 {
			err = noneHidden()
		}
		if err == nil && len(hs) == 0 {
			return []int{}, nil
		}
		if time.Now().After(bound) {
			left := []int{}
			for _, h := range hs {
				left = append(left, h.PID)
			}
			hs.Close()
			return left, err
		}
		for _, h := range hs {
			_ = reaper.Signal(h, syscall.SIGKILL)
		}
		if !hs.Wait(earlier(bound, time.Now().Add(200*time.Millisecond))) || len(hs) == 0 {
			time.Sleep(10 * time.Millisecond)
		}
		hs.Close()
	}
}

// noneHidden asks the kernel for children, when /proc shows no living descendant.
// Zombies are allowed: of a process that somebody else traces its parent learns
// nothing until the tracer has.
func noneHidden() error {
	if process.Childless() {
		return nil
	}
	t, err := process.All()
	if err != nil {
		return err
	}
	for _, p := range t {
		if p.Parent == os.Getpid() && p.Dead() {
			return nil
		}
	}
	if process.Childless() { // it was reaped in between
		return nil
	}
	return errHidden
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
