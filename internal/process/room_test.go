//go:build linux

package process

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// The limit of a user counts threads, and does not bind root.
func TestTheRoomForProcesses(t *testing.T) {
	if os.Getenv("ROOM") != "" {
		room, limit := Room()
		fmt.Printf("%d %s\n%v\n%v\n", room, limit, Needs(10), Needs(1000))
		os.Exit(0)
	}
	if os.Getuid() != 0 {
		t.Fatal("this test runs a program as another user, which takes root")
	}
	const user = 47114711
	run := func(limit string, env ...string) string {
		t.Helper()
		exe, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		// The limit is set behind the exec, which would fail for it.
		cmd := exec.Command("prlimit", "--nproc="+limit, "--", exe, "-test.run=^TestTheRoomForProcesses$")
		cmd.Env = append(append(os.Environ(), roleVariable+"=room", "ROOM=1", "GOMAXPROCS=1"), env...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user},
			AmbientCaps: []uintptr{unix.CAP_DAC_READ_SEARCH}} // the test binary is root's
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}
	var room int
	out := run("100")
	if _, err := fmt.Sscan(out, &room); err != nil || room >= 100 || room < 50 {
		t.Errorf("room for %d of 100\n%s", room, out)
	}
	if !strings.Contains(out, "ulimit -u, is 100, and") || !strings.Contains(out, "\n<nil>\nresource temporarily unavailable: 1000 more processes and threads are needed") {
		t.Errorf("%s", out)
	}
	if room, limit := Room(); room < 1000 {
		t.Errorf("root has room for %d (%s)", room, limit)
	}
	if err := Needs(math.MaxInt); err != nil && !errors.Is(err, syscall.EAGAIN) {
		t.Error(err)
	}
}

func TestTheCgroupsThatMayLimit(t *testing.T) {
	for _, dir := range cgroups("pids") {
		if !strings.HasPrefix(dir, "/sys/fs/cgroup") {
			t.Errorf("%s", dir)
		}
	}
	if len(cgroups("pids")) == 0 {
		t.Error("none")
	}
}
