package adapter

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/internal/elffile"
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
// another shape.
func (r *startup) presetMain(ctx context.Context) error {
	said, err := r.breakAtMain(ctx)
	if err != nil {
		return err
	}
	if unbound(said) {
		r.breakpoints.add(false)
		r.s.output(important, fault.PresetUnbound(config.PresetMain, lastLine(said)).Error()+"\n")
		return nil
	}
	r.breakpoints.add(true)
	if r.cfg.Gate {
		return nil // it stands before its first instruction
	}
	if r.pastMain, err = r.isPast(ctx, breakpointID(said)); r.pastMain {
		r.s.output(important, fault.PastMain(int(r.envoyPID.Load())).Error()+"\n")
	}
	return err
}

// breakAtMain sets the breakpoint and returns what LLDB says.
func (r *startup) breakAtMain(ctx context.Context) (string, error) {
	module := quote(filepath.Base(r.cfg.Program))
	if r.local.Symbols {
		said, err := r.command(ctx, "breakpoint set --name Envoy::MainCommon::main")
		if err != nil || !unbound(said) {
			return said, err
		}
		if _, err := r.command(ctx, "breakpoint delete "+breakpointID(said)); err != nil {
			return "", err
		}
		return r.command(ctx, "breakpoint set --name main --shlib "+module)
	}
	r.s.output(console, "program has no symbols: the preset \"main\" stops at the address of main(). For names and source lines set \"program\" "+
		"to the unstripped file of the same build, or load its debug file with \"target symbols add\" in postRunCommands.\n")
	// The address is in the program's start-up code. Where that is unknown, libc
	// is told it: it is the first argument of __libc_start_main. Without the gate
	// Envoy may have called that before the debugger came.
	if address, ok, err := elffile.Main(r.cfg.Program); err == nil && ok {
		return r.command(ctx, fmt.Sprintf("breakpoint set --shlib %s --address %#x", module, address))
	}
	return r.command(ctx, "breakpoint set --shlib libc.so.6 --name __libc_start_main --skip-prologue false --one-shot true --auto-continue true "+
		"--command 'breakpoint set --address $arg1'")
}

var (
	placeAddress = regexp.MustCompile(`address = 0x([0-9a-f]+)`)
	symbolRange  = regexp.MustCompile(`Symbol: .*range = \[0x([0-9a-f]+)-0x([0-9a-f]+)\)`)
	pcRegister   = regexp.MustCompile(`(?m)^ *(?:rip|pc) = 0x([0-9a-f]+)`)
	spRegister   = regexp.MustCompile(`(?m)^ *(?:rsp|sp) = 0x([0-9a-f]+)`)
	regionEnd    = regexp.MustCompile(`(?m)^\[0x[0-9a-f]+-0x([0-9a-f]+)\)`)
	stackWord    = regexp.MustCompile(`\b0x([0-9a-f]+)(?:\s|$)`) // and not the address before them
)

// maxStack bounds, in bytes, how much of a stack is looked at.
const maxStack = 128 << 10

// isPast reports whether the stopped thread, the main thread at an attach, is
// inside the functions of all places of a breakpoint already, so that it will not
// come to them again. LLDB's backtrace cannot tell: it may end early, for example
// in a clone (LLDB 19). But what a function has called has left a return address
// into it on the stack.
func (r *startup) isPast(ctx context.Context, id string) (bool, error) {
	list, err := r.command(ctx, "breakpoint list "+id)
	if err != nil {
		return false, err
	}
	registers, err := r.command(ctx, "register read pc sp")
	if err != nil {
		return false, err
	}
	pc, sp := parseHex(pcRegister, registers), parseHex(spRegister, registers)
	region, err := r.command(ctx, fmt.Sprintf("memory region %#x", sp))
	if err != nil {
		return false, err
	}
	end := parseHex(regionEnd, region)
	if sp == 0 || end <= sp {
		return false, nil
	}
	stack, err := r.command(ctx, fmt.Sprintf("memory read --force --format x --size 8 --count %d %#x", min(end-sp, maxStack)/8, sp))
	if err != nil {
		return false, err
	}
	places := placeAddress.FindAllStringSubmatch(list, -1)
	for _, place := range places {
		function, err := r.command(ctx, "image lookup --verbose --address 0x"+place[1])
		if err != nil || !isInside(function, pc, stack) {
			return false, err
		}
	}
	return len(places) > 0, nil
}

// isInside reports whether the thread with this program counter and these words
// on its stack is in a function, or in one that it has called. The address of the
// function itself is no sign of that: libc keeps main's on the stack to call it.
func isInside(function string, pc uint64, stack string) bool {
	bounds := symbolRange.FindStringSubmatch(function)
	if bounds == nil {
		return false
	}
	from, _ := strconv.ParseUint(bounds[1], 16, 64)
	to, _ := strconv.ParseUint(bounds[2], 16, 64)
	if pc >= from && pc < to {
		return true
	}
	for _, word := range stackWord.FindAllStringSubmatch(stack, -1) {
		if w, err := strconv.ParseUint(word[1], 16, 64); err == nil && w > from && w <= to {
			return true
		}
	}
	return false
}

// parseHex is the first group of what matches; 0 if nothing does.
func parseHex(pattern *regexp.Regexp, text string) uint64 {
	match := pattern.FindStringSubmatch(text)
	if match == nil {
		return 0
	}
	n, _ := strconv.ParseUint(match[1], 16, 64)
	return n
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
