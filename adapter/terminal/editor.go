package terminal

import (
	"errors"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"unicode/utf8"

	"golang.org/x/term"
)

// Keys that the line editor does not handle, or not as a debugger needs them.
const (
	keyInterrupt = 0x03 // Ctrl-C
	keyEnd       = 0x04 // Ctrl-D
	keySuspend   = 0x1a // Ctrl-Z
	keyTab       = '\t'
	// keyEndHere stands for Ctrl-D in what the editor reads: it would end there
	// for good, and a session asks first.
	keyEndHere = 0x1d
)

// maxTyped is how many bytes may be typed ahead; a terminal has such a limit, too.
const maxTyped = 64 << 10

// editor is a terminal with a keyboard, in raw mode: a line is edited at the
// bottom of the screen, and what is written comes above it.
type editor struct {
	in, out  *os.File
	saved    *term.State // the mode in which the terminal was
	terminal *term.Terminal
	keys     *keys
	done     <-chan struct{}
	typed    chan line
	ctrlC    func()
	// complete tells how a line could go on from the cursor.
	complete func(line string) []completion

	mu     sync.Mutex
	raw    bool
	closed bool
	last   string
}

// openEditor puts the terminal into raw mode; close ends that. done ends the
// goroutines, at the latest when something is typed.
// w is out, for what is shown.
func openEditor(in, out *os.File, w io.Writer, past term.History, ctrlC func(), complete func(string) []completion, done <-chan struct{}) (*editor, error) {
	saved, err := term.GetState(int(in.Fd()))
	if err != nil {
		return nil, err
	}
	e := &editor{in: in, out: out, saved: saved, keys: newKeys(), ctrlC: ctrlC, complete: complete, done: done, typed: make(chan line)}
	e.terminal = term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{e.keys, w}, idle)
	e.terminal.History, e.terminal.AutoCompleteCallback, e.last = past, e.key, idle
	e.makeRaw()
	e.resize()
	go e.read()
	go e.edit()
	go e.watch()
	return e, nil
}

// idle is the bottom line when there is nothing to say. The line editor would not
// show a change of an empty one.
const idle = " "

func (e *editor) makeRaw() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return
	}
	_, err := term.MakeRaw(int(e.in.Fd()))
	e.raw = err == nil
}

func (e *editor) restore() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.raw {
		_ = term.Restore(int(e.in.Fd()), e.saved)
		e.raw = false
	}
}

// close gives the terminal back as it was.
func (e *editor) close() {
	e.restore()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
}

func (e *editor) resize() {
	if width, height, err := term.GetSize(int(e.out.Fd())); err == nil && width > 0 {
		_ = e.terminal.SetSize(width, height)
	}
}

// watch follows the terminal: its size, and that the process goes on after it was
// suspended, when the shell may have changed the mode.
func (e *editor) watch() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGWINCH, syscall.SIGCONT)
	defer signal.Stop(signals)
	for {
		select {
		case s := <-signals:
			e.resize()
			if s == syscall.SIGCONT {
				e.makeRaw()
				e.redraw()
			}
		case <-e.done:
			return
		}
	}
}

// redraw writes the bottom line anew.
func (e *editor) redraw() { _, _ = e.terminal.Write(nil) }

// read takes the keys as they come, also while the editor waits for something
// else: Ctrl-C must work whatever the session does.
func (e *editor) read() {
	buf := make([]byte, 256)
	for {
		n, err := e.in.Read(buf)
		for _, b := range buf[:n] {
			switch b {
			case keyInterrupt:
				e.ctrlC()
			case keySuspend:
				e.suspend()
			case keyEnd:
				e.keys.put(keyEndHere)
			default:
				e.keys.put(b)
			}
		}
		if err != nil {
			e.keys.end(err)
			return
		}
	}
}

// suspend stops this process and its group, which is what a shell calls a job.
// The parts of the session are in sessions of their own and go on.
func (e *editor) suspend() {
	e.redraw() // the cursor is at the end of what was typed
	_, _ = io.WriteString(e.out, "\r\n")
	e.restore()
	_ = syscall.Kill(0, syscall.SIGTSTP)
	// Here the process goes on. Without a shell that could continue it, the kernel
	// has not stopped it, and there is no SIGCONT.
	e.makeRaw()
	e.redraw()
}

// edit reads the lines.
func (e *editor) edit() {
	for {
		text, err := e.terminal.ReadLine()
		if errors.Is(err, term.ErrPasteIndicator) {
			err = nil
		}
		if !e.send(line{text: text, err: err}) || err != nil {
			return
		}
	}
}

func (e *editor) send(l line) bool {
	select {
	case e.typed <- l:
		return true
	case <-e.done:
		return false
	}
}

// key takes the keys that the line editor leaves to us.
func (e *editor) key(text string, at int, key rune) (string, int, bool) {
	switch key {
	case keyEndHere:
		if text == "" {
			e.send(line{err: io.EOF})
			return text, at, true
		}
		if at < len(text) {
			_, size := utf8.DecodeRuneInString(text[at:])
			text = text[:at] + text[at+size:]
		}
		return text, at, true
	case keyTab:
		done, options := merge(text[:at], e.complete(text[:at]))
		if len(options) > 0 {
			_, _ = io.WriteString(e.terminal, columns(options, screenWidth(e.out)))
		}
		return done + text[at:], len(done), true
	}
	return "", 0, false
}

// Write implements io.Writer.
func (e *editor) Write(p []byte) (int, error) { return e.terminal.Write(p) }

func (e *editor) bottom(b bottom) {
	if b.text == "" {
		b.text = idle
	}
	if !b.input {
		b.text = fit(b.text, screenWidth(e.out)-1)
	}
	e.mu.Lock()
	same := b.text == e.last
	e.last = b.text
	e.mu.Unlock()
	if !same {
		e.terminal.SetPrompt(b.text)
		e.redraw()
	}
}

func (e *editor) entered() {}

func (e *editor) end() {
	e.terminal.SetPrompt("")
	e.redraw()
}

// keys is what was typed and not yet read. A reader waits; a writer never does.
type keys struct {
	mu    sync.Mutex
	some  *sync.Cond
	bytes []byte
	err   error
}

func newKeys() *keys {
	k := &keys{}
	k.some = sync.NewCond(&k.mu)
	return k
}

func (k *keys) put(b byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.bytes) < maxTyped {
		k.bytes = append(k.bytes, b)
		k.some.Signal()
	}
}

// end says that nothing more will come.
func (k *keys) end(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.err = err
	k.some.Broadcast()
}

// Read implements io.Reader.
func (k *keys) Read(p []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for len(k.bytes) == 0 && k.err == nil {
		k.some.Wait()
	}
	if len(k.bytes) == 0 {
		return 0, k.err
	}
	n := copy(p, k.bytes)
	k.bytes = append(k.bytes[:0], k.bytes[n:]...)
	return n, nil
}

// columns prints words side by side, as many as the width holds.
func columns(words []string, width int) string {
	widest := 0
	for _, w := range words {
		widest = max(widest, utf8.RuneCountInString(w))
	}
	perLine := max(1, width/(widest+2))
	var b strings.Builder
	for i, w := range words {
		b.WriteString(w)
		if (i+1)%perLine == 0 || i == len(words)-1 {
			b.WriteString("\n")
		} else {
			b.WriteString(strings.Repeat(" ", widest+2-utf8.RuneCountInString(w)))
		}
	}
	return b.String()
}
