//go:build linux

package process

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fork starts a program without package os, which would want to wait for it.
func fork(t *testing.T, args ...string) int {
	t.Helper()
	path, err := exec.LookPath(args[0])
	if err != nil {
		t.Fatal(err)
	}
	pid, err := syscall.ForkExec(path, args, &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 1, 2}})
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// alone gives the test a process of its own: a Reaper takes the children of all.
const alone = "in a process of its own"

func TestTheReaperSeesEveryChildOnce(t *testing.T) {
	if !under(t, alone) {
		return
	}
	if !Childless() {
		t.Fatal("there are children already")
	}
	var r Reaper
	if pid, _, err := r.Next(); !errors.Is(err, syscall.ECHILD) {
		t.Errorf("without a child: %d, %v", pid, err)
	}
	want := map[int]int{}
	for code := range 5 {
		want[fork(t, "sh", "-c", "exit "+strconv.Itoa(code))] = code
	}
	for range 5 {
		pid, status, err := r.Next()
		code, ours := want[pid]
		if err != nil || !ours || !status.Exited() || status.ExitStatus() != code {
			t.Errorf("%d ended with %#x, %v", pid, status, err)
		}
		delete(want, pid)
	}
	if !Childless() {
		t.Error("there are children left")
	}
}

func TestOrphansComeToTheSubreaper(t *testing.T) {
	if !under(t, alone) {
		return
	}
	if err := Subreap(); err != nil {
		t.Fatal(err)
	}
	var r Reaper
	out, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	pid, err := syscall.ForkExec("/bin/sh", []string{"sh", "-c", "sleep 1000 & echo $!"},
		&syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, w.Fd(), 2}})
	if err != nil {
		t.Fatal(err)
	}
	text := make([]byte, 100)
	n, err := out.Read(text)
	orphan, err2 := strconv.Atoi(strings.TrimSpace(string(text[:n])))
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	if got, _, err := r.Next(); got != pid || err != nil {
		t.Fatalf("%d ended first, %v", got, err)
	}
	if Childless() {
		t.Error("the orphan is no child")
	}
	h, err := Open(orphan)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if err := r.Signal(h, syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if got, status, err := r.Next(); got != orphan || err != nil || status.Signal() != syscall.SIGTERM {
		t.Errorf("%d ended with %#x, %v", got, status, err)
	}
	if !Childless() {
		t.Error("there are children left")
	}
}

// Where there are no pidfds, a child must not be reaped between the look at its
// start time and the signal.
func TestNoChildIsReapedWhileItIsSignalled(t *testing.T) {
	if !under(t, pidfdsRefused) {
		return
	}
	var r Reaper
	pid := fork(t, "sleep", "1000")
	h, err := Open(pid)
	if err != nil {
		t.Fatal(err)
	}
	r.mu.Lock() // as in Signal, between the two
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	reaped := make(chan int, 1)
	go func() { pid, _, _ := r.Next(); reaped <- pid }()
	if !(Handles{h}).Wait(time.Now().Add(limit)) {
		t.Fatal("it does not end")
	}
	select {
	case pid := <-reaped:
		t.Errorf("%d was reaped", pid)
	case <-time.After(50 * time.Millisecond):
	}
	if _, err := Read(pid); err != nil {
		t.Errorf("its number is free: %v", err)
	}
	r.mu.Unlock()
	if got := <-reaped; got != pid {
		t.Errorf("%d was reaped, want %d", got, pid)
	}
	if err := r.Signal(h, syscall.SIGKILL); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("a signal after the end: %v", err)
	}
}
