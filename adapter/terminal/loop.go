package terminal

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/go-dap"

	"github.com/envoydbg/envoydbg/adapter/client"
	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/startup"
)

// loop is the state of one run.
type loop struct {
	opts   Options
	view   view
	out    *sink // what the view writes to
	conn   *client.Conn
	breaks breakpoints
	// end makes the session end; it does not wait for it.
	end func()

	lines       <-chan line   // nil: there is no input, or no more of it
	interrupted chan struct{} // closed by a signal
	done        chan struct{} // closed when the loop has ended

	// answers are what to do with the answers to the requests under way.
	answers map[int64]func(*dapio.Message)
	busy    int // requests under way that the next command has to wait for

	queue     []string // commands still to be carried out
	commands  int      // how many have begun
	command   string   // the last one that has begun
	until     string   // the text that it waits for
	recent    recent   // output in which the text may be already
	graceFor  int      // the command that graceOver is about
	graceOver <-chan time.Time

	configured bool // Envoy may run
	armed      bool // the agent waits for the user's start
	stopped    bool // Envoy is stopped
	stepping   bool // a step is under way, and will stop by itself
	thread     int  // the thread of the last stop

	ending  bool
	faulted bool         // the session's own error was shown
	failed  bool         // something else went wrong, and was shown
	fault   *fault.Fault // an error that was not shown
}

func newLoop(opts Options, breaks breakpoints, conn *client.Conn, end func()) *loop {
	l := &loop{opts: opts, out: &sink{w: opts.Output}, conn: conn, breaks: breaks, end: end,
		interrupted: make(chan struct{}), done: make(chan struct{}), answers: map[int64]func(*dapio.Message){}}
	l.view = &text{w: l.out, tty: opts.Tty}
	if opts.JSON {
		l.view = jsonLines{l.out}
	}
	if len(opts.Script) > 0 {
		l.queue = append(append(l.queue, opts.Script...), "quit")
	} else {
		l.lines = readLines(opts.Input, l.done)
	}
	return l
}

// run takes one thing after another until the adapter's stream has ended.
func (l *loop) run() {
	defer close(l.done)
	l.open()
	interrupted := l.interrupted
	for {
		if l.out.err != nil && l.fault == nil && !l.ending {
			l.fault = fault.OutputLost(l.out.err)
			l.quit()
		}
		if !l.ending && len(l.queue) > 0 && l.ready(l.queue[0]) {
			command := l.queue[0]
			l.queue = l.queue[1:]
			l.do(command)
			continue
		}
		lines := l.lines
		if len(l.queue) >= maxQueue {
			lines = nil
		}
		select {
		case m, ok := <-l.conn.Messages():
			if !ok {
				l.ended()
				return
			}
			l.message(m)
		case in := <-lines:
			l.input(in)
		case <-interrupted:
			interrupted = nil
			l.view.note("ending the session …")
			l.quit()
		case <-l.graceOver:
			if l.commands == l.graceFor && l.underWay() != "" && !l.ending {
				l.fault = fault.InputEnded(l.command, inputGrace)
				l.quit()
			}
		}
	}
}

func (l *loop) input(in line) {
	switch {
	case l.ending:
		l.lines = nil
	case in.err == nil:
		l.typed(in.text)
	default:
		if !errors.Is(in.err, io.EOF) {
			l.complain(fmt.Sprintf("the commands cannot be read: %v", in.err))
		}
		l.inputEnded()
	}
}

// quit ends the session. What the adapter shows until its end is still shown;
// late answers are not.
func (l *loop) quit() {
	l.ending, l.queue, l.lines = true, nil, nil
	l.end()
}

// ended is the last thing: the adapter has closed its stream.
func (l *loop) ended() {
	if !l.ending {
		l.quit()
		l.complain("the adapter ended without saying why")
	}
	if !l.faulted {
		l.view.note("session ended, nothing is left running")
	}
}

// ready reports whether a command may be carried out now. A person is answered at
// once; a script's command waits until Envoy is in the state the command is for.
func (l *loop) ready(command string) bool {
	switch {
	case l.busy > 0:
		return false
	case l.opts.Interactive, l.stopped && l.until == "":
		return true
	}
	switch word, _ := cutWord(command); word {
	case "start":
		return l.armed
	case "u", "until", "p", "pause":
		return l.configured && l.until == ""
	case "q", "quit":
		return l.configured && l.until == "" && !l.stepping
	}
	return false
}

// send makes a request. answer, if not nil, takes the response; nothing waits
// for it.
func (l *loop) send(command string, arguments any, answer func(*dapio.Message)) {
	seq, err := l.conn.Send(command, arguments)
	if err == nil && answer != nil {
		l.answers[seq] = answer
	}
	// A connection that cannot be written to has ended, which run will see.
}

// ask makes a request for a command, whose successor waits for the answer.
// failed is nil or what to do when it is refused.
func (l *loop) ask(command string, arguments any, result any, answered func(), failed func()) {
	l.busy++
	l.send(command, arguments, func(m *dapio.Message) {
		l.busy--
		switch err := client.Decode(m, result); {
		case err == nil:
			answered()
		default:
			l.complain(err.Error())
			if failed != nil {
				failed()
			}
		}
	})
}

