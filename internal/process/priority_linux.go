package process

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// I/O classes of ioprio_set(2), which has no function in package unix.
const (
	ioprioWhoGroup   = 2
	ioprioClassShift = 13
	ioprioIdle       = 3 << ioprioClassShift
	ioprioNone       = 0 // as the processor's priority says
)

// lowest is how far a process gives way.
const lowest = 19

// mostLikely is what the kernel ends first when memory is used up.
const mostLikely = 1000

// Low lets the process group give way to all others, for good or until High: in reading and
// writing, when the kernel must end somebody, and in processor time. In processor time it
// does until High only where that can be taken back, which processor says: who may not raise
// a priority could not (setpriority(2)). It is for a child with a Group.
func (c *Child) Low(forGood bool) (processor bool) {
	processor = forGood || mayRaise()
	c.prefer(processor, lowest, ioprioIdle, mostLikely)
	return processor
}

// High takes Low back.
func (c *Child) High() { c.prefer(mayRaise(), niceOf(os.Getpid()), ioprioNone, ownScore()) }

// prefer sets what it can: all of it is a courtesy.
func (c *Child) prefer(processor bool, nice, io, score int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reaped || !c.group {
		return
	}
	if processor {
		// The group, because a process's number means its first thread alone.
		_ = unix.Setpriority(unix.PRIO_PGRP, c.PID(), nice)
	}
	_, _, _ = unix.Syscall(unix.SYS_IOPRIO_SET, ioprioWhoGroup, uintptr(c.PID()), uintptr(io))
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", c.PID()), []byte(strconv.Itoa(score)), 0o600)
}

// niceOf is the nice value of a thread; 0 is the one that asks.
func niceOf(thread int) int {
	p, err := unix.Getpriority(unix.PRIO_PROCESS, thread)
	if err != nil {
		return 0
	}
	return 20 - p // as the system call has it
}

// ownScore is this process's oom_score_adj.
func ownScore() int {
	b, err := os.ReadFile("/proc/self/oom_score_adj")
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	return n
}

// mayRaise finds out by trying whether this process may give a thread back the priority
// that it has lowered: by CAP_SYS_NICE or RLIMIT_NICE. The thread on which it is tried ends.
func mayRaise() bool {
	may := make(chan bool)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		was := niceOf(0)
		if was == lowest {
			may <- false
			return
		}
		err := unix.Setpriority(unix.PRIO_PROCESS, 0, was+1)
		if err == nil {
			err = unix.Setpriority(unix.PRIO_PROCESS, 0, was)
		}
		may <- err == nil
	}()
	return <-may
}
