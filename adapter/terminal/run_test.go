package terminal

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter"
	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/local"
	"github.com/envoydbg/envoydbg/adapter/startup"
)

// options are for a session that has no lldb-dap.
func options(t *testing.T, out io.Writer) Options {
	t.Helper()
	return Options{Session: adapter.Options{LLDBDap: "/nonexistent/lldb-dap", Target: func(*config.Config) startup.Target { return local.Target{} }, TempDir: t.TempDir()},
		Attributes: map[string]any{"target": "local", "agent": map[string]any{"command": []string{"true"}}}, Script: []string{"bt"}, Output: out}
}

func TestASessionThatCannotBeginIsShownAndEnded(t *testing.T) {
	var out bytes.Buffer
	if err := Run(options(t, &out)); !errors.Is(err, ErrFailed) {
		t.Errorf("ended with %v", err)
	}
	if !strings.Contains(out.String(), "[ED1101]") {
		t.Errorf("shown:\n%s", &out)
	}
}

func TestAWrongBreakpointIsAnErrorBeforeAnythingStarts(t *testing.T) {
	for _, spec := range []string{"", "server.cc:0"} {
		opts := options(t, io.Discard)
		opts.Breaks = []string{spec}
		var f *fault.Fault
		if err := Run(opts); !errors.As(err, &f) || f.Code != 1010 || !strings.Contains(f.Error(), "--break") {
			t.Errorf("--break %q: %v", spec, err)
		}
	}
}

// Nobody reads what the run prints, and it is to end all the same.
func TestASignalEndsARunWhoseOutputIsNotRead(t *testing.T) {
	nobody, out := io.Pipe()
	defer nobody.Close()
	opts := options(t, out)
	signals := make(chan os.Signal, 1)
	opts.Interrupt = signals
	ended := make(chan error, 1)
	go func() { ended <- Run(opts) }()
	// The loop stands in its first write when one byte of it has come.
	if _, err := nobody.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	signals <- syscall.SIGTERM
	select {
	case err := <-ended:
		var interrupted Interrupted
		if !errors.As(err, &interrupted) || interrupted.Signal != syscall.SIGTERM {
			t.Errorf("ended with %v", err)
		}
	case <-time.After(endTime + 2*time.Second):
		t.Error("the run has not ended")
	}
}

// stuckSession neither runs nor ends.
type stuckSession struct{}

func (stuckSession) Run() error { select {} }
func (stuckSession) Shutdown()  { select {} }

// That a session does not end is an error after its time, whoever has asked for
// the end.
func TestASessionThatDoesNotEndIsLeft(t *testing.T) {
	for _, name := range []string{"a signal", "the end of the input"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in, keyboard := io.Pipe()
			signals := make(chan os.Signal, 1)
			opts := Options{Input: in, Live: true, Output: io.Discard, Interrupt: signals, Attributes: map[string]any{}}
			ended := make(chan error, 1)
			go func() {
				ended <- drive(opts, breakpoints{}, func(io.Reader, io.Writer) session { return stuckSession{} })
			}()
			if name == "a signal" {
				signals <- syscall.SIGTERM
			} else {
				_ = keyboard.Close()
			}
			select {
			case err := <-ended:
				var f *fault.Fault
				if !errors.As(err, &f) || f.Code != fault.EndTooLong(endTime).Code {
					t.Errorf("ended with %v", err)
				}
			case <-time.After(limit):
				t.Error("the run has not ended")
			}
		})
	}
}
