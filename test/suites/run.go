package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// run runs the suite and shows its output.
func (s suite) run(ctx context.Context, verbose bool) result {
	started := time.Now()
	ctx, cancel := context.WithTimeoutCause(ctx, s.limit, fmt.Errorf("not done after %v", s.limit))
	defer cancel()

	reader, writer := io.Pipe()
	command := exec.CommandContext(ctx, s.command[0], s.command[1:]...)
	command.Stdout, command.Stderr = writer, writer
	// A group of its own, so that all of it can be ended.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGTERM) }
	command.WaitDelay = 10 * time.Second

	counter := s.count()
	read := make(chan error, 1)
	go func() { read <- show(reader, counter, verbose) }()
	err := command.Run()
	if ctx.Err() != nil && command.Process != nil {
		// What SIGTERM did not end. It fails when nothing is left.
		_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
	}
	writer.Close()
	err = errors.Join(context.Cause(ctx), err, <-read)

	r := result{tally: counter.total(), took: time.Since(started)}
	switch {
	case ctx.Err() != nil:
		r.problem = context.Cause(ctx).Error()
	case r.failed > 0:
	case r.skipped > 0:
		r.problem = fmt.Sprintf("%d skipped", r.skipped)
	case err != nil:
		r.problem = err.Error()
	case r.passed == 0:
		r.problem = "ran no test"
	}
	return r
}

// show passes each line to the counter and prints what it returns, or, when
// verbose, the line itself.
func show(output io.Reader, c counter, verbose bool) error {
	lines := bufio.NewReader(output)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			text := c.line(line)
			if verbose {
				text = line
			}
			fmt.Fprint(os.Stdout, text)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
