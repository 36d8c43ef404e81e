package startup

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"
)

// Everything is shown as it was written, and then the terminal's program is ended.
func TestATerminalShowsTheLastWords(t *testing.T) {
	here, there := net.Pipe()
	terminal := newOwnTerminal(here, func(rest []byte) { t.Errorf("left: %q", rest) })
	var want bytes.Buffer
	shown := make(chan []byte)
	go func() {
		all, _ := io.ReadAll(there)
		shown <- all
	}()
	for range 1000 {
		text := []byte("\x1b[31mred\x1b[0m \xff\n")
		want.Write(text)
		if !terminal.write(text) {
			t.Fatal("it takes nothing")
		}
	}
	terminal.close()
	select {
	case got := <-shown:
		if !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%d bytes are shown of %d", len(got), want.Len())
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the program in the terminal is not ended")
	}
}

// What a user who closes the terminal has not seen is shown elsewhere, once.
func TestAClosedTerminalLosesNothing(t *testing.T) {
	here, there := net.Pipe()
	rest := make(chan string, 1)
	terminal := newOwnTerminal(here, func(p []byte) { rest <- string(p) })
	terminal.write([]byte("one two"))
	seen := make([]byte, 4)
	if _, err := io.ReadFull(there, seen); err != nil {
		t.Fatal(err)
	}
	_ = there.Close()
	select {
	case got := <-rest:
		if string(seen)+got != "one two" {
			t.Errorf("%q in the terminal and %q elsewhere", seen, got)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the rest is not shown")
	}
	if terminal.write([]byte("three")) {
		t.Error("a closed terminal takes more")
	}
}

// A terminal that was stopped by its user holds the agent back, and not the end.
func TestAStoppedTerminalDoesNotHoldTheEnd(t *testing.T) {
	here, there := net.Pipe()
	defer func() { _ = there.Close() }()
	terminal := newOwnTerminal(here, func([]byte) {})
	terminal.write(make([]byte, 1)) // which show takes, and cannot write
	terminal.write(make([]byte, maxUnshown+1))
	written := make(chan bool)
	go func() {
		terminal.write(make([]byte, maxUnshown+1))
		written <- terminal.write([]byte("more"))
	}()
	terminal.end()
	select {
	case <-written:
	case <-time.After(10 * time.Second):
		t.Fatal("the end is held back")
	}
	terminal.close()
	select {
	case <-terminal.done:
	case <-time.After(10 * time.Second):
		t.Fatal("its goroutine does not end")
	}
}
