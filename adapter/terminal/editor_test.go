package terminal

import (
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/test/support/pty"
)

// typing is an editor on a terminal of its own, and who sits there.
type typing struct {
	*editor
	t      *testing.T
	person *os.File
	seen   *shown
	ctrlC  chan struct{}
}

func newTyping(t *testing.T, columns int, complete func(string) []completion) *typing {
	t.Helper()
	person, programs := terminalOf(t, columns)
	y := &typing{t: t, person: person, seen: &shown{}, ctrlC: make(chan struct{}, 10)}
	done := make(chan struct{})
	h := &history{}
	h.keep("the first command")
	h.keep("the last command")
	e, err := openEditor(programs, programs, programs, h, func() { y.ctrlC <- struct{}{} }, complete, done)
	if err != nil {
		t.Fatal(err)
	}
	y.editor = e
	t.Cleanup(func() {
		close(done)
		e.close()
		if t.Failed() {
			t.Logf("seen: %q", y.seen)
		}
	})
	go func() { _, _ = io.Copy(y.seen, person) }()
	e.bottom(bottom{text: promptText, input: true})
	y.sees(promptText)
	return y
}

func (y *typing) types(keys string) {
	y.t.Helper()
	if _, err := y.person.WriteString(keys); err != nil {
		y.t.Fatal(err)
	}
}

func (y *typing) sees(text string) {
	y.t.Helper()
	for deadline := time.Now().Add(limit); !strings.Contains(y.seen.String(), text); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			y.t.Fatalf("%q is not on the screen", text)
		}
	}
}

// enters waits for the line that was typed; an empty one with an error is the end.
func (y *typing) enters() line {
	y.t.Helper()
	select {
	case l := <-y.typed:
		return l
	case <-time.After(limit):
		y.t.Fatal("no line came")
	}
	return line{}
}

func TestALineIsEdited(t *testing.T) {
	y := newTyping(t, 80, nil)
	for keys, want := range map[string]string{
		"bt\r":                    "bt",
		"bx\x7ft\r":               "bt",
		"\x1b[A\r":                "the last command",
		"\x1b[A\x1b[A\r":          "the first command",
		"b\x01p \x05c\r":          "p bc",
		"nonsense\x15bt\r":        "bt",
		"abc\x1b[D\x1b[D\x04\r":   "ac",  // Ctrl-D deletes what is under the cursor
		"\x1b[200~p x\x1b[201~\r": "p x", // pasted
	} {
		y.types(keys)
		if got := y.enters(); got.text != want || got.err != nil {
			t.Errorf("%q made %q, %v", keys, got.text, got.err)
		}
	}
}

// What is written while a line is typed comes above it, and the line stays.
func TestOutputComesAboveTheLine(t *testing.T) {
	for _, columns := range []int{80, 20} {
		y := newTyping(t, columns, nil)
		y.types("print some_long_name")
		y.sees("me") // the end of it may be on the next row
		_, _ = y.Write([]byte("output of Envoy\n"))
		y.sees("output of Envoy\r\n(envoydbg) ")
		y.types("\r")
		if got := y.enters(); got.text != "print some_long_name" {
			t.Errorf("%d columns: %q", columns, got.text)
		}
	}
}

func TestKeysThatAreNotPartOfALine(t *testing.T) {
	y := newTyping(t, 80, nil)
	for range 2 {
		y.types("\x04") // again and again: the end is not for good
		if got := y.enters(); got.err != io.EOF {
			t.Errorf("Ctrl-D made %q, %v", got.text, got.err)
		}
	}
	y.types("\x03\x03")
	for range 2 {
		select {
		case <-y.ctrlC:
		case <-time.After(limit):
			t.Fatal("Ctrl-C was lost")
		}
	}
}

