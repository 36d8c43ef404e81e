package process

import (
	"errors"
	"os"
	"sync"
	"syscall"
)

// reserve is the descriptor that Reserve keeps back.
var reserve struct {
	sync.Mutex
	fd   int
	held bool
}

// Reserve keeps one descriptor back for the reading of /proc, until the process
// ends. Call it while there are descriptors left; again is no harm.
func Reserve() error {
	reserve.Lock()
	defer reserve.Unlock()
	return fillReserve()
}

// fillReserve is for who has locked reserve.
func fillReserve() error {
	if reserve.held {
		return nil
	}
	fd, err := syscall.Open(os.DevNull, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("open "+os.DevNull, err)
	}
	reserve.fd, reserve.held = fd, true
	return nil
}

// withDescriptor runs f, which uses one descriptor and gives it back. Where there
// is none left, f runs again in place of the reserve.
func withDescriptor(f func() error) error {
	err := f()
	if !errors.Is(err, syscall.EMFILE) && !errors.Is(err, syscall.ENFILE) {
		return err
	}
	reserve.Lock()
	defer reserve.Unlock()
	if !reserve.held {
		return err
	}
	_ = syscall.Close(reserve.fd)
	reserve.held = false
	err = f()
	_ = fillReserve() // fails when another goroutine was quicker; then again next time
	return err
}
