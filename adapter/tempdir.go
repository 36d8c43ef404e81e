package adapter

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// maxTempDir keeps the sockets below below the 107 bytes a unix address has.
const maxTempDir = 80

const (
	tempPattern = "envoydbg-"
	// tempLock is a file that the owner of a folder holds locked. The kernel
	// lets go of it when the owner is killed, and then the next session removes
	// the folder.
	tempLock = "adapter.lock"
)

// MakeTempDir makes a folder of mode 0700 for a session's sockets, and returns
// it with the function that removes it. Folders that killed adapters have left
// in the same place are removed, too.
func MakeTempDir() (dir string, remove func(), err error) {
	for _, parent := range []string{os.Getenv("XDG_RUNTIME_DIR"), os.TempDir(), "/tmp"} {
		if parent == "" || len(parent) > maxTempDir-len("/envoydbg-1234567890") {
			continue
		}
		sweep(parent)
		for range 3 { // see makeLocked
			if dir, remove, err = makeLocked(parent); err == nil {
				return dir, remove, nil
			}
		}
	}
	return "", nil, err
}

// makeLocked fails when another session, between the making of the lock and the
// locking, has taken the folder for one that nobody owns.
func makeLocked(parent string) (string, func(), error) {
	dir, err := os.MkdirTemp(parent, tempPattern)
	if err != nil {
		return "", nil, err
	}
	path := filepath.Join(dir, tempLock)
	lock, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			_, err = os.Stat(path)
		}
		if err != nil {
			_ = lock.Close()
		}
	}
	if err != nil {
		_ = os.RemoveAll(dir)
		return "", nil, err
	}
	return dir, func() { _ = os.RemoveAll(dir); _ = lock.Close() }, nil
}

// sweep removes the folders whose owners have been killed.
func sweep(parent string) {
	locks, _ := filepath.Glob(filepath.Join(parent, tempPattern+"*", tempLock))
	for _, path := range locks {
		lock, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			continue
		}
		err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			_ = os.RemoveAll(filepath.Dir(path))
		} else if !errors.Is(err, syscall.EWOULDBLOCK) {
			// No locks on this file system: nothing can be known.
			_ = lock.Close()
			return
		}
		_ = lock.Close()
	}
}
