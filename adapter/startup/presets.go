package startup

import (
	"cmp"
	"context"
	"errors"
	"strconv"

	"github.com/tidwall/gjson"

	"github.com/envoydbg/envoydbg/adapter/breakpoints"
	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/internal/elffile"
)

// setPresets sets the breakpoints of "breakpointPresets". They are LLDB's own
// breakpoints and not DAP function breakpoints, because each setFunctionBreakpoints
// of the client replaces all of those. The name "dap" is lldb-dap's own for the
// breakpoints whose changes it tells; the preset's is for the user's commands. Whether
// LLDB has found a place for one is read from its list of breakpoints, not from what
// the command prints.
func (s *Startup) setPresets(ctx context.Context) error {
	if err := s.until(ctx, func() bool { return s.found != nil }); err != nil {
		return err
	}
	for _, preset := range s.cfg.BreakpointPresets {
		var err error
		switch preset {
		case config.PresetMain:
			err = s.presetMain(ctx)
		case config.PresetSyscalls:
			err = s.presetSyscalls(ctx)
		case config.PresetLibevent:
			// libc is not loaded at Envoy's entry; the breakpoint waits for it.
			_, err = s.set(ctx, preset, "--shlib libc.so.6 --name epoll_create --name epoll_create1 --name epoll_wait --name epoll_ctl")
			s.addPreset(preset, false, notBoundYet)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// notBoundYet is why a preset has no place at Envoy's entry, though it will have one.
const notBoundYet = "it is in libc, which is not loaded yet."

// addPreset notes how a preset stands; pending says why it will be bound later.
func (s *Startup) addPreset(preset string, bound bool, pending string) {
	state := breakpoints.State{Name: "preset " + preset, Bound: bound,
		Reason: breakpoints.Reason{Text: pending, Pending: pending != ""}}
	if !bound && pending == "" {
		state.Text = "it has found no place to stop."
	}
	s.presets = append(s.presets, state)
}

// presetSyscalls stops at each of Envoy's wrappers of system calls.
func (s *Startup) presetSyscalls(ctx context.Context) error {
	places, err := s.placesOf(ctx, s.found.syscalls)
	if err != nil {
		return err
	}
	b, err := s.set(ctx, config.PresetSyscalls, places...)
	if err != nil {
		return err
	}
	// Envoy is loaded: without a place now it will have none later.
	s.addPreset(config.PresetSyscalls, b.verified, "")
	if !b.verified {
		s.host.Fault(fault.PresetUnbound(config.PresetSyscalls, cmp.Or(b.said, s.found.why("OsSysCallsImpl"))))
	}
	return nil
}

// presetMain stops at Envoy::MainCommon::main, or at main where Envoy has
// another shape.
func (s *Startup) presetMain(ctx context.Context) error {
	b, err := s.breakAtMain(ctx)
	if err != nil {
		return err
	}
	pending := ""
	if b.pending {
		pending = "libc tells where main is when it is loaded."
	}
	s.addPreset(config.PresetMain, b.verified, pending)
	switch {
	case len(b.ids) == 0, !b.verified && !b.pending:
		s.host.Fault(fault.PresetUnbound(config.PresetMain, cmp.Or(b.said, s.found.why("main"))))
		return nil
	case s.cfg.Gate:
		return nil // it stands before its first instruction
	}
	if s.pastMain, err = s.isPast(ctx, b.ids); s.pastMain {
		s.host.Fault(fault.PastMain(s.pid()))
	}
	return err
}

// breakAtMain sets the breakpoint.
func (s *Startup) breakAtMain(ctx context.Context) (outcome, error) {
	if !errors.Is(s.found.err, elffile.ErrNoSymbols) {
		places, err := s.placesOf(ctx, s.found.main)
		if err != nil {
			return outcome{}, err
		}
		return s.set(ctx, config.PresetMain, places...)
	}
	s.host.Output(console, "program has no symbols: the preset \"main\" stops at the address of main(). For names and source lines set \"program\" "+
		"to the unstripped file of the same build, or load its debug file with \"target symbols add\" in postRunCommands.\n")
	// The address is in the program's start-up code. Where that is unknown, libc
	// is told it: it is the first argument of __libc_start_main. Without the gate
	// Envoy may have called that before the debugger came.
	if address, ok, err := elffile.Main(s.cfg.Program); err == nil && ok {
		return s.set(ctx, config.PresetMain, s.at(address))
	}
	b, err := s.setBy(ctx, config.PresetMain, "breakpoint set --shlib libc.so.6 --name __libc_start_main --skip-prologue false --one-shot true --auto-continue true "+
		"--command 'breakpoint set --breakpoint-name dap --address $arg1'")
	b.verified, b.pending = false, true
	return b, err
}

// outcome is what has become of the commands that set a preset's breakpoints.
type outcome struct {
	ids      []string // LLDB's numbers
	verified bool     // one of them has a place
	pending  bool     // they will get one when libc is loaded
	said     string   // what LLDB printed last
}

// set sets a preset's breakpoints, each where the arguments of the command say.
func (s *Startup) set(ctx context.Context, preset string, where ...string) (outcome, error) {
	commands := make([]string, len(where))
	for i, arguments := range where {
		commands[i] = "breakpoint set --breakpoint-name dap --breakpoint-name " + preset + " " + arguments
	}
	return s.setBy(ctx, preset, commands...)
}

// setBy runs commands that set a preset's breakpoints, and looks at what came of it.
func (s *Startup) setBy(ctx context.Context, preset string, commands ...string) (out outcome, err error) {
	if len(commands) == 0 {
		return out, nil
	}
	before, err := s.list(ctx)
	if err != nil {
		return out, err
	}
	for _, command := range commands {
		said, err := s.command(ctx, command)
		if err != nil {
			return out, err
		}
		out.said = lastLine(said)
	}
	after, err := s.list(ctx)
	if err != nil {
		return out, err
	}
	for id, verified := range after {
		if _, there := before[id]; !there {
			out.ids, out.verified = append(out.ids, id), out.verified || verified
			if n, err := strconv.ParseInt(id, 10, 64); err == nil {
				s.host.Preset(n, preset)
			}
		}
	}
	return out, nil
}

// list is every breakpoint of LLDB's, by its number, and whether it has a place.
// The request is lldb-dap's own, for its tests; LLDB 19 to 22 have it.
func (s *Startup) list(ctx context.Context) (map[string]bool, error) {
	answer, err := s.host.Ask(ctx, dapio.NewRequest("_testGetTargetBreakpoints", nil))
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	answer.Get("body.breakpoints").ForEach(func(_, b gjson.Result) bool {
		out[b.Get("id").Raw] = b.Get("verified").Bool()
		return true
	})
	return out, nil
}

// command runs an LLDB command through lldb-dap and returns what it printed.
func (s *Startup) command(ctx context.Context, command string) (string, error) {
	// The prefix makes it a command, whatever the repl mode.
	answer, err := s.host.Ask(ctx, dapio.NewRequest("evaluate", map[string]string{"expression": s.cfg.CommandEscapePrefix + command, "context": "repl"}))
	if err != nil {
		return "", err
	}
	said := answer.Get("body.result").String()
	s.trace.Line("command", "%s: %s", command, said)
	return said, nil
}
