package tempdir

import (
	"errors"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"
)

// lockName is the file whose lock the owners of a folder hold.
const lockName = "lock"

// holder is this process's ownership of a folder.
type holder struct {
	file *os.File // the lock
	id   fileID   // of the folder
	uses int
}

// mu guards holders, and keeps the sweep away from a folder that is being made: a
// process's own locks do not stand in its own way, and closing any descriptor of
// the file would give them back (fcntl(2)).
var mu sync.Mutex

// holders are the folders of this process.
var holders = map[fileID]*holder{}

type fileID struct{ dev, ino uint64 }

func idOf(st *unix.Stat_t) fileID { return fileID{uint64(st.Dev), st.Ino} }

// errTaken says that a sweep has taken the folder for one that nobody owns.
var errTaken = errors.New("the folder was taken for one that nobody owns")

// hold makes or opens the lock of a folder and shares it: owners do not exclude each
// other, only the sweep. It is for who has locked mu.
func hold(path string) (*holder, error) {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return nil, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	id := idOf(&st)
	if h := holders[id]; h != nil {
		h.uses++
		return h, nil
	}
	name := filepath.Join(path, lockName)
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	err = setLock(int(f.Fd()), unix.F_RDLCK)
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EACCES):
		err = errTaken
	case err != nil:
		err = &os.PathError{Op: "lock", Path: name, Err: err}
	default:
		if _, missing := os.Lstat(name); missing != nil {
			err = errTaken
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	h := &holder{f, id, 1}
	holders[id] = h
	return h, nil
}

func (h *holder) release() {
	mu.Lock()
	defer mu.Unlock()
	if h.uses--; h.uses == 0 {
		delete(holders, h.id)
		_ = h.file.Close()
	}
}

// setLock sets a lock of the kind that belongs to the process.
func setLock(fd int, kind int16) error {
	return unix.FcntlFlock(uintptr(fd), unix.F_SETLK, &unix.Flock_t{Type: kind})
}
