package race

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/envoydbg/envoydbg/adapter/client"
)

// Bounds of a run.
const (
	// missTime after its exec, an Envoy that nobody holds counts as missed: a
	// scan of the process list takes the debug server 15 ms at most here.
	missTime = 1500 * time.Millisecond
	// armTime bounds everything up to the attach packet.
	armTime = 20 * time.Second
	// leaveTime bounds the end of a run.
	leaveTime = 10 * time.Second
)

// outcome is what one run showed.
type outcome struct {
	// missed: Envoy ran on with no debugger.
	missed bool
	progress
	// late: the session has told that it came too late for main (ED1410).
	late bool
	// lag is the exec's distance from the packet (or the console line), toStop
	// that of the first stop at the client from the exec.
	lag, toStop time.Duration
}

// lab is where the runs happen: one PID namespace, with what all runs need.
type lab struct {
	root  string // of the checkout
	dir   string // scratch
	agent string // the fake agent's program
	envoy binaryFile
	// others are the processes that belong to no run.
	others map[int]bool
	runs   int
}

// newLab builds the fake agent and makes two copies: of the sample with its symbols,
// under the name envoy, so that the recipe works with it as well; and of the helper,
// which may be rebuilt during the runs.
func newLab(root, dir string) (*lab, error) {
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, err
	}
	l := &lab{root: root, dir: dir}
	helper := "envoydbg-helper-linux-" + runtime.GOARCH
	for from, to := range map[string]string{"bin/sample/envoy.debug": "envoy", "bin/" + helper: helper} {
		b, err := os.ReadFile(filepath.Join(root, from))
		if err != nil {
			return nil, fmt.Errorf("it is made by make setup build: %w", err)
		}
		if err := os.WriteFile(filepath.Join(dir, to), b, 0o700); err != nil {
			return nil, err
		}
	}
	if l.envoy, err = readBinary(filepath.Join(dir, "envoy")); err != nil {
		return nil, err
	}
	l.agent, err = buildFakeAgent(root, dir)
	return l, err
}

// gather replaces the further processes by n new ones, until stop.
func (l *lab) gather(n int) (stop func(), err error) {
	if stop, err = crowd(l.agent, n); err != nil {
		return nil, err
	}
	l.others, err = processes()
	return stop, err
}

// scratch makes a folder for one run.
func (l *lab) scratch() (string, error) {
	l.runs++
	dir := filepath.Join(l.dir, fmt.Sprint(l.runs))
	return dir, os.Mkdir(dir, 0o700)
}

// left waits until no process of a run is left, and returns those that are still
// there after the bound.
func (l *lab) left(bound time.Duration) ([]int, error) {
	for deadline := time.Now().Add(bound); ; time.Sleep(time.Millisecond) {
		now, err := processes()
		if err != nil {
			return nil, err
		}
		var left []int
		for pid := range now {
			if !l.others[pid] {
				left = append(left, pid)
			}
		}
		if len(left) == 0 || time.Now().After(deadline) {
			return left, nil
		}
	}
}

// lldb is the folder with the programs of that version.
func (l *lab) lldb(version int) string {
	return filepath.Join(l.root, "bin/tools", fmt.Sprintf("lldb-%d", version), "bin")
}

// clock ties Go's clock to the monotonic one.
var clock = struct {
	at   time.Time
	mono int64
}{time.Now(), monotonic()}

func onMonotonic(t time.Time) int64 { return clock.mono + t.Sub(clock.at).Nanoseconds() }

// open sends what a client sends before anything can stop, and returns the
// number of the attach request.
func open(ctx context.Context, c *client.Client, attach map[string]any) (int64, error) {
	if err := c.Call(ctx, "initialize", map[string]any{"adapterID": "envoy", "linesStartAt1": true, "columnsStartAt1": true,
		"pathFormat": "path"}, nil); err != nil {
		return 0, fmt.Errorf("initialize: %w", err)
	}
	seq, err := c.Send("attach", attach)
	if err != nil {
		return 0, err
	}
	// Sent on the event initialized, whatever else happens then.
	go func() {
		if _, err := c.Event(ctx, 0, "initialized"); err == nil {
			_, _ = c.Send("configurationDone", nil)
		}
	}()
	return seq, nil
}

// firstStop waits for the first stop, or for the refusal of the attach.
func firstStop(ctx context.Context, c *client.Client, attach int64) (client.Entry, error) {
	e, err := c.Wait(ctx, 0, func(e client.Entry) bool {
		return !e.Sent && (e.Name == "stopped" || e.Name == "terminated" || e.RequestSeq == attach && !e.Success)
	})
	if err != nil {
		return e, err
	}
	if e.Name != "stopped" {
		text := e.Get("body.error.format").String() + e.Get("message").String()
		return e, fmt.Errorf("no stop but %s %s", e.Name, text)
	}
	return e, nil
}

// look completes the outcome of a run in which Envoy is held: where it is stopped,
// according to the kernel, and what is on its stack, according to LLDB.
func (l *lab) look(ctx context.Context, c *client.Client, stop client.Entry, pid int) (progress, error) {
	p, err := l.envoy.inspect(pid)
	if err != nil {
		return p, err
	}
	var stack struct {
		StackFrames []struct {
			Name string `json:"name"`
			PC   string `json:"instructionPointerReference"`
		} `json:"stackFrames"`
	}
	if err := c.Call(ctx, "stackTrace", map[string]any{"threadId": json.RawMessage(stop.Get("body.threadId").Raw)}, &stack); err != nil {
		return p, fmt.Errorf("stackTrace: %w", err)
	}
	for _, f := range stack.StackFrames {
		name, _, _ := strings.Cut(f.Name, "(")
		if name == "main" || strings.HasPrefix(name, "Envoy::MainCommon::") {
			p.began = true
		}
	}
	// Without libc6-dbg LLDB invents callers of the loader's first instruction; the
	// top frame itself is right.
	if len(stack.StackFrames) == 0 || !strings.EqualFold(stack.StackFrames[0].PC, fmt.Sprintf("0x%X", p.pc)) || p.first && p.began {
		return p, fmt.Errorf("the kernel says %#x, at the first instruction: %v; LLDB the stack %+v", p.pc, p.first, stack.StackFrames)
	}
	return p, nil
}

// withLog adds the messages of the session to an error.
func withLog(err error, c *client.Client) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w\n%s", err, c.Dump())
}

// isTimeout says whether a bounded wait has run out of time.
func isTimeout(err error) bool { return errors.Is(err, context.DeadlineExceeded) }
