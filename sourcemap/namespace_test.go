package sourcemap

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/envoydbg/envoydbg/sourcemap/linetable"
)

// inside names the variable that is set in a test's own namespaces.
const inside = "ENVOYDBG_TEST_INSIDE"

// alone runs the rest of a test in a user and a mount namespace of its own, as
// root there: it returns true in that process, and false in the test itself,
// which then has the result.
func alone(t *testing.T) bool {
	t.Helper()
	if os.Getenv(inside) != "" {
		return true
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("%v\n%s", err, out)
	}
	return false
}

// asUser calls f without the capabilities by which root reads everything. It must
// stay on its thread.
func asUser(t *testing.T, f func()) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var before [2]unix.CapUserData
	if err := unix.Capget(&head, &before[0]); err != nil {
		t.Fatal(err)
	}
	less := before
	less[0].Effective &^= 1<<unix.CAP_DAC_OVERRIDE | 1<<unix.CAP_DAC_READ_SEARCH
	if err := unix.Capset(&head, &less[0]); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Capset(&head, &before[0]); err != nil {
			t.Fatal(err)
		}
	}()
	f()
}

// deadMount is a folder whose files never answer: the end of a network mount.
// bury wakes whoever waits for it.
func deadMount(t *testing.T) (dir string, bury func()) {
	t.Helper()
	dir = t.TempDir()
	fd, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatalf("/dev/fuse, which these tests need: %v", err)
	}
	if err := unix.Mount("dead", dir, "fuse", 0, fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0", fd)); err != nil {
		t.Fatalf("a mount of FUSE: %v", err)
	}
	return dir, func() {
		_ = unix.Close(fd)
		_ = unix.Unmount(dir, unix.MNT_DETACH)
	}
}

func TestLoadingLeavesADeadMount(t *testing.T) {
	if !alone(t) {
		return
	}
	dir, bury := deadMount(t)
	defer bury()
	tree := place(t, "ws/lib/a.cc")
	for what, cfg := range map[string]Config{
		"the program": {ELF: filepath.Join(dir, "envoy")},
		"the work tree": {ELF: filepath.Join(tree.WorkTree, "lib/a.cc"), WorkTree: dir,
			Table: &linetable.Table{Files: compiled(cwd + "a.cc")}},
		"a source": {ELF: filepath.Join(tree.WorkTree, "lib/a.cc"),
			Table: &linetable.Table{Files: compiled(filepath.Join(dir, "a.cc"))}},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		if m, err := Load(ctx, cfg); m != nil || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %+v, %v", what, m, err)
		}
		cancel()
	}
	// A name that an editor has opened there is taken as it is.
	x := build(t, compiled(cwd+"lib/a.cc"), Options{})
	if got := x.Debugger(filepath.Join(dir, "a.cc"), nil); got != nil {
		t.Errorf("%q", got)
	}
	// A program that moves there while it is watched.
	elf := filepath.Join(tree.WorkTree, "envoy")
	put(t, elf, "")
	m := load(t, Config{ELF: elf, WorkTree: tree.WorkTree, Table: &linetable.Table{}})
	if err := os.Remove(elf); err != nil {
		t.Fatal(err)
	}
	link(t, filepath.Join(dir, "envoy"), elf)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if err := m.Watch(ctx, func(*Map) { t.Error("a new map") }); err != nil {
		t.Errorf("the watch: %v", err)
	}
}

// The limits of inotify belong to a user namespace, so that a test can have its
// own.
func TestAWatchSaysThatItCannotWatch(t *testing.T) {
	if !alone(t) {
		return
	}
	tree := place(t, "ws/WORKSPACE", "ws/bin/envoy")
	m := load(t, Config{ELF: filepath.Join(tree.WorkTree, "bin/envoy"), Table: &linetable.Table{}})
	for _, c := range []struct {
		limit, value string
		want         error
	}{
		{"max_inotify_watches", "1", syscall.ENOSPC},
		{"max_inotify_instances", "0", syscall.EMFILE},
	} {
		name := filepath.Join("/proc/sys/user", c.limit)
		before, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(c.value), 0o644); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		if err := m.Watch(ctx, func(*Map) {}); !errors.Is(err, c.want) || !strings.Contains(err.Error(), "for rebuilds: ") {
			t.Errorf("%s: %v, want %v", c.limit, err, c.want)
		}
		cancel()
		if err := os.WriteFile(name, before, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
