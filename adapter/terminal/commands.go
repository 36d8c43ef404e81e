package terminal

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-dap"

	"github.com/envoydbg/envoydbg/adapter"
)

// when says in which state of Envoy a command makes sense.
type when int

const (
	stopped when = iota // Envoy is stopped
	set                 // Envoy is there, stopped or running
	running             // the same, and not while a text is awaited
	always
)

// word is a command of ours. What is none of them is LLDB's.
type word struct {
	name    string
	aliases string // separated by spaces
	usage   string // what follows the name
	does    string
	when    when
	waits   bool // a script waits for a stop, which a person may not need
	once    bool // an empty line does not repeat it
	do      func(l *loop, rest string)
}

// words are filled in by init, because some of them look at the list.
var words []word

func init() {
	words = []word{
		{name: "continue", aliases: "c", does: "let Envoy run", do: resume("continue")},
		{name: "next", aliases: "n", usage: "[COUNT]", does: "step over calls", do: resume("next")},
		{name: "step", aliases: "s", usage: "[COUNT]", does: "step into calls", do: resume("stepIn")},
		{name: "finish", aliases: "fin", does: "run until the selected frame returns", do: (*loop).finish},
		{name: "until", aliases: "u", usage: "[LINE]", does: "run until LINE of this function, or past this line", do: (*loop).untilLine},
		{name: "break", aliases: "b", usage: "[FILE:LINE|LINE|FUNCTION [if CONDITION]]", does: "set a breakpoint, or list them", when: set, once: true,
			do: func(l *loop, rest string) { l.breakCommand(rest, false) }},
		{name: "tbreak", aliases: "tb", usage: "FILE:LINE|LINE|FUNCTION", does: "set a breakpoint for one stop", when: set, once: true,
			do: func(l *loop, rest string) { l.breakCommand(rest, true) }},
		{name: "delete", aliases: "del", usage: "NUMBER...", does: "delete breakpoints", when: set, once: true, do: (*loop).deleteBreaks},
		{name: "watch", usage: "EXPRESSION", does: "stop when a value changes", once: true, do: (*loop).watch},
		{name: "backtrace", aliases: "bt where", usage: "[COUNT]", does: "show the stack", do: (*loop).backtrace},
		{name: "frame", aliases: "f", usage: "[NUMBER]", does: "select and show a frame", do: (*loop).frameCommand},
		{name: "up", usage: "[COUNT]", does: "select the caller", do: func(l *loop, rest string) { l.moveFrame(rest, 1) }},
		{name: "down", usage: "[COUNT]", does: "select the callee", do: func(l *loop, rest string) { l.moveFrame(rest, -1) }},
		{name: "thread", aliases: "t", usage: "NUMBER", does: "select a thread", do: (*loop).threadCommand},
		{name: "list", aliases: "l", usage: "[-]", does: "show the source around the frame, then what follows (- what precedes)", do: (*loop).listCommand},
		{name: "locals", does: "show the local variables", do: func(l *loop, _ string) { l.show("frame variable --no-args") }},
		{name: "info", usage: strings.Join(infoNames(), "|"), does: "show what there is", when: set, waits: true, do: (*loop).info},
		{name: "print", aliases: "p", usage: "EXPRESSION", does: "show a value",
			do: func(l *loop, rest string) { l.show(strings.TrimSpace("p " + rest)) }},
		{name: "pause", does: "stop Envoy, as Ctrl-C does", when: running, once: true, do: func(l *loop, _ string) { l.pauseEnvoy() }},
		{name: "await", usage: "TEXT", does: "wait until the agent or Envoy prints TEXT", when: running, once: true, do: (*loop).await},
		{name: "start", does: "start the agent, with --start manual", when: always, once: true, do: (*loop).startAgent},
		{name: "lldb", usage: "COMMAND", does: "a command of LLDB whose name is one of ours", when: set, waits: true, do: func(l *loop, rest string) { l.show(rest) }},
		{name: "help", aliases: "h ?", usage: "[COMMAND]", does: "this list, or a command's help", when: always, once: true, do: (*loop).help},
		{name: "quit", aliases: "q exit", does: "end the session", when: always, once: true, do: func(l *loop, _ string) { l.quit() }},
	}
}

// unsuited are LLDB's commands that would end or replace the process which the
// session is about.
var unsuited = map[string]string{
	"run": "the agent starts Envoy; end this session and begin another", "r": "the agent starts Envoy; end this session and begin another",
}