// Ctrl-C comes through even if nobody takes the lines.
func TestTheKeyboardIsReadWhileNobodyTakesTheLines(t *testing.T) {
	y := newTyping(t, 80, nil)
	y.types("one\rtwo\rthree\r\x03")
	select {
	case <-y.ctrlC:
	case <-time.After(limit):
		t.Fatal("Ctrl-C was lost")
	}
	for _, want := range []string{"one", "two", "three"} {
		if got := y.enters(); got.text != want {
			t.Errorf("got %q", got.text)
		}
	}
}

func TestTheTerminalIsGivenBack(t *testing.T) {
	y := newTyping(t, 80, nil)
	for _, want := range []bool{true, false} {
		if raw, err := pty.Raw(y.person); err != nil || raw != want {
			t.Errorf("raw mode is %v (%v), want %v", raw, err, want)
		}
		y.close()
	}
	y.makeRaw() // a late SIGCONT
	if raw, _ := pty.Raw(y.person); raw {
		t.Error("raw mode after the end")
	}
}

func TestTabCompletes(t *testing.T) {
	y := newTyping(t, 80, func(line string) []completion {
		var out []completion
		for _, w := range []string{"argc", "argv", "beta"} {
			if typed := line[strings.LastIndexByte(line, ' ')+1:]; strings.HasPrefix(w, typed) {
				out = append(out, completion{w, len(typed)})
			}
		}
		return out
	})
	for keys, want := range map[string]string{
		"p b\t\r":   "p beta ",
		"p a\t\r":   "p arg",
		"p arg\t\r": "p arg",
		"p x\t\r":   "p x",
	} {
		y.types(keys)
		if got := y.enters(); got.text != want {
			t.Errorf("%q made %q, want %q", keys, got.text, want)
		}
	}
	y.sees("argc  argv\r\n")
}

func TestCompletionsAreOursAndLLDBs(t *testing.T) {
	s := beginCapable(t)
	ask := func(line string) <-chan []completion {
		answer := make(chan []completion, 1)
		go func() { answer <- s.loop.completions(line) }()
		return answer
	}
	got := ask("p ar")
	m := s.asked("completions")
	if m.Get("arguments.text").Str != "p ar" || m.Get("arguments.column").Int() != 5 || m.Get("arguments.frameId").Int() != 1 {
		t.Errorf("asked for %s", m.Raw)
	}
	// The first is as LLDB 22 has it, the second as LLDB 19.
	s.answer(m, `{"targets":[{"label":"argc","length":2},{"label":"argv -- char **","text":"argv"}]}`)
	if words := <-got; !slices.Equal(words, []completion{{"argc", 2}, {"argv", 2}}) {
		t.Errorf("got %v", words)
	}
	for line, asked := range map[string]string{"lldb b": "b", "tbreak f": "b f", "watch x": "p x", "print x": "p x", "unt": "unt"} {
		got = ask(line)
		m = s.asked("completions")
		if m.Get("arguments.text").Str != asked {
			t.Errorf("%q asked for %s", line, m.Raw)
		}
		s.refuse(m, "not now")
		words := <-got
		if line == "unt" && !slices.Equal(words, []completion{{"until", 3}}) {
			t.Errorf("got %v", words)
		}
	}
}

// beginCapable is a session at a stop whose lldb-dap completes.
func beginCapable(t *testing.T) *story {
	t.Helper()
	in, _ := io.Pipe()
	s := begin(t, Options{Input: in, Interactive: true, Prompt: true})
	s.answer(s.asked("initialize"), `{"supportsCompletionsRequest":true}`)
	s.answer(s.asked("attach"), "{}")
	s.event("initialized", "{}")
	s.answer(s.asked("configurationDone"), "{}")
	s.stops("main")
	s.shows(promptText)
	return s
}

func TestColumns(t *testing.T) {
	if got := columns([]string{"a", "bbb", "cc"}, 12); got != "a    bbb\ncc\n" {
		t.Errorf("got %q", got)
	}
	if got := columns([]string{"longer than that"}, 5); got != "longer than that\n" {
		t.Errorf("got %q", got)
	}
}
