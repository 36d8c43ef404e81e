package terminal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/envoydbg/envoydbg/adapter/startup"
	"github.com/google/go-dap"
)

// stop is one stop of Envoy, ready to be shown.
type stop struct {
	Reason string           `json:"reason"`
	Thread int              `json:"threadId"`
	Frames []dap.StackFrame `json:"frames"`

	at string // what it has stopped at, if that has a name
}

// view shows what happens.
type view interface {
	phase(startup.PhaseBody)
	output(category, text string)
	stopped(stop)
	stack(frames []dap.StackFrame, selected int)
	frame(level int, f dap.StackFrame)
	source(lines []sourceLine, current int)
	breakpoint(b *breakpoint, function string, what outcome)
	result(text string)
	fault(code int, text string)
	warning(code int, text string)
	wrong(text string)
	note(text string)
}

// sink is where everything is written to. It remembers the first error.
type sink struct {
	mu  sync.Mutex
	w   io.Writer
	err error
}

// Write implements io.Writer.
func (s *sink) Write(p []byte) (int, error) {
	if err := s.failed(); err != nil {
		return len(p), err
	}
	_, err := s.w.Write(p)
	if err != nil {
		s.mu.Lock()
		s.err = err
		s.mu.Unlock()
	}
	return len(p), err
}

func (s *sink) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// maxOpen is how much of a line without an end is kept back.
const maxOpen = 64 << 10

// text is the view of a person.
type text struct {
	w io.Writer
	// errors is for what went wrong; nil if that goes to w, too.
	errors io.Writer
	// whole says that w takes whole lines only.
	whole bool
	// inPlace says that what is under way is shown at the bottom of the screen.
	inPlace bool
	// open is set while the debuggee's last line has no end; rest is what of it
	// was kept back.
	open bool
	rest []byte
}

// lines writes whole lines.
func (t *text) lines(lines string) {
	t.close()
	_, _ = io.WriteString(t.w, lines)
}

// close ends the debuggee's last line.
func (t *text) close() {
	if t.open {
		t.open = false
		_, _ = t.w.Write(append(t.rest, '\n'))
		t.rest = nil
	}
}

func (t *text) line(format string, args ...any) {
	t.lines(strings.TrimRight(fmt.Sprintf(format, args...), " ") + "\n")
}

// err writes what went wrong.
func (t *text) err(message string) {
	message = strings.TrimRight(message, "\n") + "\n"
	if t.errors == nil {
		t.lines(message)
		return
	}
	t.close()
	_, _ = io.WriteString(t.errors, message)
}

func (t *text) phase(p startup.PhaseBody) {
	switch p.State {
	case "end":
		t.line("  ✓ %-14s %6.1f s   %s", p.Phase, p.Milliseconds/1000, p.Detail)
	case "failed":
		t.line("  ✗ %-14s %6.1f s", p.Phase, p.Milliseconds/1000)
	case "waiting":
		t.line("  … %s", p.Detail)
	case "progress":
		if !t.inPlace {
			t.line("  … %s", p.Detail)
		}
	}
}

func (t *text) output(category, out string) {
	if category != "stdout" && category != "stderr" {
		var b strings.Builder
		for line := range strings.Lines(strings.TrimRight(out, "\n")) {
			b.WriteString("  " + strings.TrimRight(line, "\n") + "\n")
		}
		t.lines(b.String())
		return
	}
	var b bytes.Buffer
	b.Write(t.rest)
	for piece := range strings.Lines(out) {
		if !t.open {
			b.WriteString("  │ ")
		}
		b.WriteString(piece)
		t.open = !strings.HasSuffix(piece, "\n")
	}
	all := b.Bytes()
	t.rest = nil
	if t.whole && t.open {
		end := bytes.LastIndexByte(all, '\n') + 1
		all, t.rest = all[:end], all[end:]
		if len(t.rest) > maxOpen {
			all, t.rest, t.open = append(all, append(t.rest, '\n')...), nil, false
		}
	}
	if len(all) > 0 {
		_, _ = t.w.Write(all)
	}
}

func (t *text) stopped(s stop) {
	why := ": " + s.Reason
	if s.at != "" {
		why = " at " + s.at
	}
	if len(s.Frames) == 0 {
		t.line("  ● stopped%s (thread %d)", why, s.Thread)
		return
	}
	t.line("  ● stopped%s   %s%s", why, called(s.Frames[0]), around(s.Frames[0]))
}

