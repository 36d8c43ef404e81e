package pidns

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"testing"
)

// stageVariable tells a copy of the test binary which stage it is.
const stageVariable = "ENVOYDBG_PIDNS_STAGE"

const (
	stageInit = "init"
	stageTest = "test"
)

// Main runs the tests of m in their own namespaces and exits with their result.
// TestMain should do nothing else. setUp is called inside, before the first test;
// the functions that it returns are called after the last one.
func Main(m *testing.M, setUp ...func() (tearDown func())) {
	switch os.Getenv(stageVariable) {
	case stageInit:
		os.Exit(report(runInit()))
	case stageTest:
		if err := os.Unsetenv(stageVariable); err != nil {
			os.Exit(report(0, err))
		}
		os.Exit(runTests(m, setUp))
	default:
		os.Exit(report(runOutside()))
	}
}

func runTests(m *testing.M, setUp []func() func()) int {
	for _, f := range setUp {
		if tearDown := f(); tearDown != nil {
			defer tearDown()
		}
	}
	return m.Run()
}

// report turns an error of the namespaces, not of the tests, into a message and an
// exit code.
func report(code int, err error) int {
	if err != nil {
		fmt.Fprintln(os.Stderr, "pidns:", err)
		return 1
	}
	return code
}

// runOutside starts init in new namespaces and waits for it.
func runOutside() (int, error) {
	// Init is killed when the thread that started it ends.
	runtime.LockOSThread()
	executable, err := os.Executable()
	if err != nil {
		return 0, err
	}
	attributes := &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET,
		Pdeathsig:  syscall.SIGKILL,
	}
	if os.Geteuid() != 0 {
		attributes.Cloneflags |= syscall.CLONE_NEWUSER
		attributes.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		attributes.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	pid1 := &exec.Cmd{
		Path:        executable,
		Args:        os.Args,
		Env:         append(os.Environ(), stageVariable+"="+stageInit),
		Stdin:       os.Stdin,
		Stdout:      os.Stdout,
		Stderr:      os.Stderr,
		SysProcAttr: attributes,
	}
	signals := notify()
	if err := pid1.Start(); err != nil {
		return 0, fmt.Errorf("these tests need a PID namespace of their own: %w", err)
	}
	forward(signals, pid1.Process.Pid)
	if err := pid1.Wait(); pid1.ProcessState == nil {
		return 0, err
	}
	return exitCode(pid1.ProcessState.Sys().(syscall.WaitStatus)), nil
}

// runInit is PID 1 inside.
func runInit() (int, error) {
	signals := notify()
	if err := mountProc(); err != nil {
		return 0, err
	}
	if err := LoopbackUp(); err != nil {
		return 0, err
	}
	executable, err := os.Executable()
	if err != nil {
		return 0, err
	}
	if err := os.Setenv(stageVariable, stageTest); err != nil {
		return 0, err
	}
	// Not with package os, which would wait only for this child.
	child, err := syscall.ForkExec(executable, os.Args, &syscall.ProcAttr{
		Env:   os.Environ(),
		Files: []uintptr{0, 1, 2},
	})
	if err != nil {
		return 0, fmt.Errorf("start of the tests: %w", err)
	}
	forward(signals, child)
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return 0, fmt.Errorf("wait: %w", err)
		case pid == child:
			return exitCode(status), nil
		}
	}
}

// exitCode is the exit code that a shell would report: 128 plus the signal's number
// when a signal ended the process.
func exitCode(status syscall.WaitStatus) int {
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}

// notify receives the signals that ask a test run to end. PID 1 gets only signals
// that it handles.
func notify() <-chan os.Signal {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM)
	return signals
}

// forward passes these signals on to pid until this process exits.
func forward(signals <-chan os.Signal, pid int) {
	go func() {
		for s := range signals {
			// It fails only when pid has ended, and then so does this process.
			_ = syscall.Kill(pid, s.(syscall.Signal))
		}
	}()
}
