package race

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/envoydbg/envoydbg/adapter/client"
	"github.com/envoydbg/envoydbg/internal/process"
	"github.com/envoydbg/envoydbg/test/support/platform"
)

// recipe is one run of what one would do by hand, without envoydbg: lldb-server
// platform, lldb-dap with waitFor and, once the console says "Waiting to attach", a
// pause before the agent is started.
func (l *lab) recipe(lldb int, pause time.Duration) (out outcome, err error) {
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
	defer func() { err = errors.Join(err, l.clear()) }()

	server, err := platform.Start(filepath.Join(l.lldb(lldb), "lldb-server"), dir, os.Environ(), readyTime)
	if err != nil {
		return out, err
	}
	defer server.End()
	agent := pipes.command(l.agent, l.envoy.path)
	if err := start(exec.Command(agent[0], agent[1:]...)); err != nil {
		return out, err
	}
	pid, err := pipes.ready()
	if err != nil {
		return out, err
	}

	dap := exec.Command(filepath.Join(l.lldb(lldb), "lldb-dap"))
	in, err := dap.StdinPipe()
	if err != nil {
		return out, err
	}
	output, w, err := os.Pipe()
	if err != nil {
		return out, err
	}
	defer output.Close()
	dap.Stdout = w
	err = start(dap)
	_ = w.Close()
	if err != nil {
		return out, err
	}
	c := client.New(output, in)
	defer c.Close()
	defer func() { err = withLog(err, c) }()

	ctx, cancel := context.WithTimeout(context.Background(), armTime)
	defer cancel()
	attach, err := open(ctx, c, map[string]any{
		"program": l.envoy.path, "waitFor": true, "stopOnEntry": true,
		"initCommands": server.Connect(),
	})
	if err != nil {
		return out, err
	}
	announced, err := c.Wait(ctx, 0, func(e client.Entry) bool {
		return e.Name == "output" && strings.Contains(e.Get("body.output").String(), "Waiting to attach")
	})
	if err != nil {
		return out, fmt.Errorf("lldb-dap does not say that it waits: %w", err)
	}
	line := onMonotonic(announced.Time)
	if err := pipes.exec(line + pause.Nanoseconds()); err != nil {
		return out, err
	}
	began, err := pipes.execTime()
	if err != nil {
		return out, err
	}
	out.lag = time.Duration(began - line)

	limited, cancelLimit := context.WithTimeout(ctx, missTime)
	defer cancelLimit()
	stop, err := firstStop(limited, c, attach)
	if err != nil && isTimeout(err) {
		return outcome{missed: true}, l.free(pid)
	}
	if err != nil {
		return out, err
	}
	out.toStop = time.Duration(onMonotonic(stop.Time) - began)
	out.progress, err = l.look(ctx, c, stop, pid)
	return out, err
}

// free checks that a process counted as missed is running and not traced.
func (l *lab) free(pid int) error {
	tracer, err := process.Tracer(pid)
	if err == nil && tracer != 0 {
		err = fmt.Errorf("no stop was seen, but process %d is traced by %d", pid, tracer)
	}
	return err
}

// start starts a child and waits for it in the background.
func start(cmd *exec.Cmd) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() { _ = cmd.Wait() }()
	return nil
}

// clear ends what a run by hand leaves: every process of this namespace that
// was not there before.
func (l *lab) clear() error {
	if os.Getppid() != 1 {
		return errors.New("not in a PID namespace of its own")
	}
	deadline := time.Now().Add(leaveTime)
	for {
		left, err := l.left(0)
		if err != nil || len(left) == 0 {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("processes %v cannot be ended", left)
		}
		for _, pid := range left {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		time.Sleep(time.Millisecond)
	}
}
