package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// run runs the suite in the checkout, shows its output on w, and counts what it
// reports in the folder reports.
func (s suite) run(ctx context.Context, w io.Writer, checkout, reports string) result {
	started := time.Now()
	t, cpu, err := s.attempt(ctx, w, checkout, filepath.Join(reports, s.name+".xml"))
	r := result{tally: t, took: time.Since(started), cpu: cpu}
	switch {
	case r.failed > 0 && errors.As(err, new(*exec.ExitError)):
		// The counts say it.
	case err != nil:
		r.problem = err.Error()
	case r.skipped > 0:
		r.problem = fmt.Sprintf("%d skipped", r.skipped)
	case r.passed+r.failed == 0:
		r.problem = "ran no test"
	}
	return r
}

// attempt removes an earlier report, runs the script, and reads the report.
func (s suite) attempt(ctx context.Context, w io.Writer, checkout, report string) (tally, time.Duration, error) {
	if err := os.MkdirAll(filepath.Dir(report), 0o755); err != nil {
		return tally{}, 0, err
	}
	if err := os.Remove(report); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return tally{}, 0, err
	}
	cpu, runErr := s.script.run(ctx, w, checkout, s.limit, "JUNIT="+report)
	if s.checks && runErr == nil {
		return tally{passed: 1}, cpu, nil
	}
	if s.checks {
		return tally{}, cpu, runErr
	}
	t, readErr := readJUnit(report)
	if runErr != nil {
		// A suite that was ended has no report; why it ended is what matters.
		return t, cpu, runErr
	}
	return t, cpu, readErr
}

// script is the text of a bash script.
type script string

// run returns an error when the script fails, or has not ended within limit. All
// processes of its process group are ended then. It returns the time of processors that
// they have used, too.
func (s script) run(ctx context.Context, w io.Writer, dir string, limit time.Duration, env ...string) (time.Duration, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not done after %v", limit))
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", string(s))
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = w, w
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	err := cmd.Run()
	var cpu time.Duration
	if cmd.ProcessState != nil {
		cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	if ctx.Err() == nil {
		return cpu, err
	}
	if cmd.Process != nil {
		// What SIGTERM did not end. It fails when nothing is left.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	return cpu, context.Cause(ctx)
}
