package adapter

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/fault"
)

// presets sets the breakpoints of "breakpointPresets". They are LLDB's own
// breakpoints and not DAP function breakpoints, because each
// setFunctionBreakpoints of the client replaces all of those.
func (r *startup) presets(ctx context.Context) error {
	for _, preset := range r.cfg.BreakpointPresets {
		var err error
		switch preset {
		case config.PresetMain:
			err = r.presetMain(ctx)
		case config.PresetSyscalls:
			err = r.preset(ctx, preset, "breakpoint set --func-regex .*OsSysCallsImpl.*")
		case config.PresetLibevent:
			// libc is not loaded at Envoy's entry; the breakpoint waits for it.
			_, err = r.command(ctx, "breakpoint set --shlib libc.so.6 --name epoll_create --name epoll_create1 --name epoll_wait --name epoll_ctl")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// preset sets a breakpoint in Envoy itself, which is loaded: without a place now
// it will have none later.
func (r *startup) preset(ctx context.Context, preset, command string) error {
	said, err := r.command(ctx, command)
	if err != nil {
		return err
	}
	if unbound(said) {
		r.breakpoints.add(false)
		r.s.output(important, fault.PresetUnbound(preset, lastLine(said)).Error()+"\n")
		return nil
	}
	r.breakpoints.add(true)
	return nil
}

func unbound(said string) bool {
	return strings.Contains(said, "no locations") || strings.Contains(said, "error:")
}

// presetMain stops at Envoy::MainCommon::main, or at main where Envoy has
// another shape. A stripped Envoy has no name to stop at, but libc is told the
// address of main: it is the first argument of __libc_start_main.
func (r *startup) presetMain(ctx context.Context) error {
	if !r.local.Symbols {
		r.s.output(console, "program has no symbols: the preset \"main\" finds main() through libc. For names and source lines set \"program\" "+
			"to the unstripped file of the same build, or load its debug file with \"target symbols add\" in postRunCommands.\n")
		_, err := r.command(ctx, "breakpoint set --shlib libc.so.6 --name __libc_start_main --skip-prologue false --one-shot true --auto-continue true "+
			"--command 'breakpoint set --address $arg1'")
		r.breakpoints.add(err == nil)
		return err
	}
	said, err := r.command(ctx, "breakpoint set --name Envoy::MainCommon::main")
	if err != nil {
		return err
	}
	if !unbound(said) {
		r.breakpoints.add(true)
		return nil
	}
	if _, err := r.command(ctx, "breakpoint delete "+breakpointID(said)); err != nil {
		return err
	}
	return r.preset(ctx, config.PresetMain, "breakpoint set --name main --shlib "+quote(filepath.Base(r.cfg.Program)))
}

// breakpointID reads N of "Breakpoint N: …".
func breakpointID(said string) string {
	_, rest, _ := strings.Cut(said, "Breakpoint ")
	id, _, _ := strings.Cut(rest, ":")
	return id
}

// command runs an LLDB command through lldb-dap and returns what it printed.
func (r *startup) command(ctx context.Context, command string) (string, error) {
	// "`" makes it a command whatever the repl mode.
	answer, err := r.b.ask(ctx, request("evaluate", map[string]string{"expression": "`" + command, "context": "repl"}))
	if err != nil {
		return "", err
	}
	said := answer.Get("body.result").String()
	r.s.trace.line("command", "%s: %s", command, said)
	return said, nil
}
