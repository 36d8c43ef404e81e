package race

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/envoydbg/envoydbg/adapter"
	"github.com/envoydbg/envoydbg/adapter/client"
	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/local"
	"github.com/envoydbg/envoydbg/adapter/startup"
)

// neverCame are the faults with which a session reports that it missed Envoy.
var neverCame = []int{fault.TargetNeverAppeared("", 0).Code, fault.GateTimeout(0, "").Code}

// session is what a product run is asked for.
type session struct {
	gate bool
	// The agent execs Envoy so long after the attach packet, or before the session
	// comes to it.
	after  time.Duration
	before bool
	stopAt stopAt
}

// stopAt is where the session is to stop Envoy.
type stopAt int

const (
	atEntry stopAt = iota // where the debugger has caught it
	atMain                // in main, by the preset
)

// product is one run of a whole session: client, adapter, helper, relay,
// lldb-dap, lldb-server. Only the agent is a fake. Packets go through the helper, as
// they do when Envoy runs on another machine.
func (l *lab) product(lldb int, want session) (out outcome, err error) {
	dir, err := l.scratch()
	if err != nil {
		return out, err
	}
	defer os.RemoveAll(dir)
	pipes, err := newLine(dir)
	if err != nil {
		return out, err
	}
	defer pipes.close()
	sockets, remove, err := adapter.MakeTempDir()
	if err != nil {
		return out, err
	}
	defer remove()

	command := pipes.command(l.agent, l.envoy.path)
	timeout := 2 * missTime
	target := &early{Target: local.Target{HelperDir: l.dir}, line: pipes, after: want.after, before: want.before,
		agent: helper.AgentStartParams{Command: command, EnvoyPath: l.envoy.path, Gate: want.gate, GateTimeout: timeout.Milliseconds()}}
	fromClient, toAdapter := io.Pipe()
	fromAdapter, toClient := io.Pipe()
	var trace bytes.Buffer
	session := adapter.NewSession(fromClient, toClient, adapter.Options{LLDBDap: filepath.Join(l.lldb(lldb), "lldb-dap"),
		Target: func(*config.Config) startup.Target { return target }, TempDir: sockets, Log: &trace})
	ended := make(chan error, 1)
	go func() { ended <- session.Run() }()
	c := client.New(fromAdapter, toAdapter)
	defer func() {
		// The client leaves as an editor does, and then nothing may be left.
		ctx, cancel := context.WithTimeout(context.Background(), leaveTime)
		defer cancel()
		callErr := c.Call(ctx, "disconnect", nil, nil)
		_ = toAdapter.Close()
		runErr := <-ended
		c.Close()
		left, leftErr := l.left(leaveTime)
		if len(left) > 0 {
			leftErr = errors.Join(leftErr, fmt.Errorf("processes %v are left", left))
		}
		if err = errors.Join(err, callErr, runErr, leftErr); err != nil {
			err = fmt.Errorf("%w\n%s\n%s", err, c.Dump(), trace.Bytes())
		}
	}()

	ctx, cancel := context.WithTimeout(context.Background(), armTime+2*timeout)
	defer cancel()
	attributes := map[string]any{
		"target": "local", "program": l.envoy.path, "envoyPath": l.envoy.path, "gate": want.gate, "stopOnEntry": want.stopAt == atEntry,
		"startTimeout": timeout.Seconds(), "agent": map[string]any{"command": command},
	}
	if want.stopAt == atMain {
		attributes["breakpointPresets"] = []string{"main"}
	}
	attach, err := open(ctx, c, attributes)
	if err != nil {
		return out, err
	}
	stop, err := firstStop(ctx, c, attach)
	pid, packet, triggerErr := target.outcome()
	if triggerErr != nil {
		return out, triggerErr
	}
	if err != nil {
		// The product reports it itself; it counts only if the agent did exec.
		if stop.Message == nil || !slices.Contains(neverCame, int(stop.Get("body.error.id").Int())) {
			return out, err
		}
		_, err = pipes.execTime()
		return outcome{missed: true}, err
	}
	exec, err := pipes.execTime()
	if err != nil {
		return out, err
	}
	out.lag, out.toStop = time.Duration(exec-packet), time.Duration(onMonotonic(stop.Time)-exec)
	late := strconv.Itoa(fault.PastMain(0).Code)
	out.late = slices.ContainsFunc(c.Log(), func(e client.Entry) bool {
		return e.Name == "output" && strings.Contains(e.Get("body.output").String(), "[ED"+late+"]")
	})
	out.progress, err = l.look(ctx, c, stop, pid)
	return out, err
}
