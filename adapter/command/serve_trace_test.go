package command

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/control"
)

// reader is a window that reads when it is let to.
type reader struct{ entries chan control.LogEntry }

func (r reader) Log(e control.LogEntry)        { r.entries <- e }
func (r reader) Progress(control.ProgressNote) {}
func (r reader) StandBy(control.StandBy)       {}

// A session must not wait for a window that does not read.
func TestATraceDoesNotWaitForItsReader(t *testing.T) {
	trace, r := newTraceLines(), reader{make(chan control.LogEntry)}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go trace.send(ctx, r)
	written := make(chan struct{})
	go func() {
		defer close(written)
		for i := range maxTraced + 100 {
			fmt.Fprintf(trace, "line %d\n", i)
		}
	}()
	select {
	case <-written:
	case <-time.After(10 * time.Second):
		t.Fatal("the session waits")
	}
	var missing, lines int
	for lines < maxTraced {
		select {
		case e := <-r.entries:
			if e.Level == "trace" {
				lines++
			} else if _, err := fmt.Sscanf(e.Message, "%d lines", &missing); err != nil {
				t.Fatal(e)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%d lines came", lines)
		}
	}
	if missing < 99 || missing > 100 { // one may be on its way to the reader
		t.Errorf("%d are said to be missing", missing)
	}
}
