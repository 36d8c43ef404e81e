package terminal

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-dap"

	"github.com/envoydbg/envoydbg/adapter/client"
	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/fault"
)

// breakpoint is one that the user has asked for.
type breakpoint struct {
	spec string // as it was typed
	// file and line, or function, is the place.
	file      string
	line      int
	function  string
	condition string
	temporary bool // it is deleted when it is hit

	known dap.Breakpoint // as the adapter has described it last
}

// breakpoints are those of a session. DAP replaces all of a file, and all of the
// functions, at once.
type breakpoints struct {
	presets []string
	list    []*breakpoint
}

// parseBreaks sorts what --break was given.
func parseBreaks(specs []string) (breakpoints, error) {
	var b breakpoints
	for _, spec := range specs {
		switch spec {
		case "":
			return b, fault.Usage("--break is empty", "Give a preset (main, syscalls, libevent), FILE:LINE or a function.")
		case config.PresetMain, config.PresetSyscalls, config.PresetLibevent:
			b.presets = append(b.presets, spec)
			continue
		}
		one := parseBreak(spec)
		if one.file != "" && one.line == 0 {
			return b, fault.Usage(fmt.Sprintf("--break %s has no line 0", spec), "Lines are counted from 1.")
		}
		b.list = append(b.list, one)
	}
	return b, nil
}

// parseBreak reads FILE:LINE or the name of a function, and what may follow it:
// "if CONDITION".
func parseBreak(spec string) *breakpoint {
	b := &breakpoint{spec: spec}
	place, condition, _ := strings.Cut(spec, " if ")
	place, b.condition = strings.TrimSpace(place), strings.TrimSpace(condition)
	file, line, ok := cutLine(place)
	if !ok {
		b.function = place
		return b
	}
	b.file, b.line = file, line
	// A file that is not here is found by the adapter, by the end of its name.
	if path, err := filepath.Abs(file); err == nil {
		if _, err := os.Stat(path); err == nil {
			b.file = path
		}
	}
	return b
}

// cutLine splits FILE:LINE; a C++ name like A::b is none.
func cutLine(spec string) (string, int, bool) {
	at := strings.LastIndexByte(spec, ':')
	if at <= 0 || spec[at-1] == ':' {
		return "", 0, false
	}
	n, err := strconv.Atoi(spec[at+1:])
	return spec[:at], n, err == nil && n >= 0
}

// sameSet are the breakpoints that one request sets together with b.
func (b *breakpoints) sameSet(one *breakpoint) []*breakpoint {
	var out []*breakpoint
	for _, other := range b.list {
		if other.file == one.file {
			out = append(out, other)
		}
	}
	return out
}

// remove forgets a breakpoint.
func (b *breakpoints) remove(one *breakpoint) {
	b.list = slices.DeleteFunc(b.list, func(other *breakpoint) bool { return other == one })
}

// byID finds a breakpoint by the number that the user sees.
func (b *breakpoints) byID(id int) *breakpoint {
	for _, one := range b.list {
		if one.known.Id == id {
			return one
		}
	}
	return nil
}

// setRequest is the request that sets these, which are all of the set of one.
func setRequest(one *breakpoint, set []*breakpoint) (command string, arguments any) {
	if one.file == "" {
		list := []dap.FunctionBreakpoint{}
		for _, b := range set {
			list = append(list, dap.FunctionBreakpoint{Name: b.function, Condition: b.condition})
		}
		return "setFunctionBreakpoints", dap.SetFunctionBreakpointsArguments{Breakpoints: list}
	}
	list := []dap.SourceBreakpoint{}
	for _, b := range set {
		list = append(list, dap.SourceBreakpoint{Line: b.line, Condition: b.condition})
	}
	return "setBreakpoints", dap.SetBreakpointsArguments{Source: dap.Source{Name: filepath.Base(one.file), Path: one.file}, Breakpoints: list}
}

// outcome is what a breakpoint has become.
type outcome int

const (
	bound   outcome = iota
	pending         // it may be bound when more of the program is loaded
	failed          // it will not
)

// note takes the adapter's description of the breakpoint. DAP's reason, where
// there is one, tells pending and failed apart. Without it a function may be one of
// a library that is still to be loaded.
func (b *breakpoint) note(described *dapio.Message, i int) outcome {
	at := fmt.Sprintf("body.breakpoints.%d", i)
	reason := described.Get(at + ".reason").String()
	switch {
	case b.known.Verified:
		return bound
	case reason == "pending":
		return pending
	case reason == "failed", b.known.Message != "", b.file != "":
		return failed
	}
	return pending
}

// setAll sets the breakpoints of --break, before Envoy runs. A script cannot do
// without one: it would wait for a stop that never comes.
func (l *loop) setAll() {
	var done []*breakpoint
	for _, one := range l.breaks.list {
		if slices.ContainsFunc(done, func(b *breakpoint) bool { return b.file == one.file }) {
			continue
		}
		done = append(done, one)
		set := l.breaks.sameSet(one)
		command, arguments := setRequest(one, set)
		l.send(command, arguments, func(m *dapio.Message) {
			var body dap.SetBreakpointsResponseBody
			if err := client.Decode(m, &body); err != nil {
				l.complain(err.Error())
				return
			}
			for i, b := range set[:min(len(set), len(body.Breakpoints))] {
				b.known = body.Breakpoints[i]
				switch what := b.note(m, i); {
				case what == failed && l.scripted():
					l.fault = fault.NotBound(b.spec, b.known.Message)
					l.quit()
					return
				case what != bound && b.known.Message == "":
					l.view.breakpoint(b, "", what) // else the adapter tells it, with the others
				}
			}
		})
	}
}

