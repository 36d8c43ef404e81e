package adapter

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"github.com/envoydbg/envoydbg/adapter/gdbremote"
)

// trace writes everything that passes to one log with one clock. A nil *trace
// writes nothing.
type trace struct {
	mu    sync.Mutex
	w     io.Writer
	start time.Time
}

// newTrace returns a trace on w, nil if w is nil.
func newTrace(w io.Writer) *trace {
	if w == nil {
		return nil
	}
	return &trace{w: w, start: time.Now()}
}

func (t *trace) line(who, format string, args ...any) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintf(t.w, "%s %10.3f ms  %-18s %s\n", t.start.Format("15:04:05"),
		float64(time.Since(t.start).Microseconds())/1000, who, fmt.Sprintf(format, args...))
}

// maxTraced bounds what one message or packet takes in the log, in bytes.
const maxTraced = 4096

// message logs a DAP message without the values of the agent's environment,
// which may hold credentials.
func (t *trace) message(who string, raw []byte) {
	if t == nil {
		return
	}
	gjson.GetBytes(raw, "arguments.agent.env").ForEach(func(key, _ gjson.Result) bool {
		if hidden, err := sjson.SetBytes(raw, "arguments.agent.env."+gjsonKey(key.Str), "…"); err == nil {
			raw = hidden
		}
		return true
	})
	t.line(who, "%s", clip(raw))
}

// packet logs a gdb-remote packet; acks are left out.
func (t *trace) packet(conn string, fromServer bool, f gdbremote.Frame) {
	if t == nil || f.Kind == gdbremote.KindAck {
		return
	}
	arrow := "→"
	if fromServer {
		arrow = "←"
	}
	t.line("gdb "+conn+" "+arrow, "%q", clip(f.Raw))
}

func clip(b []byte) []byte {
	if len(b) <= maxTraced {
		return b
	}
	return fmt.Appendf(append([]byte(nil), b[:maxTraced]...), " … (%d bytes)", len(b))
}

// gjsonKey escapes a key for use in a gjson path.
func gjsonKey(key string) string {
	out := make([]byte, 0, len(key))
	for i := range len(key) {
		switch key[i] {
		case '.', '*', '?', '|', '#', '@', '!', '{', '}', '[', ']', '(', ')', '=', '<', '>', '%', '\\', ':', '"':
			out = append(out, '\\')
		}
		out = append(out, key[i])
	}
	return string(out)
}