func (t *text) stack(frames []dap.StackFrame, selected int) {
	var b strings.Builder
	for i, f := range frames {
		mark := ' '
		if i == selected {
			mark = '*'
		}
		fmt.Fprintf(&b, "%c #%-2d %s\n", mark, i, called(f))
	}
	t.lines(b.String())
}

func (t *text) frame(level int, f dap.StackFrame) {
	t.line("  #%d  %s%s", level, called(f), around(f))
}

func (t *text) source(lines []sourceLine, current int) { t.lines(numberedLines(lines, current)) }

func (t *text) breakpoint(b *breakpoint, function string, what outcome) {
	name := "Breakpoint"
	if b.temporary {
		name = "Temporary breakpoint"
	}
	if b.known.Id > 0 && b.known.Id < firstAdapterID {
		name += fmt.Sprintf(" %d", b.known.Id)
	}
	if what != bound {
		why := b.known.Message
		if why == "" {
			why = "nothing is bound to it so far"
		}
		t.line("  %s (%s): %s", name, b.spec, why)
		return
	}
	if function == "" {
		function = b.function
	}
	at := b.spec
	if b.known.Source != nil && b.known.Source.Path != "" {
		at = fmt.Sprintf("%s:%d", b.known.Source.Path, b.known.Line)
	}
	if function == "" || function == at {
		t.line("  %s: %s", name, at)
		return
	}
	t.line("  %s: %s   %s", name, function, at)
}

// firstAdapterID begins the numbers that LLDB does not know.
const firstAdapterID = 1 << 30

func (t *text) result(s string)               { t.lines(strings.TrimRight(s, "\n") + "\n") }
func (t *text) fault(_ int, message string)   { t.err(message) }
func (t *text) warning(_ int, message string) { t.err(message) }
func (t *text) wrong(message string)          { t.err(message) }
func (t *text) note(s string)                 { t.line("  %s", s) }

// called is a frame's function and where it is.
func called(f dap.StackFrame) string { return strings.TrimRight(f.Name+"   "+place(f), " ") }

// around is a frame's source line between its neighbours, on lines of their own.
func around(f dap.StackFrame) string {
	path := sourcePath(f)
	if path == "" || f.Line == 0 {
		return ""
	}
	return strings.TrimRight("\n"+numberedLines(excerpt(path, f.Line, 1), f.Line), "\n")
}

func numberedLines(lines []sourceLine, current int) string {
	var b strings.Builder
	for _, l := range lines {
		mark := "  "
		if l.Number == current {
			mark = "→ "
		}
		b.WriteString(strings.TrimRight(fmt.Sprintf("   %s%5d  %s", mark, l.Number, l.Text), " ") + "\n")
	}
	return b.String()
}

// place is a frame's source line, or its address.
func place(f dap.StackFrame) string {
	if f.Source != nil && f.Line > 0 && f.Source.SourceReference == 0 {
		return fmt.Sprintf("%s:%d", f.Source.Path, f.Line)
	}
	return f.InstructionPointerReference
}

// jsonLines is the view of a program: one object a line.
type jsonLines struct{ w io.Writer }

func (j jsonLines) put(kind string, body any) {
	b, err := json.Marshal(map[string]any{"kind": kind, "body": body})
	if err == nil {
		fmt.Fprintf(j.w, "%s\n", b)
	}
}

func (j jsonLines) phase(p startup.PhaseBody) { j.put("phase", p) }
func (j jsonLines) output(category, text string) {
	j.put("output", map[string]string{"category": category, "text": text})
}
func (j jsonLines) stopped(s stop)                  { j.put("stopped", s) }
func (j jsonLines) stack(f []dap.StackFrame, _ int) { j.put("stack", f) }
func (j jsonLines) frame(level int, f dap.StackFrame) {
	j.put("frame", map[string]any{"level": level, "frame": f})
}
func (j jsonLines) source(lines []sourceLine, _ int) { j.put("source", lines) }
func (j jsonLines) breakpoint(b *breakpoint, function string, _ outcome) {
	j.put("breakpoint", map[string]any{"spec": b.spec, "function": function, "breakpoint": b.known})
}
func (j jsonLines) result(s string)          { j.put("result", s) }
func (j jsonLines) fault(code int, s string) { j.put("error", map[string]any{"code": code, "text": s}) }
func (j jsonLines) warning(code int, s string) {
	j.put("warning", map[string]any{"code": code, "text": s})
}
func (j jsonLines) wrong(s string) { j.put("error", map[string]any{"text": strings.TrimSpace(s)}) }
func (j jsonLines) note(s string)  { j.put("note", s) }
