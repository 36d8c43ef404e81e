//go:build linux

package processtest

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// HoldExec makes every exec of the file at path hang, as on a dead network mount,
// until the returned function is called, or for /proc/sys/fs/lease-break-time
// (45 s). Nobody may have the file open.
func HoldExec(t testing.TB, path string) (release func()) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	// The kernel asks the holder of a lease to give it back before another may
	// open the file (fcntl(2)), by a signal that Go ignores: SIGURG.
	if _, err := unix.FcntlInt(f.Fd(), unix.F_SETSIG, int(unix.SIGURG)); err != nil {
		t.Fatal(os.NewSyscallError("F_SETSIG", err))
	}
	if _, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_WRLCK); err != nil {
		t.Fatal(os.NewSyscallError("F_SETLEASE", err))
	}
	// Not by closing f: the process that hangs in its exec holds f as well.
	return func() { _, _ = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_UNLCK) }
}
