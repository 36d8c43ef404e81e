package terminal

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/go-dap"

	"github.com/envoydbg/envoydbg/adapter/client"
	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/startup"
	"github.com/envoydbg/envoydbg/internal/regular"
)

// loop is the state of one run.
type loop struct {
	opts   Options
	view   view
	out    *sink  // what the view writes to
	screen screen // what is between the two
	// keyboard edits the lines; nil if lines are read as they come.
	keyboard *editor
	history  *history // of the keyboard
	tabs     chan completing
	conn     *client.Conn
	breaks   breakpoints
	// end makes the session end; it does not wait for it.
	end func()

	lines       <-chan line   // nil: there is no input, or no more of it
	pauses      chan struct{} // nil: nothing can be paused
	interrupted chan struct{} // closed by a signal
	done        chan struct{} // closed when the loop has ended

	// answers are what to do with the answers to the requests under way.
	answers map[int64]func(*dapio.Message)
	busy    int // requests under way that the next command has to wait for

	queue     []string // commands still to be carried out
	commands  int      // how many have begun
	command   string   // the last one that has begun
	repeat    string   // what an empty line stands for
	until     string   // the text that it waits for
	recent    recent   // output in which the text may be already
	left      bool     // the program that gave the commands has closed its end
	graceFor  int      // the command that graceOver is about
	graceOver <-chan time.Time

	prefix      string    // makes an expression a command of LLDB's
	completable bool      // lldb-dap completes commands
	phase       string    // the phase under way, or what it waits for
	told        string    // the phase whose progress was shown
	phaseBegan  time.Time // of the phase under way, named by began
	began       string

	configured bool   // Envoy may run
	armed      bool   // the agent waits for the user's start
	stopped    bool   // Envoy is stopped
	stepping   bool   // a step is under way, and will stop by itself
	pausing    bool   // Envoy was told to stop
	stops      int    // how often it has stopped
	steps      steps  // what is left of several
	thread     int    // the selected thread
	place      string // where it has stopped
	refused    string // what was said of the last breakpoint that was not kept
	selected   selection
	list       listing

	asking  bool // whether to end
	ending  bool
	faulted bool         // the session's own error was shown
	kept    bool         // Envoy and its agent are left as they are
	failed  bool         // something else went wrong, and was shown
	fault   *fault.Fault // an error that was not shown
}

func newLoop(opts Options, breaks breakpoints, conn *client.Conn, end func()) *loop {
	l := &loop{opts: opts, out: &sink{w: opts.Output}, conn: conn, breaks: breaks, end: end, prefix: escapePrefix(opts.Attributes),
		interrupted: make(chan struct{}), done: make(chan struct{}), tabs: make(chan completing), answers: map[int64]func(*dapio.Message){}}
	if opts.Pause != nil {
		l.pauses = opts.Pause.asks
	}
	switch {
	case opts.Keyboard != nil && l.edit():
	case opts.Screen != nil:
		l.screen = &moving{w: l.out, out: opts.Screen}
	default:
		l.screen = &plain{w: l.out, prompts: opts.Prompt}
	}
	switch {
	case len(opts.Script) > 0:
		l.queue = append(append(l.queue, opts.Script...), "quit")
	case l.keyboard != nil:
		l.lines = l.keyboard.typed
	default:
		l.lines = readLines(opts.Input, opts.Interactive, l.done)
	}
	l.view = &text{w: l.screen, errors: opts.Errors, whole: opts.Screen != nil || opts.Prompt, inPlace: opts.Screen != nil}
	if opts.JSON {
		l.view = jsonLines{l.out}
	}
	return l
}

// edit lets lines be edited, if the terminal can be had for it.
func (l *loop) edit() bool {
	past := loadHistory(historyPath())
	e, err := openEditor(l.opts.Keyboard, l.opts.Screen, l.out, past, l.opts.CtrlC, l.completions, l.done)
	if err != nil {
		return false
	}
	l.keyboard, l.screen, l.history = e, e, past
	return true
}

// close gives the terminal back.
func (l *loop) close() {
	if l.keyboard != nil {
		l.keyboard.close()
	}
}