// lookup finds a command of ours.
func lookup(name string) *word {
	for i := range words {
		if w := &words[i]; w.name == name || slices.Contains(strings.Fields(w.aliases), name) {
			return w
		}
	}
	return nil
}

// cutWord cuts a command into its first word and the rest.
func cutWord(command string) (word, rest string) {
	word, rest, _ = strings.Cut(strings.TrimSpace(command), " ")
	return word, strings.TrimSpace(rest)
}

// needs is the state that a command waits for.
func needs(command string) when {
	name, _ := cutWord(command)
	switch w := lookup(name); {
	case w == nil && name == "":
		return always
	case w == nil, w.waits:
		return stopped
	default:
		return w.when
	}
}

// do begins one command.
func (l *loop) do(command string) {
	command = strings.TrimSpace(command)
	if command == "" {
		if l.armed {
			l.startAgent("")
			return
		}
		if command = l.repeat; command == "" || !l.stopped {
			return
		}
	}
	l.commands, l.command = l.commands+1, command
	name, rest := cutWord(command)
	w := lookup(name)
	l.repeat = ""
	if l.opts.Interactive && (w == nil || !w.once) {
		l.repeat = command
	}
	need := set
	if w != nil {
		need = w.when
	}
	switch why, no := unsuited[name]; {
	case no:
		l.complain(why)
	case need == always:
		w.do(l, rest)
	case !l.configured:
		l.complain("Envoy is not there yet")
	case need == stopped && !l.stopped:
		l.complain("Envoy is running; pause (or Ctrl-C) stops it")
	case w == nil:
		l.show(command)
	default:
		w.do(l, rest)
	}
}

func (l *loop) startAgent(string) {
	if !l.armed {
		l.complain("there is no agent to start")
		return
	}
	l.armed = false
	// The answer comes with the agent, which has its own phase.
	l.ask(adapter.RequestStartAgent, nil, nil, func() {}, nil)
}

// await waits for a text of the agent or Envoy.
func (l *loop) await(text string) {
	if text == "" {
		l.complain("await needs the text to wait for")
		return
	}
	if l.recent.search(); !l.recent.find(text) {
		l.until = text
	}
}

func (l *loop) pauseEnvoy() {
	l.until = ""
	if l.stopped {
		l.view.note("Envoy is stopped already")
		return
	}
	l.pausing = true
	l.ask("pause", map[string]int{"threadId": l.thread}, nil, func() {}, func() { l.pausing = false })
}

// resume is a command that lets Envoy run, by the request of that name.
func resume(request string) func(l *loop, rest string) {
	return func(l *loop, rest string) {
		count := 1
		if rest != "" {
			var err error
			if count, err = strconv.Atoi(rest); err != nil || count < 1 || request == "continue" {
				l.complain(fmt.Sprintf("%q is no count of steps", rest))
				return
			}
		}
		l.steps = steps{request: request, left: count - 1}
		l.goOn(request)
	}
}

// steps are what is still to be done of several steps.
type steps struct {
	request string
	left    int
}

func (l *loop) goOn(request string) {
	l.stopped, l.stepping = false, request != "continue"
	l.ask(request, map[string]int{"threadId": l.thread}, nil, func() {}, func() { l.stopped, l.stepping = true, false })
}

func (l *loop) finish(rest string) {
	switch {
	case rest != "":
		l.complain("finish takes nothing")
	case l.selected.level == 0:
		l.goOn("stepOut")
	default: // DAP steps out of the innermost frame only
		l.show("thread step-out")
	}
}

func (l *loop) untilLine(rest string) {
	line := l.frame().Line + 1
	if rest != "" {
		var err error
		if line, err = strconv.Atoi(rest); err != nil {
			l.complain("until takes a line of this function; \"await TEXT\" waits for output")
			return
		}
	} else if sourcePath(l.frame()) == "" {
		l.complain("this frame has no source file")
		return
	}
	l.show(fmt.Sprintf("thread until %d", line))
}

// toLLDB begins what LLDB's own break understands and DAP does not: addresses
// and LLDB's own options.
var toLLDB = regexp.MustCompile(`^(\*|0x[0-9a-fA-F]+$|-|&)`)

