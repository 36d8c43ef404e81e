package trace

import (
	"fmt"
	"io"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"github.com/envoydbg/envoydbg/adapter/gdbremote"
)

// Trace writes lines to one log with one clock. A nil *Trace writes nothing. Its
// methods may be called from any goroutine.
type Trace struct {
	mu    sync.Mutex
	w     io.Writer
	start time.Time
}

// New returns a trace on w whose clock has begun at start, nil if w is nil.
func New(w io.Writer, start time.Time) *Trace {
	if w == nil {
		return nil
	}
	return &Trace{w: w, start: start}
}

// Line writes what who has to say.
func (t *Trace) Line(who, format string, args ...any) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintf(t.w, "%s %10.3f ms  %-18s %s\n", t.start.Format("15:04:05"),
		float64(time.Since(t.start).Microseconds())/1000, who, fmt.Sprintf(format, args...))
}

// Recover writes a panic, with its stack, and ends it. It is for a defer where
// one failing step must not take the others with it.
func (t *Trace) Recover(what string) {
	if p := recover(); p != nil {
		t.Panic(what, p)
	}
}

// Panic writes what a recovered panic was, with its stack. It is called on the
// goroutine and within the deferred function that has recovered it.
func (t *Trace) Panic(what string, p any) {
	t.Line("panic", "in %s: %v\n%s", what, p, debug.Stack())
}

// maxTraced bounds what one message or packet takes in the log, in bytes.
const maxTraced = 4096

// Message logs a DAP message without the values of the agent's environment and of
// kubectl's flags, which may hold credentials.
func (t *Trace) Message(who string, raw []byte) {
	if t == nil {
		return
	}
	gjson.GetBytes(raw, "arguments.agent.env").ForEach(func(key, _ gjson.Result) bool {
		if hidden, err := sjson.SetBytes(raw, "arguments.agent.env."+Key(key.Str), "…"); err == nil {
			raw = hidden
		}
		return true
	})
	flags := gjson.GetBytes(raw, "arguments.kubectlFlags").Array()
	for i, flag := range flags {
		name, _, _ := strings.Cut(flag.Str, "=")
		if !strings.HasPrefix(name, "-") { // the value of the one before
			name = ""
		}
		if hidden, err := sjson.SetBytes(raw, "arguments.kubectlFlags."+strconv.Itoa(i), name+"=…"); err == nil {
			raw = hidden
		}
	}
	t.Line(who, "%s", Clip(raw))
}

// Packet logs a gdb-remote packet; acks are left out.
func (t *Trace) Packet(conn string, fromServer bool, f gdbremote.Frame) {
	if t == nil || f.Kind == gdbremote.KindAck {
		return
	}
	arrow := "→"
	if fromServer {
		arrow = "←"
	}
	t.Line("gdb "+conn+" "+arrow, "%q", Clip(f.Raw))
}

// Clip shortens what is logged to some KiB.
func Clip(b []byte) []byte {
	if len(b) <= maxTraced {
		return b
	}
	return fmt.Appendf(append([]byte(nil), b[:maxTraced]...), " … (%d bytes)", len(b))
}

// Key escapes a key for use in a gjson path.
func Key(key string) string {
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