// scripted says that nobody sees what is said before the last command has ended.
func (l *loop) scripted() bool {
	return len(l.opts.Script) > 0 || !l.opts.Interactive && !l.opts.Live
}

// breakAt is the command that sets a breakpoint.
func (l *loop) breakAt(spec string, temporary bool) {
	one := parseBreak(spec)
	if n, err := strconv.Atoi(one.function); err == nil && one.file == "" {
		path := sourcePath(l.frame())
		if path == "" {
			l.complain("this frame has no source file; say FILE:LINE")
			return
		}
		one.file, one.line, one.function = path, n, ""
	}
	if one.file != "" && one.line == 0 {
		l.complain("lines are counted from 1")
		return
	}
	one.temporary = temporary
	l.breaks.list = append(l.breaks.list, one)
	l.sendSet(one, func(m *dapio.Message, i int) {
		switch what := one.note(m, i); {
		case what == failed && one.known.Message != "":
			l.refused = one.known.Message
			l.wrong(one.known.Message)
			l.breaks.remove(one)
			l.sendSet(one, nil)
		case what == bound:
			l.functionAt(one.known.InstructionReference, func(function string) { l.view.breakpoint(one, function, bound) })
		default:
			l.view.breakpoint(one, "", what)
		}
		// A script that went on would wait for a stop that never comes.
		if l.scripted() && one.note(m, i) == failed {
			l.fault = fault.NotBound(one.spec, one.known.Message)
			l.quit()
		}
	}, func() { l.breaks.remove(one) })
}

// sendSet sends the set that a breakpoint is or was in. answered, unless nil, gets
// the answer and the breakpoint's place in it.
func (l *loop) sendSet(one *breakpoint, answered func(m *dapio.Message, i int), refused ...func()) {
	set := l.breaks.sameSet(one)
	command, arguments := setRequest(one, set)
	l.busy++
	l.send(command, arguments, func(m *dapio.Message) {
		l.busy--
		var body dap.SetBreakpointsResponseBody
		if err := client.Decode(m, &body); err != nil {
			l.complain(err.Error())
			for _, f := range refused {
				f()
			}
			return
		}
		for i, b := range set[:min(len(set), len(body.Breakpoints))] {
			b.known = body.Breakpoints[i]
			if b == one && answered != nil {
				answered(m, i)
			}
		}
	})
}

// symbol finds the function in LLDB's "Summary: envoy`main + 15 at main.cc:9:7".
var symbol = regexp.MustCompile("(?m)^ *Summary: [^`\n]*`(.+?)(?: \\+ \\d+)?(?: at [^\n]*)?$")

// functionAt asks LLDB for the function of an address; DAP does not tell it with a
// breakpoint. show gets "" if there is none.
func (l *loop) functionAt(address string, show func(function string)) {
	if address == "" {
		show("")
		return
	}
	l.lldb("image lookup --address "+address, func(text string, _ bool) {
		m := symbol.FindStringSubmatch(text)
		if m == nil {
			show("")
			return
		}
		show(m[1])
	})
}

// changed takes a breakpoint event.
func (l *loop) changed(m *dapio.Message) {
	one := l.breaks.byID(int(m.Get("body.breakpoint.id").Int()))
	if one == nil || m.Get("body.reason").String() == "removed" {
		return
	}
	was := one.known.Verified
	one.known.Verified = m.Get("body.breakpoint.verified").Bool()
	if line := m.Get("body.breakpoint.line").Int(); line > 0 {
		one.known.Line = int(line)
	}
	if path := m.Get("body.breakpoint.source.path").String(); path != "" {
		one.known.Source = &dap.Source{Path: path}
	}
	if !was && one.known.Verified {
		l.view.breakpoint(one, "", bound)
	}
}

// saidAlready reports whether a warning is about a breakpoint whose answer has been
// shown: the adapter tells it for clients that do not show answers, too.
func (l *loop) saidAlready(warning string) bool {
	if l.stops == 0 {
		return false
	}
	messages := []string{l.refused}
	for _, one := range l.breaks.list {
		messages = append(messages, one.known.Message)
	}
	return slices.ContainsFunc(messages, func(m string) bool { return m != "" && strings.Contains(warning, m) })
}

// hit deletes the temporary breakpoints among those that a stop is about.
func (l *loop) hit(stopped *dapio.Message) {
	for _, id := range stopped.Get("body.hitBreakpointIds").Array() {
		if one := l.breaks.byID(int(id.Int())); one != nil && one.temporary {
			l.breaks.remove(one)
			l.sendSet(one, nil)
		}
	}
}

// deleteBreaks is the command that deletes breakpoints. Those that LLDB was given
// itself, as the presets are, LLDB deletes.
func (l *loop) deleteBreaks(rest string) {
	var ids []int
	for _, word := range strings.Fields(rest) {
		id, err := strconv.Atoi(word)
		if err != nil {
			l.complain(fmt.Sprintf("%q is no breakpoint's number; \"info breakpoints\" lists them", word))
			return
		}
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		l.complain("delete needs the numbers of breakpoints; \"info breakpoints\" lists them")
		return
	}
	for _, id := range ids {
		if one := l.breaks.byID(id); one != nil {
			l.breaks.remove(one)
			l.sendSet(one, func(*dapio.Message, int) {})
			l.view.note(fmt.Sprintf("breakpoint %d (%s) deleted", id, one.spec))
			continue
		}
		l.show(fmt.Sprintf("breakpoint delete %d", id))
	}
}
