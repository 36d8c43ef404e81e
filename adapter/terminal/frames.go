package terminal

import (
	"bufio"
	"fmt"
	"regexp"
	"strconv"

	"github.com/google/go-dap"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/internal/regular"
)

// selection is the frame that commands are about.
type selection struct {
	level int
	frame dap.StackFrame
}

// listing is how far list has come.
type listing struct {
	path        string
	first, next int // lines; next is 0 before the first list of a frame
}

// listed is how many lines a list shows.
const listed = 10

// frame is the selected frame, its Id 0 if there is none.
func (l *loop) frame() dap.StackFrame {
	if !l.stopped {
		return dap.StackFrame{}
	}
	return l.selected.frame
}

func (l *loop) choose(level int, f dap.StackFrame) {
	l.selected = selection{level, f}
	l.list = listing{path: sourcePath(f), first: f.Line}
}

// frames asks for frames of the thread, from a level on; show gets none if that
// fails.
func (l *loop) frames(from, most int, show func([]dap.StackFrame)) {
	var body dap.StackTraceResponseBody
	l.ask("stackTrace", map[string]int{"threadId": l.thread, "startFrame": from, "levels": most}, &body,
		func() { show(body.StackFrames) }, func() { show(nil) })
}

// mostSearched is how many frames are searched for one with a source.
const mostSearched = 32

// showCaller shows the innermost frame whose source is here: an Envoy that is
// paused stands in a library nearly always.
func (l *loop) showCaller() {
	l.frames(1, mostSearched, func(frames []dap.StackFrame) {
		for i, f := range frames {
			if regular.Is(sourcePath(f)) {
				l.view.frame(i+1, f)
				return
			}
		}
	})
}

// selectFrame selects the frame of a level and shows it.
func (l *loop) selectFrame(level int) {
	if level < 0 {
		l.complain("this is the innermost frame")
		return
	}
	l.frames(level, 1, func(frames []dap.StackFrame) {
		if len(frames) == 0 {
			l.complain(fmt.Sprintf("there is no frame %d", level))
			return
		}
		l.choose(level, frames[0])
		l.tellSelection(func() { l.view.frame(level, frames[0]) })
	})
}

// tellSelection makes the frame LLDB's own selected one: its commands go by that.
// lldb-dap selects the frame of the last "scopes", and not that of "evaluate".
func (l *loop) tellSelection(done func()) {
	l.ask("scopes", map[string]int{"frameId": l.selected.frame.Id}, nil, done, nil)
}

// numbered finds the threads in LLDB's "thread list".
var numbered = regexp.MustCompile(`thread #(\d+): tid = (0x[0-9a-fA-F]+|\d+)`)

// selectThread selects the thread with LLDB's number, which DAP does not tell.
func (l *loop) selectThread(number string) {
	l.lldb("thread list", func(text string, _ bool) {
		for _, m := range numbered.FindAllStringSubmatch(text, -1) {
			if id, err := strconv.ParseInt(m[2], 0, 64); err == nil && m[1] == number {
				l.thread = int(id)
				l.selectFrame(0)
				return
			}
		}
		l.complain(fmt.Sprintf("there is no thread %s; \"info threads\" lists them", number))
	})
}

// sourcePath is where a frame's source is; empty if there is none.
func sourcePath(f dap.StackFrame) string {
	if f.Source == nil || f.Source.SourceReference != 0 {
		return ""
	}
	return f.Source.Path
}

// listSource shows the source around the frame, and what follows when it is
// repeated; back shows what comes before.
func (l *loop) listSource(back bool) {
	if l.list.path == "" {
		l.complain("this frame has no source file")
		return
	}
	from := l.list.next
	switch {
	case back && from == 0:
		from = l.list.first - 5 - listed
	case back:
		from = l.list.first - listed
	case from == 0:
		from = l.list.first - 5
	}
	if back && l.list.first == 1 && l.list.next != 0 {
		l.complain("this is the beginning of the file")
		return
	}
	from = max(1, from)
	lines, err := sourceLines(l.list.path, from, from+listed-1)
	switch {
	case err != nil:
		l.complain(fmt.Sprintf("%s cannot be read: %v", l.list.path, err))
		return
	case len(lines) == 0:
		l.complain("this is the end of the file")
		return
	}
	l.list.first, l.list.next = from, from+len(lines)
	l.view.source(lines, l.frame().Line)
}

type sourceLine struct {
	Number int    `json:"line"`
	Text   string `json:"text"`
}

// excerpt reads the lines around one; what is no file, or cannot be read, has none.
func excerpt(path string, line, around int) []sourceLine {
	lines, _ := sourceLines(path, line-around, line+around)
	return lines
}

// sourceLines reads some lines of a file.
func sourceLines(path string, first, last int) ([]sourceLine, error) {
	file, err := regular.Open(path)
	if err != nil {
		return nil, fault.WithoutPath(err)
	}
	defer file.Close()
	var out []sourceLine
	sc := bufio.NewScanner(file)
	for n := 1; n <= last && sc.Scan(); n++ {
		if n >= first {
			out = append(out, sourceLine{n, sc.Text()})
		}
	}
	return out, sc.Err()
}
