//go:build linux

package server

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/sourcegraph/jsonrpc2"

	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/internal/process"
)

const (
	// stoppedLease is how long an Envoy stays that was left stopped.
	stoppedLease = time.Hour
	// stopBound is how long a process may take to stop.
	stopBound = time.Second
)

// kept are the processes that stand still without a debugger.
type kept struct {
	mu     sync.Mutex
	all    []process.Stat
	goesOn chan struct{} // closed when they have been let run on
	lease  time.Duration // how long they stay
}

func newKept() kept { return kept{goesOn: make(chan struct{}), lease: stoppedLease} }

func (k *kept) has(p process.Stat) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.ContainsFunc(k.all, p.Is)
}

func (k *kept) note(hs process.Handles) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, h := range hs {
		k.all = append(k.all, h.Stat)
	}
}

func (k *kept) any() bool { return len(k.pids()) > 0 }

func (k *kept) pids() []int {
	k.mu.Lock()
	defer k.mu.Unlock()
	var pids []int
	for _, p := range k.all {
		pids = append(pids, p.PID)
	}
	return pids
}

// keepStopped takes what the debugger keeps stopped from it: it ends the debug servers,
// and what they had stands still. The debugger must have taken its breakpoints out.
//
// A process that a debugger keeps stopped takes no signal. A SIGSTOP that it is sent
// there waits, and is the first thing that it takes when its tracer has ended, before
// another instruction of its own. It would not be so if the debug server detached:
// lldb-server then sends a SIGCONT, which takes the SIGSTOP back.
func (s *session) keepStopped() error {
	if s.hand.Load() != nil {
		return fail(helper.CodePermission, "the debug server was started by hand: only its own end would keep Envoy stopped")
	}
	hs, err := open(func(t process.Table, p process.Stat) bool {
		tracer, _ := process.Tracer(p.PID)
		return tracer != 0 && !s.serverSide(t, p)
	})
	if err != nil || len(hs) == 0 {
		hs.Close()
		return fail(helper.CodeNotFound, "no process of the agent's is being debugged (%v)", err)
	}
	defer hs.Close()
	for _, h := range hs {
		if !h.HeldByDebugger() {
			return fail(helper.CodeBusy, "%s runs", describe([]int{h.PID}))
		}
	}
	s.kept.note(hs)
	for _, h := range hs {
		_ = s.children.reaper.Signal(h, syscall.SIGSTOP)
	}
	s.endServers()
	bound := time.Now().Add(stopBound)
	for _, h := range hs {
		for !standing(h.PID) {
			if time.Now().After(bound) {
				return fail(jsonrpc2.CodeInternalError, "%s does not stop", describe([]int{h.PID}))
			}
			time.Sleep(time.Millisecond)
		}
	}
	return nil
}

// standing says whether all threads of a process are stopped by a signal.
func standing(pid int) bool { return threadsAre(pid, "T") }

// threadsAre says whether each thread of a process is in one of these states.
func threadsAre(pid int, states string) bool {
	tasks, _ := filepath.Glob("/proc/" + itoa(pid) + "/task/*/stat")
	for _, task := range tasks {
		b, err := os.ReadFile(task)
		if err != nil {
			continue // it has ended
		}
		if t, err := process.ParseStat(b); err != nil || strings.IndexByte(states, t.State) < 0 {
			return false
		}
	}
	return len(tasks) > 0
}

// waitStopped waits until what was left stopped has been let run on. It is false when
// that was not to be: the agent has ended, the time is over, or ctx has.
func (s *session) waitStopped(ctx context.Context) bool {
	if !s.kept.any() {
		return true
	}
	select {
	case <-s.kept.goesOn:
		return true
	case <-s.agent.Load().Done: // an Envoy that is stopped would never know
	case <-time.After(s.kept.lease):
		return !slices.ContainsFunc(s.kept.pids(), standing) // somebody else has let them
	case <-ctx.Done():
	}
	return false
}

// goOn lets what was left stopped run on.
func (s *session) goOn() error {
	if !s.released.Load() || !s.kept.any() {
		return problem(helper.ProblemNotStopped, "nothing was left stopped here")
	}
	select {
	case <-s.kept.goesOn:
		return problem(helper.ProblemNotStopped, "it runs already")
	default:
	}
	hs, err := open(func(_ process.Table, p process.Stat) bool { return s.kept.has(p) })
	if err != nil || len(hs) == 0 {
		hs.Close()
		return problem(helper.ProblemNotStopped, "what was left stopped has ended (%v)", err)
	}
	defer hs.Close()
	a := s.agent.Load()
	s.tellLeft(helper.StateRunning, helper.Left{Agent: a.PID, Command: a.command})
	for _, h := range hs {
		err = errors.Join(err, s.children.reaper.Signal(h, syscall.SIGCONT))
	}
	close(s.kept.goesOn)
	return err
}

// control is how other commands reach a daemon's session.
type control struct {
	session atomic.Pointer[session]
	one     sync.Mutex // one command at a time
}

// serve answers one continue.
func (c *control) serve(conn net.Conn) {
	defer conn.Close()
	c.one.Lock()
	defer c.one.Unlock()
	var status helper.Status
	if s := c.session.Load(); s != nil {
		status = statusOf(helper.Status{}, s.goOn())
	}
	_ = helper.WriteStatus(conn, status)
}

// continueMain lets an Envoy run on that the daemon's session has left stopped.
func continueMain(args []string) (int, error) {
	survivePipes()
	set := flag.NewFlagSet(wordGoOn, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	place := set.String("dir", "", "")
	session := set.String("session", "", "")
	err := set.Parse(args)
	if err == nil {
		err = askToContinue(*place, *session)
	}
	return conclude(helper.Status{}, err)
}

func askToContinue(place, session string) error {
	h, err := holderOf(place)
	if err != nil {
		return err
	}
	if h.Session != session {
		return h.taken()
	}
	conn, err := dialDaemon(place, continueSocket(h.Dir))
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = helper.ReadStatus(bufio.NewReader(conn))
	return err
}
