//go:build linux

package tempdir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/envoydbg/envoydbg/internal/process"
	"github.com/envoydbg/envoydbg/internal/process/processtest"
	"github.com/envoydbg/envoydbg/test/support/pidns"
)

// limit bounds every wait.
const limit = 10 * time.Second

// ownerVariable makes a copy of the test binary the owner of a folder in a place:
// it prints the folder, and lives until its stdin ends.
const ownerVariable = "ENVOYDBG_TEMPDIR_OWNER"

// hangVariable is a program that the owner starts before it says that it is ready.
const hangVariable = "ENVOYDBG_TEMPDIR_HANG"

func TestMain(m *testing.M) {
	if place := os.Getenv(ownerVariable); place != "" {
		play(place, os.Getenv(hangVariable))
		return
	}
	pidns.Main(m)
}

func play(place, hang string) {
	d, err := Make([]string{place}, Need{MaxPath: 200})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	if hang != "" {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		_, err := process.Start(ctx, process.Command{Path: hang, Args: []string{"1000"}})
		if !errors.Is(err, context.DeadlineExceeded) {
			fmt.Println("the exec does not hang:", err)
			os.Exit(1)
		}
	}
	fmt.Println(d.Path)
	_, _ = io.Copy(io.Discard, os.Stdin)
	_ = d.Remove()
}

