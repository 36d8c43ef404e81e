package startup

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/gdbremote"
	"github.com/envoydbg/envoydbg/adapter/helper"
)

// server starts lldb-server there, or takes the one that was started by hand, and starts
// the relay here.
func (s *Startup) server(ctx context.Context) error {
	s.phases.Begin(PhaseServer)
	find := s.ownServer
	if s.cfg.ByHand() != "" {
		find = s.byHand
	}
	socket, what, err := find(ctx)
	if err != nil {
		return err
	}
	relay, err := gdbremote.Start(gdbremote.Config{Dir: s.opts.Dir, Platform: socket, Dial: s.beside.Dial,
		Awaited: s.awaited(), SkipToExec: s.cfg.Gate, Admit: s.admit, Observer: observer{s}})
	if err != nil {
		return err
	}
	if !s.own(func() { s.relay = relay }) {
		relay.Close()
		return context.Canceled
	}
	s.phases.End("%s", what)
	return nil
}

// ownServer starts an lldb-server of the session's own. It returns how it is dialled, and
// what the phase shows.
func (s *Startup) ownServer(ctx context.Context) (socket, what string, err error) {
	path, err := s.opts.Target.LLDBServer(ctx, s.cfg.LLDBServer, s.opts.LLDBDap, s.opts.LLDB)
	if err != nil {
		return "", "", err
	}
	platform, err := s.beside.PlatformStart(ctx, helper.PlatformStartParams{LLDBServer: path})
	if refusal := helper.RefusalOf(err); refusal != nil {
		return "", "", fault.PtraceRefused(refusal.Why, refusal.Do)
	}
	if err != nil {
		return "", "", s.cause(ctx, fault.ServerStart(err.Error()))
	}
	if !strings.HasPrefix(platform.Version, fmt.Sprintf("%d.", s.opts.LLDB.Major)) {
		s.host.Output(important, fmt.Sprintf("lldb-dap is %s and lldb-server is %s; they are only known to work together in one version.\n",
			s.opts.LLDB.Text, platform.Version))
	}
	return platform.Socket, fmt.Sprintf("lldb-server %s (pid %d)", platform.Version, platform.PID), nil
}

// symbols hands the attach to lldb-dap, which loads the symbols and then tells
// the debug server to wait.
func (s *Startup) symbols(ctx context.Context) error {
	s.phases.Begin(PhaseSymbols)
	if err := s.until(ctx, func() bool { return s.sources != nil }); err != nil {
		return err
	}
	found := s.useSources()
	s.opts.Found(s.foundForNext())
	attach, err := s.attachRequest()
	if err != nil {
		return err
	}
	err = s.host.Attach(attach, func(answer *dapio.Message, err error) { s.box.post(attachAnswered{answer, err}) })
	if err != nil {
		return s.cause(ctx, err)
	}
	if err := s.until(ctx, func() bool { return s.armed != nil }); err != nil {
		return err
	}
	what := "symbols and line tables"
	switch {
	case found != "":
		what = found
	case s.local.DWARF:
	case s.local.Symbols:
		what = "symbols, no line tables"
	default:
		what = "stripped: no symbols"
	}
	s.phases.End("%s  %s", filepath.Base(s.cfg.Program), what)

	s.phases.Begin(PhaseArmed)
	evidence := fmt.Sprintf("%s %s written; %s", s.armed.Packet, s.armed.Name, s.polling(ctx, s.armed.ServerPID))
	s.phases.End("%s", evidence)
	s.phases.Moment(MomentArmed, evidence)
	return nil
}

// pollingTime bounds the look at the debug server's own state. The packet makes
// the order safe by itself (the wait includes processes that exist already), so
// this is evidence, and its absence no failure.
const pollingTime = 500 * time.Millisecond

// polling waits until the debug server is seen between two scans.
func (s *Startup) polling(ctx context.Context, pid int) string {
	if s.cfg.ByHand() != "" { // it may have another user, who alone may look
		return "lldb-server was started by hand, and is not looked at"
	}
	ctx, cancel := context.WithTimeout(ctx, pollingTime)
	defer cancel()
	state, err := s.beside.ServerState(ctx, helper.ServerStateParams{PID: pid, Wait: (pollingTime * 4 / 5).Milliseconds()})
	switch {
	case ctx.Err() != nil:
		return fmt.Sprintf("lldb-server (pid %d) was not seen polling: no answer", pid)
	case err != nil:
		return "its state cannot be read: " + fault.Plain(err)
	case !state.Polling:
		return fmt.Sprintf("lldb-server (pid %d) was not seen polling: %s", pid, state.Detail)
	}
	return fmt.Sprintf("lldb-server (pid %d) polls: %s", pid, state.Detail)
}
