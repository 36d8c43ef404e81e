package terminal

import (
	"bytes"
	"io"
	"os"
	"unicode/utf8"

	"golang.org/x/term"
)

// bottom is the last line of the screen, which what is written comes above.
type bottom struct {
	text string
	// input says that it is a prompt: a line is awaited. Otherwise it tells what
	// is going on.
	input bool
}

// screen is where the text goes, in whole lines.
type screen interface {
	io.Writer
	// bottom shows the last line; call it again after what was written.
	bottom(bottom)
	// entered says that a line was typed: the cursor is at the beginning of one.
	entered()
	// end takes the last line away.
	end()
}

// plain is a screen without control characters: a file, a pipe, or a terminal
// that understands none. Only prompts are shown on it, and only if there is a
// person to read them.
type plain struct {
	w       io.Writer
	prompts bool
	open    bool   // a prompt is the last line
	text    string // of that
}

// Write implements io.Writer.
func (p *plain) Write(b []byte) (int, error) {
	if p.open {
		p.open = false
		if _, err := io.WriteString(p.w, "\n"); err != nil {
			return 0, err
		}
	}
	return p.w.Write(b)
}

func (p *plain) bottom(b bottom) {
	if p.open && b.text != p.text {
		p.open = false
		_, _ = io.WriteString(p.w, "\n")
	}
	if p.prompts && b.input && !p.open {
		p.open, p.text = true, b.text
		_, _ = io.WriteString(p.w, b.text)
	}
}

func (p *plain) entered() { p.open = false }
func (p *plain) end()     { p.bottom(bottom{}) }

// moving is a terminal without a keyboard: its last line tells what is going on.
type moving struct {
	w    io.Writer
	out  *os.File // w, for its width
	last string
}

const eraseLine = "\r\x1b[K"

// Write implements io.Writer.
func (m *moving) Write(b []byte) (int, error) {
	if m.last == "" {
		return m.w.Write(b)
	}
	var all bytes.Buffer
	all.WriteString(eraseLine)
	all.Write(b)
	all.WriteString(fit(m.last, screenWidth(m.out)))
	if _, err := m.w.Write(all.Bytes()); err != nil {
		return 0, err
	}
	return len(b), nil
}

func (m *moving) bottom(b bottom) {
	if b.input {
		b.text = ""
	}
	if b.text == m.last {
		return
	}
	text := fit(b.text, screenWidth(m.out))
	if m.last != "" {
		text = eraseLine + text
	}
	m.last = b.text
	_, _ = io.WriteString(m.w, text)
}

func (m *moving) entered() {}
func (m *moving) end()     { m.bottom(bottom{}) }

// screenWidth is how many columns a terminal has.
func screenWidth(out *os.File) int {
	if width, _, err := term.GetSize(int(out.Fd())); err == nil && width > 0 {
		return width
	}
	return 80
}

// fit cuts a text so that it does not reach the last column, where terminals
// differ in what they do.
func fit(text string, width int) string {
	if utf8.RuneCountInString(text) < width {
		return text
	}
	return string([]rune(text)[:max(0, width-2)]) + "…"
}
