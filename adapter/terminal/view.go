package terminal

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/envoydbg/envoydbg/adapter/startup"
	"github.com/google/go-dap"
)

// stop is one stop of Envoy, ready to be shown.
type stop struct {
	Reason string           `json:"reason"`
	Thread int              `json:"threadId"`
	Frames []dap.StackFrame `json:"frames"`
}

// view shows what happens.
type view interface {
	phase(startup.PhaseBody)
	output(category, text string)
	stopped(stop)
	stack([]dap.StackFrame)
	result(text string)
	fault(code int, text string)
	warning(code int, text string)
	note(text string)
	prompt(text string)
}

// sink is where a view writes to. It remembers the first error.
type sink struct {
	w   io.Writer
	err error
}

// Write implements io.Writer.
func (s *sink) Write(p []byte) (int, error) {
	if s.err == nil {
		_, s.err = s.w.Write(p)
	}
	return len(p), s.err
}

// text is the view of a person.
type text struct {
	w   io.Writer
	tty bool
	// transient is set while the last line shows a phase that has not ended.
	transient bool
	// open is set while the debuggee's last line has no end.
	open bool
}

func (t *text) line(format string, args ...any) {
	if t.transient {
		fmt.Fprint(t.w, "\r\x1b[K")
		t.transient = false
	}
	if t.open {
		fmt.Fprintln(t.w)
		t.open = false
	}
	fmt.Fprintf(t.w, format+"\n", args...)
}

func (t *text) phase(p startup.PhaseBody) {
	switch p.State {
	case "end":
		t.line("  ✓ %-14s %6.1f s   %s", p.Phase, p.Milliseconds/1000, p.Detail)
	case "begin":
		if t.tty {
			t.line("")
			fmt.Fprintf(t.w, "\x1b[A  … %s", p.Phase)
			t.transient = true
		}
	case "waiting":
		t.line("  … %s", p.Detail)
	}
}

func (t *text) output(category, out string) {
	if category == "stdout" || category == "stderr" {
		for _, piece := range strings.SplitAfter(out, "\n") {
			if piece == "" {
				continue
			}
			if !t.open {
				if t.transient {
					t.line("")
				}
				fmt.Fprint(t.w, "  │ ")
			}
			fmt.Fprint(t.w, piece)
			t.open = !strings.HasSuffix(piece, "\n")
		}
		return
	}
	for line := range strings.Lines(strings.TrimRight(out, "\n")) {
		t.line("  %s", strings.TrimRight(line, "\n"))
	}
}

func (t *text) stopped(s stop) {
	if len(s.Frames) == 0 {
		t.line("  ● stopped: %s (thread %d)", s.Reason, s.Thread)
		return
	}
	f := s.Frames[0]
	t.line("  ● stopped: %s   %s   %s", s.Reason, f.Name, place(f))
	if f.Source == nil || f.Source.Path == "" {
		return
	}
	for _, l := range excerpt(f.Source.Path, f.Line, 2) {
		mark := "  "
		if l.number == f.Line {
			mark = "→ "
		}
		t.line("   %s%5d  %s", mark, l.number, l.text)
	}
}

func (t *text) stack(frames []dap.StackFrame) {
	for i, f := range frames {
		t.line("  #%-2d %s   %s", i, f.Name, place(f))
	}
}

func (t *text) result(s string)               { t.line("%s", strings.TrimRight(s, "\n")) }
func (t *text) fault(_ int, message string)   { t.line("\n%s", message) }
func (t *text) warning(_ int, message string) { t.line("%s", message) }
func (t *text) note(s string)                 { t.line("  %s", s) }
func (t *text) prompt(s string) {
	if t.tty {
		t.line("  %s", s)
	}
}

// place is a frame's source line, or its address.
func place(f dap.StackFrame) string {
	if f.Source != nil && f.Line > 0 && f.Source.SourceReference == 0 {
		return fmt.Sprintf("%s:%d", f.Source.Path, f.Line)
	}
	return f.InstructionPointerReference
}

type sourceLine struct {
	number int
	text   string
}

// excerpt reads the lines around one; what is no file, or cannot be read, has none.
func excerpt(path string, line, around int) []sourceLine {
	if st, err := os.Stat(path); err != nil || !st.Mode().IsRegular() {
		return nil // a pipe of that name would hold up everything
	}
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	var out []sourceLine
	sc := bufio.NewScanner(file)
	for n := 1; n <= line+around && sc.Scan(); n++ {
		if n >= line-around {
			out = append(out, sourceLine{n, sc.Text()})
		}
	}
	return out
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
func (j jsonLines) stopped(s stop)           { j.put("stopped", s) }
func (j jsonLines) stack(f []dap.StackFrame) { j.put("stack", f) }
func (j jsonLines) result(s string)          { j.put("result", s) }
func (j jsonLines) fault(code int, s string) { j.put("error", map[string]any{"code": code, "text": s}) }
func (j jsonLines) warning(code int, s string) {
	j.put("warning", map[string]any{"code": code, "text": s})
}
func (j jsonLines) note(s string) { j.put("note", s) }
func (j jsonLines) prompt(string) {}
