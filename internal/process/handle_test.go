//go:build linux

package process

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/internal/process/processtest"
)

func exhaust(t *testing.T) func() {
	t.Helper()
	release, err := processtest.Exhaust()
	if err != nil {
		t.Fatal(err)
	}
	return release
}

// What is signalled through a handle, and waited for, ends: with pidfds and wherever
// there are none.
func TestAHandleWatchesAndEndsAProcess(t *testing.T) {
	inner := under(t, pidfdsRefused, pidfdsUnknown, noDescriptor)
	cmd, other := sleeper(t), sleeper(t)
	if err := Reserve(); err != nil {
		t.Fatal(err)
	}
	if inner && !refused() {
		defer exhaust(t)()
	}
	h, err := Open(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if (h.fd < 0) != inner {
		t.Errorf("the pidfd is %d", h.fd)
	}
	o, err := Open(other.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	hs := Handles{h, o}
	if h.Ended() || hs.Wait(time.Now().Add(20*time.Millisecond)) {
		t.Fatal("a living process is said to have ended")
	}
	if err := h.Signal(0); err != nil {
		t.Errorf("may it be signalled: %v", err)
	}
	if err := h.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if !hs[:1].Wait(time.Now().Add(limit)) || !h.Ended() {
		t.Fatal("it was killed and has not ended")
	}
	if o.Ended() || hs.Wait(time.Now()) {
		t.Error("the other one is said to have ended")
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.String() != "signal: killed" {
		t.Errorf("it ended with %v", cmd.ProcessState)
	}
	if err := h.Signal(syscall.SIGKILL); !errors.Is(err, os.ErrProcessDone) || !h.Ended() {
		t.Errorf("a signal after the end: %v", err)
	}
	if h, err := Open(cmd.Process.Pid); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("opened after the end: %+v, %v", h, err)
	}
}

// The number of an ended process is given to the next one. A handle on the ended
// one must not reach it.
func TestAHandleIsNotFooledByAReusedNumber(t *testing.T) {
	under(t, pidfdsRefused)
	cmd := exec.Command("sleep", "600")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	h, err := Open(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	old := h.Stat
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	time.Sleep(20 * time.Millisecond) // another clock tick

	reused := startAs(t, old.PID)
	defer func() {
		_ = reused.Process.Kill()
		_ = reused.Wait()
	}()
	if now, err := Read(old.PID); err != nil || now.Is(old) {
		t.Fatalf("the new process %+v, %v; the old one %+v", now, err, old)
	}
	if !h.Ended() {
		t.Error("the new process is taken for the old one")
	}
	if err := h.Signal(syscall.SIGKILL); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("signal: %v", err)
	}
	if h, err := old.Open(); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("opened by an old stat: %+v, %v", h, err)
	}
	if err := reused.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("the new process: %v", err)
	}
}

// startAs starts a process with the number pid, which is free.
func startAs(t *testing.T, pid int) *exec.Cmd {
	t.Helper()
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); {
		// The next process gets the number after this one (proc_sys_kernel(5)).
		if err := os.WriteFile("/proc/sys/kernel/ns_last_pid", []byte(strconv.Itoa(pid-1)), 0); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("sleep", "600")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if cmd.Process.Pid == pid {
			return cmd
		}
		_ = cmd.Process.Kill() // a thread has got the number, or another process
		_ = cmd.Wait()
	}
	t.Fatalf("no process got the number %d within %s", pid, limit)
	return nil
}
