package race

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// readyTime bounds the start of a fake agent.
const readyTime = 10 * time.Second

// monotonic is the clock that the fake agent and these programs share, in
// nanoseconds.
func monotonic() int64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t)
	return t.Nano()
}

// buildFakeAgent compiles fakeagent.c into dir and returns the program's path.
func buildFakeAgent(root, dir string) (string, error) {
	program := filepath.Join(dir, "fakeagent")
	cmd := exec.Command("cc", "-O1", "-Wall", "-Werror", "-o", program, filepath.Join(root, "test/bench/race/fakeagent/fakeagent.c"))
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("fakeagent.c: %w\n%s", err, out)
	}
	return program, nil
}

// line is the two pipes to one fake agent.
type line struct {
	trigger, report *os.File
}

// newLine makes the pipes in dir. The agent is started with Command.
func newLine(dir string) (*line, error) {
	l := &line{}
	for name, file := range map[string]**os.File{"trigger": &l.trigger, "report": &l.report} {
		path := filepath.Join(dir, name)
		if err := unix.Mkfifo(path, 0o600); err != nil {
			return nil, err
		}
		var err error
		// Opened for reading and writing, so that the open does not block.
		if *file, err = os.OpenFile(path, os.O_RDWR|syscall.O_NONBLOCK, 0); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func (l *line) command(program, envoy string) []string {
	return []string{program, "agent", l.trigger.Name(), l.report.Name(), envoy}
}

func (l *line) close() {
	_ = l.trigger.Close()
	_ = l.report.Close()
}

// ready waits until the agent's child is about to exec, and returns its process id,
// which Envoy will have.
func (l *line) ready() (int, error) {
	var b [4]byte
	_ = l.report.SetReadDeadline(time.Now().Add(readyTime))
	if _, err := io.ReadFull(l.report, b[:]); err != nil {
		return 0, fmt.Errorf("the fake agent is not ready: %w", err)
	}
	return int(binary.NativeEndian.Uint32(b[:])), nil
}

// exec makes the agent exec Envoy at that time of the monotonic clock.
func (l *line) exec(at int64) error {
	_, err := l.trigger.Write(binary.NativeEndian.AppendUint64(nil, uint64(at)))
	return err
}

// execTime waits for the agent's exec and returns its time.
func (l *line) execTime() (int64, error) {
	var b [8]byte
	_ = l.report.SetReadDeadline(time.Now().Add(readyTime))
	if _, err := io.ReadFull(l.report, b[:]); err != nil {
		return 0, fmt.Errorf("the fake agent has not come to its exec: %w", err)
	}
	return int64(binary.NativeEndian.Uint64(b[:])), nil
}

// crowd starts n idle processes; stop ends them and waits for their end.
func crowd(program string, n int) (stop func(), err error) {
	if n == 0 {
		return func() {}, nil
	}
	cmd := exec.Command(program, "crowd", strconv.Itoa(n))
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	if s, err := bufio.NewReader(out).ReadString('\n'); s != "ready\n" {
		return nil, errors.Join(errors.New("the crowd did not gather"), err)
	}
	return func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}, nil
}
