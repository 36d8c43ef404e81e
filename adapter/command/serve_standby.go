package command

import (
	"context"
	"fmt"

	"github.com/envoydbg/envoydbg/adapter/control"
	"github.com/envoydbg/envoydbg/adapter/lldb/warm"
	"github.com/envoydbg/envoydbg/internal/process"
	"github.com/envoydbg/envoydbg/kube"
)

// DropStandBy implements control.Backend.
func (b *backend) DropStandBy(context.Context, control.None) (control.None, error) {
	b.warm.Drop()
	return control.None{}, nil
}

// tellStandBy tells the window which lldb-dap stands by, until ctx ends.
func tellStandBy(ctx context.Context, k *warm.Keeper, l control.Listener) {
	told := control.StandBy{State: control.StandByNone}
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.News():
			if now := standBy(k.Status()); now != told {
				l.StandBy(now)
				told = now
			}
		}
	}
}

// standBy is a Keeper's status for a window.
func standBy(s warm.Status) control.StandBy {
	switch s.State {
	case warm.Warming:
		return control.StandBy{State: control.StandByReading, Program: s.Program}
	case warm.Ready:
		return control.StandBy{State: control.StandByReady, Program: s.Program, Memory: process.Anonymous(s.PID)}
	default:
		return control.StandBy{State: control.StandByNone}
	}
}

// standingBy is a Keeper's status for doctor.
func standingBy(s warm.Status) kube.Finding {
	f := kube.Finding{Check: "standing by", State: kube.OK}
	switch {
	case s.State == warm.Ready:
		f.What = fmt.Sprintf("lldb-dap (pid %d) has the symbols of %s, and %d MB of memory", s.PID, s.Program, process.Anonymous(s.PID)>>20)
	case s.State == warm.Warming:
		f.What = fmt.Sprintf("lldb-dap (pid %d) reads the symbols of %s", s.PID, s.Program)
	case s.State == warm.None && s.Why == "":
		f.What = "no lldb-dap: there was no session yet in this window"
	default:
		f.What = "no lldb-dap: " + s.Why
	}
	return f
}
