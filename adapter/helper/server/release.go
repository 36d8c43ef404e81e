//go:build linux

package server

import (
	"context"
	"os"
	"syscall"
	"time"

	"github.com/sourcegraph/jsonrpc2"

	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/internal/process"
)

// release lets the agent and Envoy go. The debugger must have let go of them before:
// a process that is traced when its debug server ends may have breakpoints left in
// its code, and would end by the first.
func (s *session) release() (helper.ReleaseResult, error) {
	var none helper.ReleaseResult
	a := s.agent.Load()
	if a == nil {
		return none, fail(jsonrpc2.CodeInvalidRequest, "no agent has been started")
	}
	pids, err := s.agentSide()
	if err != nil {
		return none, fail(jsonrpc2.CodeInternalError, "%v", err)
	}
	for _, pid := range pids {
		if tracer, err := process.Tracer(pid); err == nil && tracer != 0 {
			return none, fail(helper.CodeBusy, "%s is still traced by pid %d", describe([]int{pid}), tracer)
		}
	}
	s.endServers()
	r := helper.ReleaseResult{Agent: a.PID, PIDs: pids, Helper: os.Getpid()}
	state, left := helper.StateRunning, helper.Left{Agent: a.PID, Command: a.command}
	if s.kept.any() {
		state, left.Stopped, left.Until = helper.StateStopped, s.kept.pids(), time.Now().Add(s.kept.lease)
		r.Stopped, r.Lease = left.Stopped, s.kept.lease.Milliseconds()
	}
	s.released.Store(true)
	s.tellLeft(state, left)
	return r, nil
}

// endServers ends the debug servers.
func (s *session) endServers() { s.signal(syscall.SIGKILL, time.Now().Add(time.Second), s.serverSide) }

func (s *session) tellLeft(state helper.State, left helper.Left) {
	if s.opts.left != nil {
		s.opts.left(state, left)
	}
}

// outlive stays with what was released until it has ended by itself: it reads their
// output, which nobody sees, because they would end by writing to a closed pipe; it
// is their parent; and the gate opens for an Envoy that comes later. When ctx ends
// first, or an Envoy that was left stopped stays so for too long, so do they.
func (s *session) outlive(ctx context.Context) {
	if !s.waitStopped(ctx) {
		return
	}
	for ctx.Err() == nil {
		running, err := open(func(process.Table, process.Stat) bool { return true })
		if err == nil && len(running) == 0 {
			return
		}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			running.Wait(time.Now().Add(time.Minute)) // then look for new ones
			running.Close()
		}()
		select {
		case <-ended:
		case <-ctx.Done():
		}
	}
}
