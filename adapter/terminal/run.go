package terminal

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/go-dap"

	"github.com/envoydbg/envoydbg/adapter"
	"github.com/envoydbg/envoydbg/adapter/client"
	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/startup"
)

// ErrFailed is returned when the session failed; the view has shown why.
var ErrFailed = errors.New("the session failed")

// loop is the state of one run.
type loop struct {
	opts   Options
	view   view
	client *client.Client
	ctx    context.Context

	breaks  breakpoints
	entries chan client.Entry
	lines   chan string
	script  []string

	attachSeq  int64
	configured bool
	stopped    bool // Envoy stands
	stepping   bool // a step is under way, and will stop by itself
	thread     int
	waiting    bool // for the user to start the agent
	until      string
	seen       string // output since the last until
	failed     bool
}

// Run runs one session until it has ended and nothing of it is left.
func Run(ctx context.Context, opts Options) error {
	breaks, err := parseBreaks(opts.Breaks)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l := &loop{opts: opts, ctx: ctx, breaks: breaks, script: opts.Script,
		entries: make(chan client.Entry), lines: make(chan string)}
	l.view = &text{w: opts.Output, tty: opts.Tty}
	if opts.JSON {
		l.view = jsonLines{opts.Output}
	}

	toAdapter, fromClient := io.Pipe()
	toClient, fromAdapter := io.Pipe()
	session := adapter.NewSession(toAdapter, fromAdapter, opts.Session)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = session.Run()
		_ = fromAdapter.Close()
	}()
	l.client = client.New(toClient, fromClient)
	go l.follow()
	if len(l.script) == 0 {
		go l.keyboard()
	} else {
		l.script = append(append([]string(nil), l.script...), "quit")
	}
	err = l.run()
	// The session has been told to end, or is told now.
	_ = fromClient.Close()
	<-ended
	if err == nil && l.failed {
		err = ErrFailed
	}
	return err
}

// follow passes the adapter's messages to the loop, in order.
func (l *loop) follow() {
	defer close(l.entries)
	for at := 0; ; at++ {
		e, err := l.client.Wait(l.ctx, at, func(client.Entry) bool { return true })
		if err != nil {
			return
		}
		select {
		case l.entries <- e:
		case <-l.ctx.Done():
			return
		}
	}
}

// keyboard reads commands; the end of the input means quit.
func (l *loop) keyboard() {
	sc := bufio.NewScanner(l.opts.Input)
	for sc.Scan() {
		select {
		case l.lines <- sc.Text():
		case <-l.ctx.Done():
			return
		}
	}
	select {
	case l.lines <- "quit":
	case <-l.ctx.Done():
	}
}

// run is the loop.
func (l *loop) run() error {
	if err := l.open(); err != nil {
		return l.show(err)
	}
	for {
		if len(l.script) > 0 && l.ready(l.script[0]) {
			line := l.script[0]
			l.script = l.script[1:]
			if l.do(line) {
				return l.quit()
			}
			continue
		}
		// The next line is only read when the one before has been carried out.
		lines := l.lines
		if len(l.script) > 0 {
			lines = nil
		}
		select {
		case e, ok := <-l.entries:
			if !ok {
				return nil
			}
			if l.entry(e) {
				return l.quit()
			}
		case line := <-lines:
			l.script = append(l.script, line)
		case <-l.opts.Interrupt:
			l.view.note("ending the session …")
			return l.quit()
		}
	}
}

// ready says whether a command may be carried out now. A person is answered at
// once; a script's command waits until Envoy is in the state the command is for.
func (l *loop) ready(line string) bool {
	if l.opts.Interactive || l.stopped && l.until == "" {
		return true
	}
	word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
	switch word {
	case "start":
		return l.waiting
	case "u", "until", "p", "pause":
		return l.configured && l.until == ""
	case "q", "quit":
		return l.configured && l.until == "" && !l.stepping
	}
	return false
}

// open starts the session: everything up to the attach request.
func (l *loop) open() error {
	err := l.client.Call(l.ctx, "initialize", map[string]any{
		"clientID": "envoydbg-run", "adapterID": "envoy", "pathFormat": "path",
		"linesStartAt1": true, "columnsStartAt1": true, "supportsEnvoyPhases": true,
	}, nil)
	if err != nil {
		return err
	}
	attributes := l.opts.Attributes
	attributes["breakpointPresets"] = l.breaks.presets
	l.attachSeq, err = l.client.Send("attach", attributes)
	return err
}

// show shows an error of the adapter's, or passes on another one.
func (l *loop) show(err error) error {
	var e *client.Error
	if !errors.As(err, &e) {
		return err
	}
	l.view.fault(e.Code, e.Text)
	l.failed = true
	return nil
}

// entry takes one message of the adapter's; true ends the run.
func (l *loop) entry(e client.Entry) bool {
	switch {
	case e.Sent:
	case e.Type == dapio.Response && e.RequestSeq == l.attachSeq && !e.Success:
		_ = l.show(l.client.Answer(l.ctx, l.attachSeq, nil))
		return true
	case e.Type == dapio.Event:
		return l.event(e)
	}
	return false
}

