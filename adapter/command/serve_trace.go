package command

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/envoydbg/envoydbg/adapter/control"
)

// maxTraced is how many lines of traces may wait for the window. No session waits for it: an
// extension host may stand at a breakpoint itself.
const maxTraced = 10_000

// traceLines sends the traces of a window's sessions as log entries.
type traceLines struct {
	lines   chan string
	dropped atomic.Int64
	// wanted: the newest session has asked for traces; what belongs to no session goes by it.
	wanted atomic.Bool
}

// between takes the lines of what belongs to no session.
type between struct{ *traceLines }

// Write implements io.Writer.
func (b between) Write(p []byte) (int, error) {
	if !b.wanted.Load() {
		return len(p), nil
	}
	return b.traceLines.Write(p)
}

func newTraceLines() *traceLines { return &traceLines{lines: make(chan string, maxTraced)} }

// Write implements io.Writer; a trace writes whole lines. What finds no room is counted.
func (t *traceLines) Write(p []byte) (int, error) {
	select {
	case t.lines <- strings.TrimSuffix(string(p), "\n"):
	default:
		t.dropped.Add(1)
	}
	return len(p), nil
}

// send tells the window the lines until ctx ends, and how many it has missed.
func (t *traceLines) send(ctx context.Context, l control.Listener) {
	for {
		select {
		case <-ctx.Done():
			return
		case line := <-t.lines:
			if n := t.dropped.Swap(0); n > 0 {
				l.Log(control.LogEntry{Level: "warning", Message: fmt.Sprintf("%d lines of the trace are missing: they were not read in time", n)})
			}
			l.Log(control.LogEntry{Level: "trace", Message: line})
		}
	}
}
