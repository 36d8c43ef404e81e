package tempdir

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Sweep removes the folders in these places whose owners have been killed, as
// [Make] does.
func Sweep(places []string) {
	for _, place := range places {
		if place != "" {
			sweep(place)
		}
	}
}

// sweep removes the folders in a place whose owners have been killed. What it cannot
// look at it leaves.
func sweep(place string) {
	entries, _ := os.ReadDir(place)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix) && e.IsDir() {
			sweepOne(filepath.Join(place, e.Name()))
		}
	}
}

// young is how old a folder without a lock must be before it is removed: its owner
// may be about to make the lock.
const young = time.Minute

func sweepOne(path string) {
	mu.Lock()
	defer mu.Unlock()
	dir, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer unix.Close(dir)
	var st unix.Stat_t
	if err := unix.Fstat(dir, &st); err != nil || !ours(&st) || holders[idOf(&st)] != nil {
		return
	}
	lock, err := unix.Openat(dir, lockName, unix.O_RDWR|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) {
		if time.Since(time.Unix(st.Mtim.Unix())) > young {
			_ = unix.Rmdir(path) // does nothing to a folder that is in use
		}
		return
	}
	if err != nil {
		return
	}
	defer unix.Close(lock)
	var file unix.Stat_t
	if err := unix.Fstat(lock, &file); err != nil || !ours(&file) || file.Mode&unix.S_IFMT != unix.S_IFREG {
		return
	}
	if err := setLock(lock, unix.F_WRLCK); err != nil {
		return // an owner lives, or this file system knows no locks
	}
	// A name may have been given to another folder; Remove follows no links.
	var now unix.Stat_t
	if err := unix.Lstat(path, &now); err == nil && now.Dev == st.Dev && now.Ino == st.Ino {
		_ = Remove(path)
	}
}

// ours says whether this user owns a file and nobody else can write to it.
func ours(st *unix.Stat_t) bool { return int(st.Uid) == os.Geteuid() && st.Mode&0o022 == 0 }
