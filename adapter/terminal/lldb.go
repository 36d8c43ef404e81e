package terminal

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/google/go-dap"
)

// escapePrefix makes a text in the debug console a command of LLDB's; the user can
// set another one.
func escapePrefix(attributes map[string]any) string {
	prefix := "`"
	if given, err := json.Marshal(attributes["commandEscapePrefix"]); err == nil && string(given) != "null" {
		_ = json.Unmarshal(given, &prefix) // a wrong type is the adapter's to refuse
	}
	return prefix
}

var (
	// resuming is what LLDB says when a command has let the process run. Not every
	// version of lldb-dap sends an event.
	resuming = regexp.MustCompile(`(?m)^Process \d+ resuming$`)
	// wrongCommand is how LLDB says that a command could not be carried out.
	wrongCommand = regexp.MustCompile(`(?m)^error: `)
)

// lldb runs a command of LLDB's. show gets what it printed, and whether that is an
// error.
func (l *loop) lldb(command string, show func(text string, wrong bool)) {
	arguments := dap.EvaluateArguments{Expression: l.prefix + command, Context: "repl", FrameId: l.frame().Id}
	var body dap.EvaluateResponseBody
	stops := l.stops
	l.ask("evaluate", arguments, &body, func() {
		text := strings.TrimPrefix(body.Result, "(lldb) "+command+"\n") // LLDB 19 repeats it
		if resuming.MatchString(text) && l.stops == stops {
			l.stopped, l.stepping = false, strings.HasPrefix(command, "thread ")
		}
		show(text, wrongCommand.MatchString(text))
	}, nil)
}

// show runs a command of LLDB's and shows what it prints.
func (l *loop) show(command string) {
	l.lldb(command, func(text string, wrong bool) {
		switch {
		case wrong:
			l.wrong(text)
		case strings.TrimSpace(text) != "":
			l.view.result(text)
		}
	})
}
