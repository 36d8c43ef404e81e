//go:build !linux

package process

import (
	"syscall"
	"time"
)

func pidfdOpen(int) (int, error) { return -1, syscall.ENOSYS }

func pidfdSignal(int, syscall.Signal) error { return syscall.ENOSYS }

func pidfdPoll([]int, time.Duration) ([]bool, error) { return nil, syscall.ENOSYS }
