//go:build linux

package process

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

func TestTheTextOfStat(t *testing.T) {
	// A real one, whose name was set to what confuses a reader.
	const text = "4711 (a) R 1 (b c) S 17 4700 4699 34816 4711 4194560 113 0 0 0 0 0 0 0 20 0 3 0 8573 2703360 221 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
	got, err := ParseStat([]byte(text))
	if want := (Stat{PID: 4711, State: 'S', Parent: 17, Group: 4700, Session: 4699, Threads: 3, Start: 8573}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for _, bad := range []string{"", "4711", "4711 (a) S 1 2 3", strings.Replace(text, "8573", "-1", 1), strings.Replace(text, " 17 ", " x ", 1),
		strings.Replace(text, "4711", "", 1)} {
		if s, err := ParseStat([]byte(bad)); err == nil {
			t.Errorf("%q was read as %+v", bad, s)
		}
	}
}

func TestWhatIsDead(t *testing.T) {
	for _, c := range []struct {
		state   byte
		threads int
		dead    bool
	}{{'R', 1, false}, {'t', 1, false}, {'Z', 1, true}, {'Z', 0, true}, {'X', 0, true},
		{'Z', 4, false}} { // the first thread has ended, three go on
		if got := (Stat{State: c.state, Threads: c.threads}).Dead(); got != c.dead {
			t.Errorf("state %c with %d threads: dead %t", c.state, c.threads, got)
		}
	}
}

func TestReadTellsWhatIsThere(t *testing.T) {
	self, err := Read(os.Getpid())
	if err != nil || self.PID != os.Getpid() || self.Parent != os.Getppid() || self.Dead() || self.Start == 0 {
		t.Errorf("this process: %+v, %v", self, err)
	}
	cmd := exec.Command("true")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := waitExit(cmd.Process.Pid); err != nil {
		t.Fatal(err)
	}
	if s, err := Read(cmd.Process.Pid); err != nil || !s.Dead() || s.Parent != os.Getpid() {
		t.Errorf("a process that is not reaped: %+v, %v", s, err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if s, err := Read(cmd.Process.Pid); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("a process that was reaped: %+v, %v", s, err)
	}
}

func TestTheFieldsOfStatus(t *testing.T) {
	status := Status("Name:\tTracerPid:\t9\nTracerPid:\t4711\nUid:\t1\t2\t3\t4\nVmRSS:\t    5632 kB\nSeccomp_filters:\t3\nSeccomp:\t2\nx")
	for name, want := range map[string]string{"TracerPid": "4711", "Uid": "1\t2\t3\t4", "VmRSS": "5632 kB", "Seccomp": "2", "Vm": "", "x": "", "": ""} {
		if got := status.Field(name); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
	if got := status.Tracer(); got != 4711 {
		t.Errorf("the tracer is %d", got)
	}
	if got := Status(nil).Tracer(); got != 0 {
		t.Errorf("the tracer of nothing is %d", got)
	}
	if got, err := Tracer(os.Getpid()); got != 0 || err != nil {
		t.Errorf("this process: %d, %v", got, err)
	}
	if s, err := ReadStatus(os.Getpid()); err != nil || s.Field("Pid") != strconv.Itoa(os.Getpid()) {
		t.Errorf("this process: %s, %v", s, err)
	}
}

func TestTheTable(t *testing.T) {
	table := Table{1: {PID: 1}, 2: {PID: 2, Parent: 1}, 3: {PID: 3, Parent: 2}, 4: {PID: 4, Parent: 3}, 5: {PID: 5, Parent: 1},
		8: {PID: 8, Parent: 9}, 9: {PID: 9, Parent: 8}} // a torn one
	for pid, want := range map[int]int{4: 3, 3: 3, 2: 0, 5: 0, 1: 0, 7: 0, 8: 0} {
		if got := table.Top(2, pid); got != want {
			t.Errorf("the ancestor of %d below 2 is %d, want %d", pid, got, want)
		}
	}
	child := sleeper(t).Process.Pid
	all, err := All()
	if err != nil || all[child].Parent != os.Getpid() || all.Top(os.Getpid(), child) != child {
		t.Errorf("%+v, %v", all, err)
	}
}

// Who can open no file at all still finds what runs, with the descriptor that was
// kept back, and without it is not told that nothing does.
func TestProcessesAreFoundWithoutADescriptorLeft(t *testing.T) {
	if !under(t, noDescriptor) {
		return
	}
	child := sleeper(t).Process.Pid
	for _, reserved := range []bool{false, true} {
		if reserved {
			if err := Reserve(); err != nil {
				t.Fatal(err)
			}
		}
		release := exhaust(t)
		for range 3 { // the reserve comes back
			s, err := Read(child)
			if all, errAll := All(); reserved && (err != nil || errAll != nil || !all[child].Is(s) || s.PID != child) {
				t.Errorf("with the reserve: %+v, %v, %v", s, err, errAll)
			} else if !reserved && (err == nil || errAll == nil || errors.Is(err, os.ErrProcessDone)) {
				t.Errorf("without it: %+v, %v, %v", s, err, errAll)
			}
		}
		release()
	}
}
