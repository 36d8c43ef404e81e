package terminal

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"
)

const (
	// maxLine is the length of the longest command, in bytes.
	maxLine = 1 << 20
	// maxQueue is how many commands may wait for the one under way. The rest of
	// the input is read when they have been carried out.
	maxQueue = 1000
)

// inputGrace is how long a command that was under way when the input ended may
// go on. Whoever wrote the input can no longer end it.
const inputGrace = 2 * time.Second

// line is one line of the input, or why there are no more; io.EOF is the
// orderly end.
type line struct {
	text string
	err  error
}

// readLines sends the lines of in, and last its end. A terminal can have another
// line after its end: Ctrl-D is not for good there. It stays behind, blocked in
// Read, when the session ends first.
func readLines(in io.Reader, isTerminal bool, done <-chan struct{}) <-chan line {
	lines := make(chan line)
	go func() {
		for {
			sc := bufio.NewScanner(in)
			sc.Buffer(nil, maxLine)
			for {
				next := line{err: io.EOF}
				if sc.Scan() {
					next = line{text: sc.Text()}
				} else if err := sc.Err(); err != nil {
					next.err = err
				}
				select {
				case lines <- next:
				case <-done:
					return
				}
				if next.err != nil {
					break
				}
			}
			if !isTerminal || sc.Err() != nil {
				return
			}
		}
	}()
	return lines
}

// typed takes a line of the input.
func (l *loop) typed(command string) {
	l.screen.entered()
	if l.asking {
		l.asking = false
		if answer := strings.ToLower(strings.TrimSpace(command)); answer == "y" || answer == "yes" {
			l.quit()
		}
		return
	}
	if l.history != nil {
		l.history.keep(command)
	}
	if l.opts.Interactive && (l.busy > 0 || len(l.queue) > 0) && urgent(command) {
		l.do(command)
		return
	}
	l.queue = append(l.queue, command)
}

// urgent reports whether the command makes sense while another one is under way.
func urgent(command string) bool {
	name, _ := cutWord(command)
	w := lookup(name)
	return w != nil && (w.name == "quit" || w.name == "pause")
}

// inputEnded decides what the end of the input means. At a keyboard it ends the
// session, but asks first when Envoy is stopped and a person would lose its state. From another program it ends the
// session after the commands given so far; the one under way gets inputGrace. In a
// file it is the last command, quit.
func (l *loop) inputEnded(why error) {
	underWay := l.underWay() != ""
	if l.opts.Prompt && why == io.EOF && l.stopped && !underWay && !l.asking {
		l.asking = true
		return
	}
	l.lines = nil
	if l.opts.Interactive || l.opts.Live && !underWay && len(l.queue) == 0 {
		l.quit()
		return
	}
	l.left = l.opts.Live
	if l.opts.Live && underWay {
		l.graceFor = l.commands
		l.graceOver = time.After(inputGrace)
	}
	l.queue = append(l.queue, "quit")
}

// underWay is the command that has begun and not ended; "" for none.
func (l *loop) underWay() string {
	if l.busy > 0 || l.stepping || l.until != "" {
		return l.command
	}
	return ""
}

// promptText is what a debugger asks for commands with.
const promptText = "(envoydbg) "

// bottom is the last line of the screen: the prompt when a command is awaited, or
// what is going on.
func (l *loop) bottom() bottom {
	doing := func(what string) bottom { return bottom{text: "  … " + what} }
	switch {
	case l.ending:
		return bottom{}
	case l.asking:
		return bottom{text: fmt.Sprintf("Envoy is stopped at %s; end the session? [y/N] ", l.place), input: true}
	case l.armed && l.opts.Interactive:
		return bottom{text: promptText, input: true}
	case !l.configured || l.phase != "":
		if l.phase == "" {
			return bottom{}
		}
		return doing(l.phase)
	case !l.opts.Interactive:
		return bottom{}
	case l.stopped && l.busy == 0 && l.until == "":
		return bottom{text: promptText, input: true}
	case l.stopped: // a command is under way
		return bottom{}
	case l.pausing:
		return doing("pausing")
	}
	return doing("running")
}