// owner starts an owner and returns it with its folder.
func owner(t *testing.T, place string, env ...string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(append(os.Environ(), ownerVariable+"="+place), env...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe() // what hangs holds it as well, so that it has no end
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	if err := r.SetReadDeadline(time.Now().Add(limit)); err != nil {
		t.Fatal(err)
	}
	text := make([]byte, 4096)
	n, err := r.Read(text)
	path := strings.TrimSpace(string(text[:n]))
	if err != nil || !strings.HasPrefix(path, place) {
		t.Fatalf("the owner says %q, %v", path, err)
	}
	return cmd, path
}

func makeIt(t *testing.T, place string) *Dir {
	t.Helper()
	d, err := Make([]string{place}, Need{MaxPath: 200})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func exists(path string) bool { _, err := os.Lstat(path); return err == nil }

func TestAFolderIsPrivateAndGoes(t *testing.T) {
	d := makeIt(t, t.TempDir())
	if st, err := os.Stat(d.Path); err != nil || st.Mode() != os.ModeDir|0o700 {
		t.Errorf("%v, %v", st.Mode(), err)
	}
	if err := os.WriteFile(filepath.Join(d.Path, "file"), nil, 0o600); err != nil {
		t.Error(err)
	}
	if err := d.Remove(); err != nil || exists(d.Path) {
		t.Errorf("it is still there: %v", err)
	}
}

func TestWhoIsKilledIsSweptUpAfter(t *testing.T) {
	place := t.TempDir()
	alive, kept := owner(t, place)
	killed, left := owner(t, place)
	if err := os.WriteFile(filepath.Join(left, "gate"), make([]byte, 1000), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := killed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = killed.Wait()
	if !exists(left) {
		t.Fatal("nothing was left: nothing is tested")
	}
	own := makeIt(t, place)
	second := makeIt(t, place) // of the same process
	if exists(left) {
		t.Error("what the killed one has left is still there")
	}
	if !exists(kept) || !exists(own.Path) || !exists(second.Path) {
		t.Error("a folder was taken from its owner")
	}
	if err := errors.Join(own.Remove(), second.Remove()); err != nil {
		t.Error(err)
	}
	_ = alive
}

// The helper is two processes: the folder stays while one of them lives.
// A removal that is cut short leaves a folder that the next sweep removes: the lock,
// by which the sweep knows it, goes last. Here a mount point cuts it short.
func TestARemovalThatIsCutShortIsFinishedByTheSweep(t *testing.T) {
	place := t.TempDir()
	d, err := Make([]string{place}, Need{MaxPath: 200})
	if err != nil {
		t.Fatal(err)
	}
	busy := filepath.Join(d.Path, "zz", "busy") // behind the lock, as a folder is read
	if err := os.MkdirAll(busy, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", busy, "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	if err := d.Remove(); !errors.Is(err, unix.EBUSY) {
		t.Errorf("removed over a mount point: %v", err)
	}
	if err := unix.Unmount(busy, 0); err != nil {
		t.Fatal(err)
	}
	Sweep([]string{place})
	if left, err := os.ReadDir(place); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestAFolderMayHaveTwoOwners(t *testing.T) {
	place := t.TempDir()
	other, path := owner(t, place)
	release, err := Hold(path)
	if err != nil {
		t.Fatal(err)
	}
	_ = other.Process.Kill()
	_ = other.Wait()
	_, third := owner(t, place) // sweeps
	if !exists(path) {
		t.Fatal("the second owner's folder was removed")
	}
	again, err := Hold(path)
	if err != nil {
		t.Fatal(err)
	}
	again() // must not give back the lock of the first
	if _, _ = owner(t, place); !exists(path) {
		t.Fatal("the second owner's folder was removed")
	}
	release()
	if _, _ = owner(t, place); exists(path) {
		t.Error("nobody's folder is still there")
	}
	_ = third
	if release, err := Hold(filepath.Join(place, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that is not there is held: %v", err)
		release()
	}
}

// A program that hangs between fork and exec has all descriptors of its parent. The
// folder of a killed adapter is free all the same.
func TestALockIsNotInheritedByAFork(t *testing.T) {
	program := filepath.Join(t.TempDir(), "sleeper")
	b, err := os.ReadFile("/bin/sleep")
	if err == nil {
		err = os.WriteFile(program, b, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	release := processtest.HoldExec(t, program)
	defer release()
	place := t.TempDir()
	killed, path := owner(t, place, hangVariable+"="+program)
	_ = killed.Process.Kill()
	_ = killed.Wait()
	all, err := process.All()
	if err != nil {
		t.Fatal(err)
	}
	var hangs *process.Handle
	for _, p := range all {
		if fds, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", p.PID)); p.PID != os.Getpid() {
			for _, fd := range fds {
				if to, _ := os.Readlink(fd); to == filepath.Join(path, lockName) {
					if hangs, err = p.Open(); err != nil {
						t.Fatal(err)
					}
					defer hangs.Close()
				}
			}
		}
	}
	if hangs == nil {
		t.Fatal("nobody hangs with the lock open: nothing is tested")
	}
	defer func() { _ = hangs.Signal(syscall.SIGKILL) }()
	d := makeIt(t, place)
	defer d.Remove()
	if exists(path) {
		t.Error("the folder is still there")
	}
}

// Anybody can put something into /tmp that looks like a folder that was left.
func TestTheSweepFollowsNoLinkAndTouchesOnlyItsOwn(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("this test gives files to another user, which takes root")
	}
	const other = 4711
	for name, set := range map[string]func(t *testing.T, path, elsewhere string){
		"a link to a folder": func(t *testing.T, path, elsewhere string) {
			must(t, os.WriteFile(filepath.Join(elsewhere, lockName), nil, 0o600))
			must(t, os.Symlink(elsewhere, path))
		},
		"a lock that is a link": func(t *testing.T, path, elsewhere string) {
			must(t, os.Mkdir(path, 0o700))
			must(t, os.WriteFile(filepath.Join(elsewhere, "target"), nil, 0o600))
			must(t, os.Symlink(filepath.Join(elsewhere, "target"), filepath.Join(path, lockName)))
		},
		"a lock that is a pipe": func(t *testing.T, path, _ string) {
			must(t, os.Mkdir(path, 0o700))
			must(t, unix.Mkfifo(filepath.Join(path, lockName), 0o600))
		},
		"another user's folder": func(t *testing.T, path, _ string) {
			must(t, os.Mkdir(path, 0o700))
			must(t, os.WriteFile(filepath.Join(path, lockName), nil, 0o600))
			must(t, os.Chown(path, other, other))
		},
		"another user's lock": func(t *testing.T, path, _ string) {
			must(t, os.Mkdir(path, 0o700))
			must(t, os.WriteFile(filepath.Join(path, lockName), nil, 0o600))
			must(t, os.Chown(filepath.Join(path, lockName), other, other))
		},
		"a folder that others may write to": func(t *testing.T, path, _ string) {
			must(t, os.Mkdir(path, 0o700))
			must(t, os.WriteFile(filepath.Join(path, lockName), nil, 0o600))
			must(t, os.Chmod(path, 0o777))
		},
		"a file": func(t *testing.T, path, _ string) {
			must(t, os.WriteFile(path, nil, 0o600))
		},
		"a folder that is being made": func(t *testing.T, path, _ string) {
			must(t, os.Mkdir(path, 0o700))
		},
		"an old folder without a lock and with a file": func(t *testing.T, path, _ string) {
			must(t, os.Mkdir(path, 0o700))
			must(t, os.WriteFile(filepath.Join(path, "mine"), nil, 0o600))
			must(t, os.Chtimes(path, time.Time{}, time.Now().Add(-2*young)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			place, elsewhere := t.TempDir(), t.TempDir()
			path := filepath.Join(place, prefix+"1")
			set(t, path, elsewhere)
			before, err := os.ReadDir(elsewhere)
			must(t, err)
			d := makeIt(t, place)
			defer d.Remove()
			if !exists(path) {
				t.Error("it was removed")
			}
			if after, err := os.ReadDir(elsewhere); err != nil || len(after) != len(before) {
				t.Errorf("behind the link: %v, %v", after, err)
			}
		})
	}
	// The other way round, so that the above means something.
	for name, set := range map[string]func(t *testing.T, path string){
		"a folder with a lock that nobody holds": func(t *testing.T, path string) {
			must(t, os.WriteFile(filepath.Join(path, lockName), nil, 0o600))
			must(t, os.Symlink("/etc", filepath.Join(path, "link")))
		},
		"the helper's folder, which others may pass": func(t *testing.T, path string) {
			must(t, os.WriteFile(filepath.Join(path, lockName), nil, 0o600))
			must(t, os.Chmod(path, 0o711))
		},
		"an old and empty folder": func(t *testing.T, path string) {
			must(t, os.Chtimes(path, time.Time{}, time.Now().Add(-2*young)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			place := t.TempDir()
			path := filepath.Join(place, prefix+"1")
			must(t, os.Mkdir(path, 0o700))
			set(t, path)
			d := makeIt(t, place)
			defer d.Remove()
			if exists(path) {
				t.Error("it is still there")
			}
		})
	}
	if _, err := os.Stat("/etc/passwd"); err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// mount makes a small file system of its own for the test.
func mount(t *testing.T, flags uintptr, data string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("none", dir, "tmpfs", flags, data); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

// Each place is tried, and the error says of each what is wrong with it.
func TestThePlacesAreTriedInOrder(t *testing.T) {
	readOnly, noexec, good := mount(t, unix.MS_RDONLY, ""), mount(t, unix.MS_NOEXEC, ""), t.TempDir()
	full := mount(t, 0, "nr_inodes=1")
	long := filepath.Join(t.TempDir(), strings.Repeat("x", 150))
	must(t, os.Mkdir(long, 0o700))
	bad := []string{"", "/no/such/place", readOnly, full, long, "relative", noexec, noexec + "/"}
	_, err := Make(bad, Need{MaxPath: 107, Exec: true})
	var failed *Error
	if !errors.As(err, &failed) || failed.MaxPath != 107 {
		t.Fatal(err)
	}
	want := []string{"/no/such/place: no such file or directory", readOnly + ": read-only file system", full + ": no space left on device",
		long + ": the path has ", "relative: not an absolute path", noexec + ": mounted noexec"}
	if len(failed.Tried) != len(want) {
		t.Fatalf("tried %q", failed.Tried)
	}
	for i, line := range failed.Tried {
		if !strings.HasPrefix(line, want[i]) {
			t.Errorf("%q, want %q", line, want[i])
		}
	}
	if !errors.Is(err, syscall.ENOSPC) || !errors.Is(err, syscall.EROFS) {
		t.Errorf("the causes are lost: %v", err)
	}
	d, err := Make(append(bad, good), Need{MaxPath: 107, Exec: true})
	if err != nil || filepath.Dir(d.Path) != good || len(d.Path) > 107 {
		t.Fatalf("%+v, %v", d, err)
	}
	must(t, d.Remove())
	d, err = Make([]string{noexec, good}, Need{MaxPath: 107})
	if err != nil || filepath.Dir(d.Path) != noexec {
		t.Fatalf("%+v, %v", d, err)
	}
	must(t, d.Remove())
}

// Others may have put a folder of that name, or a link, into a place that is everybody's.
func TestOnlyThisUsersFoldersAreOwned(t *testing.T) {
	place := t.TempDir()
	want := filepath.Join(place, prefix+"1")
	for name, mode := range map[string]os.FileMode{prefix + "1": 0o700, prefix + "2": 0o750, "other": 0o700} {
		if err := os.Mkdir(filepath.Join(place, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(want, filepath.Join(place, prefix+"3")); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		if err := os.Mkdir(filepath.Join(place, prefix+"4"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(filepath.Join(place, prefix+"4"), 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	if got := Owned([]string{"", place, filepath.Join(place, "none"), place}); len(got) != 1 || got[0] != want {
		t.Errorf("%v, want %s", got, want)
	}
}
