package startup

import (
	"context"
	"fmt"
	"strings"

	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/helper"
)

// agentState is what may happen to the agent.
type agentState int

const (
	agentNotYet  agentState = iota // not armed
	agentAwaited                   // armed, and waiting for the user's word
	agentStarted                   // started, or about to be
)

// startAgent starts the agent, at once or when the user says so.
func (s *Startup) startAgent(ctx context.Context) error {
	s.phases.Begin(PhaseAgent)
	if s.cfg.Agent.Start == config.StartManual {
		s.agent = agentAwaited
		s.phases.Waiting("armed, waiting for you to start the agent")
		s.host.Output(console, "Armed. The command \"Envoy: Start Agent\" (the request \"startAgent\") starts the agent.\n")
		if err := s.until(ctx, func() bool { return s.starter != nil }); err != nil {
			return err
		}
	}
	s.agent = agentStarted
	started, err := s.beside.AgentStart(ctx, helper.AgentStartParams{Command: s.cfg.Agent.Command, Expand: !s.cfg.Local(), Env: s.cfg.Agent.Env,
		Cwd: s.cfg.Agent.Cwd, EnvoyPath: s.remote.Path, Gate: s.cfg.Gate, GateTimeout: s.cfg.Timeout().Milliseconds()})
	if err != nil {
		f := s.agentFault(ctx, err)
		if s.starter != nil {
			s.starter(0, fault.From(f))
			s.starter = nil
		}
		return f
	}
	s.started.Store(true)
	s.phases.Moment(MomentAgent, fmt.Sprintf("pid %d", started.PID))
	if s.starter != nil {
		s.starter(started.PID, nil)
		s.starter = nil
	}
	s.phases.End("%s (pid %d)", strings.Join(s.cfg.Agent.Command, " "), started.PID)
	return nil
}

// leaveMailbox refuses what asks for the agent from here on.
func (s *Startup) leaveMailbox() {
	if s.starter != nil {
		s.starter(0, fault.NotManual(sessionEnds))
	}
	for _, notice := range s.box.close() {
		if ask, ok := notice.(agentAsked); ok {
			ask.answer(0, fault.NotManual(sessionEnds))
		}
	}
}

func (s *Startup) agentFault(ctx context.Context, err error) error {
	if refusal := helper.RefusalOf(err); refusal != nil {
		return fault.PtraceRefused(refusal.Why, refusal.Do)
	}
	if helper.Code(err) == helper.CodeEnvoyRunning {
		return fault.EnvoyRunning(err.Error())
	}
	return s.cause(ctx, fault.AgentStart(s.cfg.Agent.Command, err.Error()))
}