// run takes one thing after another until the adapter's stream has ended.
func (l *loop) run() {
	defer close(l.done)
	l.open()
	interrupted := l.interrupted
	for {
		if err := l.out.failed(); err != nil && l.fault == nil && !l.ending {
			l.fault = fault.OutputLost(err)
			l.quit()
		}
		if !l.ending && len(l.queue) > 0 && l.ready(l.queue[0]) {
			command := l.queue[0]
			l.queue = l.queue[1:]
			l.do(command)
			continue
		}
		l.screen.bottom(l.bottom())
		if l.opts.Pause != nil {
			l.opts.Pause.allow(l.configured && !l.stopped && !l.ending)
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
		case c := <-l.tabs:
			l.completes(c)
		case <-l.pauses:
			if !l.ending {
				l.pauseEnvoy()
			}
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
		l.inputEnded(in.err)
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
	switch {
	case l.faulted:
	case l.kept:
		l.view.note("session ended")
	default:
		l.view.note("session ended, nothing is left running")
	}
	l.screen.end()
}

// ready reports whether a command may be carried out now. A person is answered at
// once, or when a step that is under way has ended; a script's command waits until
// Envoy is in the state the command is for.
func (l *loop) ready(command string) bool {
	need := needs(command)
	switch {
	case l.busy > 0:
		return false
	case l.opts.Interactive:
		return need != stopped || !l.stepping // the stop comes by itself
	case l.stopped && l.until == "":
		return true
	}
	name, _ := cutWord(command)
	switch w := lookup(name); {
	case w != nil && w.name == "start":
		return l.armed
	case w != nil && w.name == "quit":
		return (l.configured || l.left) && l.until == "" && !l.stepping
	case need == always, need == running, need == set:
		return l.configured && l.until == ""
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
	l.view.wrong("  " + text)
	l.failed = l.failed || !l.opts.Interactive
}

// wrong is complain, for what others say.
func (l *loop) wrong(text string) {
	l.view.wrong(text)
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
		l.completable = m.Get("body.supportsCompletionsRequest").Bool()
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
		l.showFault(refused.Code, refused.Text)
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
		l.onPhase(p)
	case "initialized":
		l.configure()
	case "stopped":
		l.onStopped(m)
	case "continued":
		l.stopped = false
	case "breakpoint":
		l.changed(m)
	case "exited":
		l.exited(m.Get("body.exitCode").Int())
	case "terminated":
		l.quit()
	}
}

// onPhase takes what the startup tells.
func (l *loop) onPhase(p startup.PhaseBody) {
	switch p.State {
	case "begin":
		l.phase, l.began, l.phaseBegan = startup.Doing(p.Phase), p.Phase, time.Now()
	case "waiting":
		l.armed = true
		if l.opts.Interactive && !l.opts.JSON {
			l.view.note("armed; press Enter to start the agent")
			return
		}
	case "progress":
		l.phase = p.Detail
		if l.told == p.Phase && !l.opts.JSON {
			return // lines would only repeat it
		}
		l.told = p.Phase
	case "end":
		l.phase, l.began = "", ""
	}
	l.view.phase(p)
}

// showFault shows an error of the session, and the phase that it came in.
func (l *loop) showFault(code int, text string) {
	if l.began != "" {
		l.view.phase(startup.PhaseBody{Phase: l.began, State: "failed", Milliseconds: float64(time.Since(l.phaseBegan).Microseconds()) / 1000})
		l.phase, l.began = "", ""
	}
	l.faulted = true
	l.view.fault(code, text)
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
		case fault.IsWarning(code) && l.saidAlready(text):
		case fault.IsWarning(code):
			l.view.warning(code, strings.TrimSpace(text))
		default:
			l.showFault(code, strings.TrimSpace(text))
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
		l.kept = l.kept || strings.HasPrefix(text, startup.KeptHead)
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
	l.setAll()
	l.send("configurationDone", nil, refused)
	l.configured = true
}

func (l *loop) onStopped(m *dapio.Message) {
	l.hit(m)
	if l.stopped && m.Get("body.preserveFocusHint").Bool() {
		return // another thread has stopped at the same time
	}
	reason := m.Get("body.reason").String()
	paused := l.pausing
	l.stopped, l.stepping, l.pausing, l.thread = true, false, false, int(m.Get("body.threadId").Int())
	l.stops++
	if left := l.steps.left; left > 0 && reason == "step" {
		l.steps.left--
		l.goOn(l.steps.request)
		return
	}
	l.steps = steps{}
	s := stop{Reason: m.Get("body.description").String(), Thread: l.thread}
	if s.Reason == "" {
		s.Reason = reason
	}
	switch preset, ids := m.Get("body.text").String(), m.Get("body.hitBreakpointIds").Array(); {
	case reason == "breakpoint" && preset != "":
		s.at = preset
	case reason == "breakpoint" && len(ids) > 0:
		s.at = fmt.Sprintf("breakpoint %d", ids[0].Int())
	case reason == "pause":
		s.Reason = reason
	}
	l.frames(0, 1, func(frames []dap.StackFrame) {
		s.Frames = frames
		l.place = "an unknown place"
		l.choose(0, dap.StackFrame{})
		if len(frames) > 0 {
			l.choose(0, frames[0])
			l.place = frames[0].Name
			if path := sourcePath(frames[0]); path != "" {
				l.place += fmt.Sprintf(" (%s:%d)", filepath.Base(path), frames[0].Line)
			}
		}
		l.view.stopped(s)
		if paused && len(frames) > 0 && !regular.Is(sourcePath(frames[0])) {
			l.showCaller()
		}
	})
}
