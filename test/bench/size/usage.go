package size

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// usage follows what one process uses.
type usage struct {
	pid  int
	stop chan struct{}
	done chan int64 // the most anonymous memory, in bytes
}

// every is how often memory is looked at.
const every = 20 * time.Millisecond

func follow(pid int) *usage {
	u := &usage{pid: pid, stop: make(chan struct{}), done: make(chan int64, 1)}
	go func() {
		most := int64(0)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			most = max(most, anonymous(pid))
			select {
			case <-tick.C:
			case <-u.stop:
				u.done <- most
				return
			}
		}
	}()
	return u
}

// peak is the most anonymous memory, in bytes, until now. It ends the following.
func (u *usage) peak() int64 {
	close(u.stop)
	return <-u.done
}

// ticks is how many make a second in /proc (USER_HZ), on every machine that Linux runs on.
const ticks = 100

// cpu is the processor time that the process has used, in all its threads.
func (u *usage) cpu() (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", u.pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	user, err := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	return time.Duration(user+system) * time.Second / ticks, errors.Join(err, err2)
}

// anonymous is the resident anonymous memory of a process, in bytes; 0 if it has ended.
func anonymous(pid int) int64 {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	defer f.Close()
	for in := bufio.NewScanner(f); in.Scan(); {
		if rest, ok := strings.CutPrefix(in.Text(), "RssAnon:"); ok {
			kb, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kb << 10
		}
	}
	return 0
}
