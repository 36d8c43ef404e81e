package startup

import (
	"context"
	"errors"
	"testing"

	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/helper"
)

// What follows from a broken connection may be told before the cause is looked for;
// what causes it counts, whenever it was told.
func TestTheCauseCountsAndNotWhatFollowsFromIt(t *testing.T) {
	lost := fault.ConnectionLost("EOF")
	failed, err := dapio.Parse([]byte(`{"seq":1,"type":"response","command":"attach","success":false}`))
	if err != nil {
		t.Fatal(err)
	}
	died := helper.ExitParams{What: "platform", Status: "signal: killed"}
	for _, x := range []struct {
		name    string
		notices []any
		want    int
	}{
		{"nothing more", nil, lost.Code},
		{"the attach fails with it", []any{attachAnswered{answer: failed}}, lost.Code},
		{"LLDB tells the end of Envoy", []any{debuggeeEnded{}}, lost.Code},
		{"the debug server had died", []any{debuggeeEnded{}, died}, fault.ServerDied("", "").Code},
	} {
		s := New(Config{Attributes: &config.Config{}}, nil, nil, nil)
		for _, n := range x.notices {
			s.box.post(n)
		}
		var f *fault.Fault
		if err := s.cause(context.Background(), lost); !errors.As(err, &f) || f.Code != x.want {
			t.Errorf("%s: %v, want ED%d", x.name, err, x.want)
		}
	}
}

func TestTheMailboxKeepsTheOrderAndLosesNothing(t *testing.T) {
	b := newMailbox()
	for n := range 3 {
		if !b.post(n) {
			t.Fatal("not taken")
		}
	}
	for n := range 2 {
		if got, err := b.take(t.Context()); err != nil || got != n {
			t.Errorf("got %v, %v; want %d", got, err, n)
		}
	}
	if left := b.close(); len(left) != 1 || left[0] != 2 {
		t.Errorf("left %v", left)
	}
	if b.post(3) {
		t.Error("taken after the end")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.take(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("take: %v", err)
	}
}
