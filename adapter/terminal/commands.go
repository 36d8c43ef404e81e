package terminal

import (
	"strings"

	"github.com/google/go-dap"

	"github.com/envoydbg/envoydbg/adapter"
)

const help = "(c)ontinue (n)ext (s)tep (f)inish (b)acktrace (l)ldb COMMAND (p)ause (u)ntil TEXT (q)uit"

// cutWord cuts a command into its first word and the rest.
func cutWord(command string) (word, rest string) {
	word, rest, _ = strings.Cut(strings.TrimSpace(command), " ")
	return word, rest
}

// do begins one command.
func (l *loop) do(command string) {
	l.commands, l.command = l.commands+1, command
	word, rest := cutWord(command)
	if l.armed && (word == "" || word == "start") {
		l.armed = false
		// The answer comes with the agent, which has its own phase.
		l.ask(adapter.RequestStartAgent, nil, nil, func() {}, nil)
		return
	}
	switch word {
	case "":
	case "q", "quit":
		l.quit()
	case "h", "help", "?":
		l.view.result("  " + help)
	case "u", "until":
		if rest == "" {
			l.complain("until needs the text to wait for")
			return
		}
		if l.recent.search(); !l.recent.find(rest) {
			l.until = rest
		}
	case "p", "pause":
		l.ask("pause", map[string]int{"threadId": l.thread}, nil, func() {}, nil)
	default:
		if !l.stopped {
			l.complain("Envoy is not stopped; (p)ause, (q)uit")
			return
		}
		l.whenStopped(word, rest)
	}
}

// whenStopped begins a command that needs a stopped Envoy.
func (l *loop) whenStopped(word, rest string) {
	resume := map[string]string{"c": "continue", "continue": "continue", "n": "next", "next": "next",
		"s": "stepIn", "step": "stepIn", "f": "stepOut", "finish": "stepOut"}[word]
	switch {
	case resume != "":
		l.stopped, l.stepping = false, resume != "continue"
		l.ask(resume, map[string]int{"threadId": l.thread}, nil, func() {}, func() { l.stopped, l.stepping = true, false })
	case word == "b" || word == "bt" || word == "backtrace":
		l.frames(64, l.view.stack)
	case word == "l" || word == "lldb":
		var body dap.EvaluateResponseBody
		l.ask("evaluate", map[string]any{"expression": "`" + rest, "context": "repl"}, &body,
			func() { l.view.result(body.Result) }, nil)
	default:
		l.complain("there is no command " + word + "; " + help)
	}
}
