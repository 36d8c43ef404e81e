package trace

import (
	"fmt"
	"io"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"github.com/envoydbg/envoydbg/adapter/gdbremote"
)

// Trace writes lines to one log with one clock. A nil *Trace writes nothing. Its
// methods may be called from any goroutine.
type Trace struct {
	start time.Time
	on    atomic.Bool // somebody wants lines, or may

	mu      sync.Mutex
	to      []io.Writer
	file    io.Closer // what Also has added
	early   []byte    // the lines until Also; nil from then on
	secrets *strings.Replacer
}

// maxEarly bounds what is kept until Also, in bytes.
const maxEarly = 256 << 10

// New returns a trace whose clock has begun at start, on w if that is not nil. Until Also
// is called it keeps its lines for another writer.
func New(w io.Writer, start time.Time) *Trace {
	t := &Trace{start: start, early: []byte{}}
	if w != nil {
		t.to = append(t.to, w)
	}
	t.on.Store(true)
	return t
}

// Also writes everything to w, too, from the first line on, or to nobody else if w is nil.
func (t *Trace) Also(w io.WriteCloser) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if w != nil {
		_, _ = w.Write(t.hide(t.early))
		t.to, t.file = append(t.to, w), w
	}
	t.early = nil
	t.on.Store(len(t.to) > 0)
}

// Close ends the trace, and closes what Also was given. Later lines are dropped.
func (t *Trace) Close() {
	t.on.Store(false)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.to, t.early = nil, nil; t.file != nil {
		_ = t.file.Close()
	}
}

// minSecret is the length from which a value is a secret: shorter ones, such as "true",
// are parts of other words.
const minSecret = 8

// Hide leaves values out of every line from here on.
func (t *Trace) Hide(values []string) {
	var pairs []string
	for _, v := range values {
		if len(v) < minSecret {
			continue
		}
		pairs = append(pairs, v, hidden)
		if q := strings.Trim(strconv.Quote(v), `"`); q != v { // as JSON has it, or nearly
			pairs = append(pairs, q, hidden)
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.secrets = strings.NewReplacer(pairs...)
}

const hidden = "…"

var bearer = regexp.MustCompile(`(?i)\b(bearer )[\w.~+/=-]+`)

// hide is called with the lock held.
func (t *Trace) hide(line []byte) []byte {
	line = bearer.ReplaceAll(line, []byte("${1}"+hidden))
	if t.secrets == nil {
		return line
	}
	return []byte(t.secrets.Replace(string(line)))
}

// wanted reports whether a line has a reader.
func (t *Trace) wanted() bool { return t != nil && t.on.Load() }

// Line writes what who has to say.
func (t *Trace) Line(who, format string, args ...any) {
	if !t.wanted() {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	line := t.hide(fmt.Appendf(nil, "%s %10.3f ms  %-18s %s\n", t.start.Format("15:04:05"),
		float64(time.Since(t.start).Microseconds())/1000, who, fmt.Sprintf(format, args...)))
	for _, w := range t.to {
		_, _ = w.Write(line)
	}
	if t.early != nil && len(t.early)+len(line) <= maxEarly {
		t.early = append(t.early, line...)
	}
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

// Message logs a DAP message without the values of environments and of kubectl's flags,
// which may hold credentials.
func (t *Trace) Message(who string, raw []byte) {
	if !t.wanted() {
		return
	}
	for _, env := range []string{"arguments.agent.env", "arguments.env"} {
		i := -1
		gjson.GetBytes(raw, env).ForEach(func(key, v gjson.Result) bool {
			name, value := Key(key.Str), hidden
			if i++; key.Type != gjson.String { // a list of NAME=VALUE
				variable, _, _ := strings.Cut(v.Str, "=")
				name, value = strconv.Itoa(i), variable+"="+hidden
			}
			if without, err := sjson.SetBytes(raw, env+"."+name, value); err == nil {
				raw = without
			}
			return true
		})
	}
	flags := gjson.GetBytes(raw, "arguments.kubectlFlags").Array()
	for i, flag := range flags {
		name, _, _ := strings.Cut(flag.Str, "=")
		if !strings.HasPrefix(name, "-") { // the value of the one before
			name = ""
		}
		if without, err := sjson.SetBytes(raw, "arguments.kubectlFlags."+strconv.Itoa(i), name+"="+hidden); err == nil {
			raw = without
		}
	}
	t.Line(who, "%s", Clip(raw))
}

// Packet logs a gdb-remote packet; acks are left out.
func (t *Trace) Packet(conn string, fromServer bool, f gdbremote.Frame) {
	if !t.wanted() || f.Kind == gdbremote.KindAck {
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
