package terminal

import (
	"bufio"
	"io"
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

// readLines sends the lines of in, and last its end. It stays behind, blocked in
// Read, when the session ends first.
func readLines(in io.Reader, done <-chan struct{}) <-chan line {
	lines := make(chan line)
	go func() {
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
				return
			}
		}
	}()
	return lines
}

// typed takes a line of the input.
func (l *loop) typed(command string) {
	if l.opts.Interactive && l.busy > 0 && urgent(command) {
		l.do(command)
		return
	}
	l.queue = append(l.queue, command)
}

// urgent reports whether the command makes sense while another one is under way.
func urgent(command string) bool {
	word, _ := cutWord(command)
	return word == "q" || word == "quit" || word == "p" || word == "pause"
}

// inputEnded decides what the end of the input means. At a keyboard it ends the
// session at once. From another program it ends the session after the commands
// given so far; the one under way gets inputGrace. In a file it is the last
// command, quit.
func (l *loop) inputEnded() {
	l.lines = nil
	underWay := l.underWay() != ""
	if l.opts.Interactive || l.opts.Live && !underWay && len(l.queue) == 0 {
		l.quit()
		return
	}
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