// complain shows what was wrong with a command. A script has failed then; a
// person sees it, and tries again.
func (l *loop) complain(text string) {
	l.view.note(text)
	l.failed = l.failed || !l.opts.Interactive
}

// open starts the session: initialize, then attach.
func (l *loop) open() {
	l.send("initialize", map[string]any{
		"clientID": "envoydbg-run", "adapterID": "envoy", "pathFormat": "path",
		"linesStartAt1": true, "columnsStartAt1": true, "supportsEnvoyPhases": true,
	}, func(m *dapio.Message) {
		if !l.accepted(m) {
			return
		}
		attributes := l.opts.Attributes
		attributes["breakpointPresets"] = l.breaks.presets
		l.send("attach", attributes, func(m *dapio.Message) { l.accepted(m) })
	})
}

// accepted ends the run if a request without which there is no session was
// refused.
func (l *loop) accepted(m *dapio.Message) bool {
	var refused *client.Error
	if err := client.Decode(m, nil); errors.As(err, &refused) {
		l.view.fault(refused.Code, refused.Text)
		l.faulted = true
		l.quit()
		return false
	}
	return true
}

// message takes one message of the adapter's.
func (l *loop) message(m *dapio.Message) {
	switch m.Type {
	case dapio.Response:
		answer := l.answers[m.RequestSeq]
		delete(l.answers, m.RequestSeq)
		if answer != nil && !l.ending {
			answer(m)
		}
	case dapio.Event:
		if m.Name == "output" {
			l.output(m.Get("body.category").String(), m.Get("body.output").String())
		} else if !l.ending {
			l.event(m)
		}
	}
}

func (l *loop) event(m *dapio.Message) {
	switch m.Name {
	case startup.PhaseEvent:
		p := startup.PhaseBody{Phase: m.Get("body.phase").String(), State: m.Get("body.state").String(),
			Milliseconds: m.Get("body.milliseconds").Float(), Detail: m.Get("body.detail").String()}
		l.view.phase(p)
		if p.State == "waiting" {
			l.armed = true
			l.view.prompt("press Enter to start the agent")
		}
	case "initialized":
		l.configure()
	case "stopped":
		l.onStopped(m)
	case "continued":
		l.stopped = false
	case "exited":
		l.exited(m.Get("body.exitCode").Int())
	case "terminated":
		l.quit()
	}
}

// exited takes the end of Envoy.
func (l *loop) exited(code int64) {
	l.view.note(fmt.Sprintf("Envoy ended: exit code %d", code))
	l.failed = l.failed || code != 0
}

// output shows text and looks for what an until waits for. The startup's summary
// repeats the phases, which have been shown.
func (l *loop) output(category, text string) {
	switch category {
	case "important":
		switch code := fault.CodeOf(text); {
		case code == 0:
			l.view.output(category, text)
		case fault.IsWarning(code):
			l.view.warning(code, strings.TrimSpace(text))
		default:
			l.faulted = true
			l.view.fault(code, strings.TrimSpace(text))
		}
		return
	case "stdout", "stderr":
		l.recent.add(text)
		if l.until != "" && l.recent.find(l.until) {
			l.until = ""
		}
	case "console":
		if strings.HasPrefix(text, startup.SummaryHead) {
			return
		}
	}
	l.view.output(category, text)
}

// configure sets the breakpoints and lets Envoy go. The requests are not waited
// for: on some versions of lldb-dap the answers come late.
func (l *loop) configure() {
	refused := func(m *dapio.Message) {
		if err := client.Decode(m, nil); err != nil {
			l.complain(err.Error())
		}
	}
	for _, file := range l.breaks.files {
		var list []dap.SourceBreakpoint
		for _, line := range l.breaks.lines[file] {
			list = append(list, dap.SourceBreakpoint{Line: line})
		}
		l.send("setBreakpoints", dap.SetBreakpointsArguments{Source: dap.Source{Path: file}, Breakpoints: list}, refused)
	}
	if len(l.breaks.functions) > 0 {
		var list []dap.FunctionBreakpoint
		for _, name := range l.breaks.functions {
			list = append(list, dap.FunctionBreakpoint{Name: name})
		}
		l.send("setFunctionBreakpoints", dap.SetFunctionBreakpointsArguments{Breakpoints: list}, refused)
	}
	l.send("configurationDone", nil, refused)
	l.configured = true
}

func (l *loop) onStopped(m *dapio.Message) {
	l.stopped, l.stepping, l.thread = true, false, int(m.Get("body.threadId").Int())
	s := stop{Reason: m.Get("body.description").String(), Thread: l.thread}
	if s.Reason == "" {
		s.Reason = m.Get("body.reason").String()
	}
	l.frames(1, func(frames []dap.StackFrame) {
		s.Frames = frames
		l.view.stopped(s)
		l.view.prompt(help)
	})
}

// frames asks for the stack of the thread that has stopped, at most that many
// frames of it; show gets none if that fails.
func (l *loop) frames(most int, show func([]dap.StackFrame)) {
	var body dap.StackTraceResponseBody
	l.ask("stackTrace", map[string]int{"threadId": l.thread, "levels": most}, &body,
		func() { show(body.StackFrames) }, func() { show(nil) })
}