func (l *loop) breakCommand(rest string, temporary bool) {
	switch {
	case rest == "" && temporary:
		l.complain("tbreak needs FILE:LINE, a line or a function")
	case rest == "":
		l.info("breakpoints")
	case toLLDB.MatchString(rest) && temporary:
		l.show("tbreak " + rest)
	case toLLDB.MatchString(rest):
		l.show("b " + rest)
	default:
		l.breakAt(rest, temporary)
	}
}

// variable is what "watchpoint set variable" takes; other expressions it does not.
var variable = regexp.MustCompile(`^[A-Za-z_][\w:]*((\.|->)\w+|\[\d+\])*$`)

func (l *loop) watch(rest string) {
	switch {
	case rest == "":
		l.complain("watch needs an expression")
	case variable.MatchString(rest):
		l.show("watchpoint set variable " + rest)
	default:
		l.show("watchpoint set expression -- &(" + rest + ")")
	}
}

// mostFrames is how many frames a backtrace shows unless it is told.
const mostFrames = 64

func (l *loop) backtrace(rest string) {
	most := mostFrames
	if rest != "" {
		n, err := strconv.Atoi(rest)
		if err != nil || n < 1 {
			l.show("bt " + rest) // all, and LLDB's options
			return
		}
		most = n
	}
	l.frames(0, most, func(frames []dap.StackFrame) { l.view.stack(frames, l.selected.level) })
}

func (l *loop) frameCommand(rest string) {
	number := strings.TrimSpace(strings.TrimPrefix(rest, "select "))
	switch n, err := strconv.Atoi(number); {
	case rest == "":
		l.view.frame(l.selected.level, l.selected.frame)
	case err == nil:
		l.selectFrame(n)
	default:
		l.show("frame " + rest)
	}
}

func (l *loop) moveFrame(rest string, by int) {
	count := 1
	if rest != "" {
		var err error
		if count, err = strconv.Atoi(rest); err != nil || count < 1 {
			l.complain(fmt.Sprintf("%q is no count of frames", rest))
			return
		}
	}
	l.selectFrame(l.selected.level + by*count)
}

func (l *loop) threadCommand(rest string) {
	number := strings.TrimSpace(strings.TrimPrefix(rest, "select "))
	switch _, err := strconv.Atoi(number); {
	case rest == "":
		l.show("thread info")
	case err == nil:
		l.selectThread(number)
	default:
		l.show("thread " + rest)
	}
}

func (l *loop) listCommand(rest string) {
	switch rest {
	case "":
		l.listSource(false)
	case "-":
		l.listSource(true)
	default: // a function, a line, FILE:LINE
		l.show("list " + rest)
		if l.repeat != "" {
			l.repeat = "lldb list" // which goes on there
		}
	}
}

// infos are what info shows, by LLDB's commands.
var infos = []struct{ name, command string }{
	{"args", "frame variable --no-locals"},
	{"breakpoints", "breakpoint list --brief"},
	{"frame", "frame info"},
	{"locals", "frame variable --no-args"},
	{"registers", "register read"},
	{"sharedlibrary", "image list"},
	{"signals", "process handle"},
	{"source", "source info"},
	{"threads", "thread list"},
	{"watchpoints", "watchpoint list --brief"},
}

func infoNames() []string {
	var out []string
	for _, i := range infos {
		out = append(out, i.name)
	}
	return out
}

// info takes a name or the beginning of one, as gdb does: "info b".
func (l *loop) info(rest string) {
	name, more := cutWord(rest)
	for _, i := range infos {
		if name != "" && strings.HasPrefix(i.name, name) {
			l.show(strings.TrimSpace(i.command + " " + more))
			return
		}
	}
	l.complain("info shows " + strings.Join(infoNames(), ", "))
}

// help shows our commands; of others LLDB knows more.
func (l *loop) help(rest string) {
	if rest != "" {
		if w := lookup(rest); w != nil {
			l.view.result(w.line())
		} else if l.configured {
			l.show("help " + rest)
		} else {
			l.complain("there is no command " + rest + " of envoydbg's; LLDB's are known when Envoy is there")
		}
		return
	}
	var b strings.Builder
	for _, w := range words {
		b.WriteString(w.line() + "\n")
	}
	b.WriteString("Every other command is LLDB's. An empty line repeats the last command.")
	l.view.result(b.String())
}

func (w *word) line() string {
	names := strings.Join(append([]string{w.name}, strings.Fields(w.aliases)...), ", ")
	return strings.TrimSpace(names+" "+w.usage) + "\n      " + w.does
}