func (l *loop) event(e client.Entry) bool {
	switch e.Name {
	case startup.PhaseEvent:
		p := startup.PhaseBody{Phase: e.Get("body.phase").String(), State: e.Get("body.state").String(),
			Milliseconds: e.Get("body.milliseconds").Float(), Detail: e.Get("body.detail").String()}
		l.view.phase(p)
		if p.State == "waiting" {
			l.waiting = true
			l.view.prompt("press Enter to start the agent")
		}
	case "output":
		l.output(e.Get("body.category").String(), e.Get("body.output").String())
	case "initialized":
		if err := l.configure(); err != nil {
			_ = l.show(err)
			return true
		}
	case "stopped":
		l.onStopped(e)
	case "continued":
		l.stopped = false
	case "exited":
		l.view.note(fmt.Sprintf("Envoy ended: exit code %d", e.Get("body.exitCode").Int()))
	case "terminated":
		return true
	}
	return false
}

// output shows text and looks for what an until waits for. The startup's summary
// repeats the phases, which have been shown.
func (l *loop) output(category, text string) {
	switch category {
	case "important":
		l.failed = l.failed || strings.Contains(text, "[ED1")
		l.view.fault(0, strings.TrimSpace(text))
		return
	case "stdout", "stderr":
		l.seen += text
		if l.until != "" && strings.Contains(l.seen, l.until) {
			l.until, l.seen = "", ""
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
func (l *loop) configure() error {
	for _, file := range l.breaks.files {
		var list []dap.SourceBreakpoint
		for _, line := range l.breaks.lines[file] {
			list = append(list, dap.SourceBreakpoint{Line: line})
		}
		if _, err := l.client.Send("setBreakpoints", dap.SetBreakpointsArguments{Source: dap.Source{Path: file}, Breakpoints: list}); err != nil {
			return err
		}
	}
	if len(l.breaks.functions) > 0 {
		var list []dap.FunctionBreakpoint
		for _, name := range l.breaks.functions {
			list = append(list, dap.FunctionBreakpoint{Name: name})
		}
		if _, err := l.client.Send("setFunctionBreakpoints", dap.SetFunctionBreakpointsArguments{Breakpoints: list}); err != nil {
			return err
		}
	}
	_, err := l.client.Send("configurationDone", nil)
	l.configured = true
	return err
}

const help = "(c)ontinue (n)ext (s)tep (f)inish (b)acktrace (l)ldb COMMAND (p)ause (u)ntil TEXT (q)uit"

// do carries out one command; true ends the run.
func (l *loop) do(line string) bool {
	word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	if l.waiting {
		switch word {
		case "", "start":
			l.waiting = false
			l.call(adapter.RequestStartAgent, nil, nil)
			return false
		}
	}
	switch word {
	case "":
	case "q", "quit":
		return true
	case "h", "help", "?":
		l.view.result("  " + help)
	case "u", "until":
		if rest == "" {
			l.view.note("until needs the text to wait for")
		} else if !strings.Contains(l.seen, rest) {
			l.until = rest
		} else {
			l.seen = ""
		}
	case "p", "pause":
		l.call("pause", map[string]int{"threadId": l.thread}, nil)
	default:
		if !l.stopped {
			l.view.note("Envoy is not stopped; (p)ause, (q)uit")
			return false
		}
		l.standing(word, rest)
	}
	return false
}

// standing carries out a command that needs a stopped Envoy.
func (l *loop) standing(word, rest string) {
	resume := map[string]string{"c": "continue", "continue": "continue", "n": "next", "next": "next",
		"s": "stepIn", "step": "stepIn", "f": "stepOut", "finish": "stepOut"}[word]
	switch {
	case resume != "":
		l.stopped, l.stepping = false, resume != "continue"
		if !l.call(resume, map[string]int{"threadId": l.thread}, nil) {
			l.stopped, l.stepping = true, false
		}
	case word == "b" || word == "bt" || word == "backtrace":
		l.view.stack(l.frames(64))
	case word == "l" || word == "lldb":
		var body dap.EvaluateResponseBody
		if l.call("evaluate", map[string]any{"expression": "`" + rest, "context": "repl"}, &body) {
			l.view.result(body.Result)
		}
	default:
		l.view.note("there is no command " + word + "; " + help)
	}
}

// call makes a request and shows what went wrong with it.
func (l *loop) call(command string, arguments, result any) bool {
	err := l.client.Call(l.ctx, command, arguments, result)
	if err != nil {
		l.view.note(err.Error())
	}
	return err == nil
}

func (l *loop) frames(most int) []dap.StackFrame {
	var body dap.StackTraceResponseBody
	l.call("stackTrace", map[string]int{"threadId": l.thread, "levels": most}, &body)
	return body.StackFrames
}

func (l *loop) onStopped(e client.Entry) {
	l.stopped, l.stepping, l.thread = true, false, int(e.Get("body.threadId").Int())
	reason := e.Get("body.description").String()
	if reason == "" {
		reason = e.Get("body.reason").String()
	}
	l.view.stopped(stop{Reason: reason, Thread: l.thread, Frames: l.frames(1)})
	l.view.prompt(help)
}

// quitTime bounds the end of a session; the adapter's own bounds are below it.
const quitTime = 15 * time.Second

// quit ends the session and shows what comes until then.
func (l *loop) quit() error {
	seq, err := l.client.Send("disconnect", map[string]any{})
	if err != nil {
		return nil // it has ended by itself
	}
	late := time.After(quitTime)
	for {
		select {
		case e, ok := <-l.entries:
			switch {
			case !ok:
				return nil
			case !e.Sent && e.Type == dapio.Response && e.RequestSeq == seq:
				if !l.failed {
					l.view.note("session ended, nothing is left running")
				}
				return nil
			case e.Type == dapio.Event && e.Name == "output":
				l.output(e.Get("body.category").String(), e.Get("body.output").String())
			}
		case <-late:
			return fmt.Errorf("the session did not end within %v", quitTime)
		}
	}
}
