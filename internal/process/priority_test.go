//go:build linux

package process

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// preference is what a process gives way by.
func preference(t *testing.T, pid int) (nice, io, score int) {
	t.Helper()
	p, err := unix.Getpriority(unix.PRIO_PROCESS, pid)
	if err != nil {
		t.Fatal(err)
	}
	class, _, errno := unix.Syscall(unix.SYS_IOPRIO_GET, 1, uintptr(pid), 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/oom_score_adj", pid))
	if err != nil {
		t.Fatal(err)
	}
	if score, err = strconv.Atoi(strings.TrimSpace(string(b))); err != nil {
		t.Fatal(err)
	}
	return 20 - p, int(class) >> ioprioClassShift, score
}

// A group gives way with all that is in it, and what it starts later does, too.
func TestAGroupGivesWayUntilItIsNeeded(t *testing.T) {
	c := shell(t, Command{Group: true}, `sleep 1000 & echo $!; read line; sleep 1000 & echo $!; read line`)
	out := bufio.NewReader(c.Stdout)
	nice, io, score := preference(t, c.PID())
	first := number(t, out)
	want := nice
	if c.Low(false) {
		want = lowest
	}
	if _, err := c.Stdin.Write([]byte("go\n")); err != nil {
		t.Fatal(err)
	}
	for _, pid := range []int{c.PID(), first, number(t, out)} {
		n, i, _ := preference(t, pid)
		if n != want || i != ioprioIdle>>ioprioClassShift {
			t.Errorf("process %d: nice %d, I/O class %d", pid, n, i)
		}
	}
	if _, _, s := preference(t, c.PID()); s != mostLikely {
		t.Errorf("oom_score_adj is %d", s)
	}
	c.High()
	for _, pid := range []int{c.PID(), first} {
		if n, i, _ := preference(t, pid); n != nice || i != io {
			t.Errorf("process %d, later: nice %d, I/O class %d", pid, n, i)
		}
	}
	if _, _, s := preference(t, c.PID()); s != score {
		t.Errorf("oom_score_adj stays %d", s)
	}
}

// Who may not raise a priority lowers none that is to be raised again.
func TestAPriorityIsLoweredOnlyWhereItCanBeRaised(t *testing.T) {
	may := os.Getuid() == 0
	if may {
		asNobody(t)
		return
	}
	c := shell(t, Command{Group: true}, `echo; read line`)
	line(t, bufio.NewReader(c.Stdout))
	nice, _, _ := preference(t, c.PID())
	low := c.Low(false)
	if n, _, _ := preference(t, c.PID()); low != (n == lowest) || !low && n != nice {
		t.Errorf("low %t, nice %d", low, n)
	}
	c.High()
	if n, _, _ := preference(t, c.PID()); n != nice {
		t.Errorf("later: nice %d", n)
	}
	if !c.Low(true) {
		t.Error("for good it can be lowered by everybody")
	}
	if n, _, _ := preference(t, c.PID()); n != lowest {
		t.Errorf("for good: nice %d", n)
	}
}

// asNobody runs the test once more as a user without rights.
func asNobody(t *testing.T) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("/tmp", "nobody-")
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "test"), b, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	p, err := os.StartProcess(filepath.Join(dir, "test"), []string{"test", "-test.run=^" + t.Name() + "$"}, &os.ProcAttr{
		Dir: "/", Env: append(os.Environ(), roleVariable+"=nobody"), Files: []*os.File{nil, os.Stdout, os.Stderr},
		Sys: &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}})
	if err != nil {
		t.Fatal(err)
	}
	if state, err := p.Wait(); err != nil || !state.Success() {
		t.Errorf("as nobody: %v, %v", state, err)
	}
}

func TestWhetherMemoryIsShort(t *testing.T) {
	if why := MemoryShort(1); why != "" {
		t.Logf("it is now: %s", why)
	}
	if why := MemoryShort(1 << 60); !strings.Contains(why, "MB may be needed") {
		t.Errorf("for an exabyte: %q", why)
	}
	file := filepath.Join(t.TempDir(), "memory")
	for text, want := range map[string]float64{
		"some avg10=12.50 avg60=1.00 avg300=0.20 total=1\nfull avg10=99.00 avg60=0.00 avg300=0.00 total=0\n": 12.5,
		"some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n":                                                   0,
		"full avg10=9.00\n": -1,
		"some avg10=x ":     -1,
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, ok := pressure(file); ok != (want >= 0) || ok && got != want {
			t.Errorf("%q: %v, %v", text, got, ok)
		}
	}
	if Anonymous(os.Getpid()) < 1<<20 {
		t.Errorf("this process has %d bytes", Anonymous(os.Getpid()))
	}
}
