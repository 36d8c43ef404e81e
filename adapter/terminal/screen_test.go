package terminal

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/test/support/pty"
)

func TestAPromptOnATerminalThatUnderstandsNothing(t *testing.T) {
	var out bytes.Buffer
	p := &plain{w: &out, prompts: true}
	show := func(b bottom) { p.bottom(b); p.bottom(b) } // the loop tells it again and again
	show(bottom{text: "  … running"})
	_, _ = p.Write([]byte("first\n"))
	show(bottom{text: promptText, input: true})
	_, _ = p.Write([]byte("second\n"))
	show(bottom{text: promptText, input: true})
	p.entered()
	_, _ = p.Write([]byte("answer\n"))
	show(bottom{text: "question? ", input: true})
	show(bottom{text: promptText, input: true})
	p.end()
	want := "first\n(envoydbg) \nsecond\n(envoydbg) answer\nquestion? \n(envoydbg) \n"
	if out.String() != want {
		t.Errorf("got\n%q\nwant\n%q", out.String(), want)
	}
}

// terminalOf is the programs' end of a terminal that wide, and what it shows is
// read from the other.
func terminalOf(t *testing.T, columns int) (person, programs *os.File) {
	t.Helper()
	person, programs, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = person.Close(); _ = programs.Close() })
	if err := pty.Resize(person, columns, 24); err != nil {
		t.Fatal(err)
	}
	return person, programs
}

// A line that reached the last column would leave a part of it behind.
func TestWhatGoesOnFitsIntoANarrowTerminal(t *testing.T) {
	_, screen := terminalOf(t, 20)
	var out bytes.Buffer
	m := &moving{w: &out, out: screen}
	m.bottom(bottom{text: "  … waiting for Envoy, 12 s of 60 s"})
	_, _ = m.Write([]byte("a line that is longer than the terminal is wide\n"))
	m.bottom(bottom{text: "  … short"})
	m.bottom(bottom{text: promptText, input: true})
	want := "  … waiting for En…" + eraseLine + "a line that is longer than the terminal is wide\n" + "  … waiting for En…" +
		eraseLine + "  … short" + eraseLine
	if out.String() != want {
		t.Errorf("got\n%q\nwant\n%q", out.String(), want)
	}
}

// A debuggee's line without an end is kept until it has one, or something else is
// to be shown.
func TestLinesAreWholeAboveAPrompt(t *testing.T) {
	var out bytes.Buffer
	v := &text{w: &out, whole: true}
	v.output("stdout", "one\ntw")
	if out.String() != "  │ one\n" {
		t.Errorf("got %q", out.String())
	}
	v.output("stderr", "o\nthr")
	v.note("a note")
	v.output("stdout", "ee\n")
	v.output("stdout", strings.Repeat("x", maxOpen+1))
	want := "  │ one\n  │ two\n  │ thr\n  a note\n  │ ee\n  │ " + strings.Repeat("x", maxOpen+1) + "\n"
	if out.String() != want {
		t.Errorf("got %d bytes: %.80q", out.Len(), out.String())
	}
}

func TestErrorsHaveTheirOwnOutput(t *testing.T) {
	var out, errs bytes.Buffer
	v := &text{w: &out, errors: &errs}
	v.output("stdout", "open")
	v.fault(1203, "the fault [ED1203]")
	v.warning(1403, "a warning\n")
	v.wrong("  no")
	v.result("yes\n")
	if out.String() != "  │ open\nyes\n" || errs.String() != "the fault [ED1203]\na warning\n  no\n" {
		t.Errorf("output %q, errors %q", out.String(), errs.String())
	}
}

// The phase that an error came in is shown with it.
func TestThePhaseThatFailedIsShown(t *testing.T) {
	s := begin(t, Options{Script: []string{"bt"}})
	s.answer(s.asked("initialize"), "{}")
	attach := s.asked("attach")
	s.event("envoyPhase", `{"phase":"attached","state":"begin"}`)
	s.event("envoyPhase", `{"phase":"attached","state":"progress","detail":"waiting for Envoy, 1 s of 60 s"}`)
	s.event("envoyPhase", `{"phase":"attached","state":"progress","detail":"waiting for Envoy, 2 s of 60 s"}`)
	s.refuse(attach, "The agent started no Envoy within 1m0s. [ED1304]")
	if err := s.ends(); !errors.Is(err, ErrFailed) {
		t.Errorf("ended with %v", err)
	}
	s.shows("waiting for Envoy, 1 s of 60 s\n  ✗ attached")
	if strings.Contains(s.shown.String(), "2 s of 60") {
		t.Error("the wait was shown again and again")
	}
}
