package pod

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/remote"
	"github.com/envoydbg/envoydbg/adapter/startup"
	"github.com/envoydbg/envoydbg/internal/tail"
)

// Bounds of the commands about an agent without a debug session.
const (
	agentTime = 30 * time.Second
	// soon is how long a new agent is looked at: what is wrong with its command or its
	// environment ends it within that time.
	soon = time.Second
)

// AgentStatus says who has the container's agent, and which agents and Envoys run there.
func (t *Target) AgentStatus(ctx context.Context) (helper.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, agentTime)
	defer cancel()
	_, s, err := t.status(ctx)
	return s, err
}

// status brings the helper, unless it is there, and asks it. The place is that of the
// session which is there.
func (t *Target) status(ctx context.Context) (helper.Place, helper.Status, error) {
	t.progress, t.say = func(string, ...any) {}, t.Say
	if err := t.find(ctx); err != nil {
		return helper.Place{}, helper.Status{}, err
	}
	var err error
	if t.placed, err = t.place(ctx); err != nil {
		return helper.Place{}, helper.Status{}, err
	}
	container := t.container
	place := helper.Place{Dir: path.Join(t.placed.dir, sessionFolder), Run: func(ctx context.Context, args ...string) (io.ReadWriteCloser, error) {
		return container.Stream(ctx, append([]string{t.placed.helper}, args...)), nil
	}}
	s, err := place.Status(ctx)
	if err != nil {
		return place, s, fault.HelperUnreached(err)
	}
	place.Session = s.Session
	return place, s, nil
}

// StopAgent ends what a session, or StartAgent, has left in the container. A session
// that is still one is ended only by force. It is false when nothing was there.
func (t *Target) StopAgent(ctx context.Context, force bool) (stopped bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, agentTime)
	defer cancel()
	place, s, err := t.status(ctx)
	switch {
	case err != nil, s.State == "":
		return false, err
	case s.State == helper.StateSession && !force:
		return false, fault.AgentInSession(s.Who, s.Since)
	}
	var told *helper.StatusError
	err = place.End(ctx)
	if errors.As(err, &told) && told.Problem == helper.ProblemNoSession {
		return true, nil // it has ended by itself meanwhile
	}
	if err != nil {
		return false, fault.HelperUnreached(err)
	}
	return true, nil
}

// ContinueAgent lets an Envoy run on that a session has left stopped.
func (t *Target) ContinueAgent(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, agentTime)
	defer cancel()
	place, s, err := t.status(ctx)
	if err != nil {
		return err
	}
	if s.State == "" {
		return fault.NotStopped(t.container.String(), errors.New("nothing of envoydbg's is there"))
	}
	var told *helper.StatusError
	err = place.Continue(ctx)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &told) && (told.Problem == helper.ProblemNotStopped || told.Problem == helper.ProblemNoSession):
		return fault.NotStopped(t.container.String(), err)
	}
	return fault.HelperUnreached(err)
}

// StartAgent starts an agent without a debugger, which runs on without this client, and
// returns its process id. Its command is that of the container when command is empty.
func (t *Target) StartAgent(ctx context.Context, command []string, env map[string]string) (pid int, err error) {
	ctx, cancel := context.WithTimeout(ctx, agentTime)
	defer cancel()
	_, s, err := t.status(ctx)
	if err != nil {
		return 0, err
	}
	if others := notOurs(s.Processes); len(others) > 0 {
		return 0, fault.EnvoyRuns(t.container.String(), others...)
	}
	var said tail.Tail
	ended := make(chan helper.ExitParams, 1)
	b, err := t.Connect(ctx, startup.Notices{
		Progress: t.progress,
		Say:      t.Say,
		Output:   func(p helper.OutputParams) { _, _ = said.Write(p.Data) },
		Exit: func(p helper.ExitParams) {
			select {
			case ended <- p:
			default:
			}
		}})
	if err != nil {
		return 0, err
	}
	defer b.Close() // which ends the agent, unless it has been released
	if _, err := b.Hello(ctx, helper.HelloParams{Protocol: helper.Protocol, Session: remote.NewSession()}); err != nil {
		return 0, fault.HelperUnreached(err)
	}
	if len(command) == 0 {
		command = t.Agent()
	}
	started, err := b.AgentStart(ctx, helper.AgentStartParams{Command: command, Expand: true, Env: env})
	if err != nil {
		return 0, fault.AgentStart(command, fault.Plain(err))
	}
	select {
	case p := <-ended:
		return 0, fault.AgentEndedSoon(strings.Join(command, " "), p.Status, said.String())
	case <-time.After(soon):
	case <-ctx.Done():
		return 0, fault.HelperUnreached(context.Cause(ctx))
	}
	if _, err := b.Release(ctx); err != nil {
		return 0, fault.HelperUnreached(err)
	}
	return started.PID, nil
}

// notOurs are the agents and Envoys that no session has started, in words.
func notOurs(all []helper.Running) []string {
	var others []string
	for _, p := range all {
		if !p.Ours {
			others = append(others, fmt.Sprintf("pid %d since %s: %s", p.PID, p.Since.Local().Format(time.DateTime), strings.Join(p.Args, " ")))
		}
	}
	return others
}
