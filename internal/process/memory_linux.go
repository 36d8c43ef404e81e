package process

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// stalled is the share of time, in percent of the last ten seconds, that processes wait for
// memory where it is short: a machine with enough of it never comes near.
const stalled = 5

// MemoryShort says why memory is short for somebody who has need bytes or wants them; ""
// where it is not, or where the kernel tells nothing.
func MemoryShort(need int64) string {
	if share, ok := pressure("/proc/pressure/memory"); ok && share >= stalled {
		return fmt.Sprintf("processes have waited for memory %.0f %% of the last ten seconds (/proc/pressure/memory)", share)
	}
	if left, of := memoryLeft(); left < need {
		return fmt.Sprintf("%d MB of memory are left (%s), and %d MB may be needed", left>>20, of, need>>20)
	}
	return ""
}

// Anonymous is how many bytes of memory a process has for itself; 0 for one that has ended.
func Anonymous(pid int) int64 {
	b, _ := readProc(pid, "status")
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			kB, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kB << 10
		}
	}
	return 0
}

// pressure reads "some avg10=0.00 avg60=…".
func pressure(file string) (percent float64, ok bool) {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0, false
	}
	_, rest, found := strings.Cut(string(b), "some avg10=")
	number, _, _ := strings.Cut(rest, " ")
	percent, err = strconv.ParseFloat(number, 64)
	return percent, found && err == nil
}

// memoryLeft is how many bytes this machine, or the nearest limit of a cgroup, leaves.
func memoryLeft() (left int64, of string) {
	left = math.MaxInt64
	if b, err := os.ReadFile("/proc/meminfo"); err == nil {
		if _, rest, ok := strings.Cut(string(b), "MemAvailable:"); ok {
			if kB, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64); err == nil {
				left, of = kB<<10, "of the machine's"
			}
		}
	}
	for _, dir := range cgroups("memory") {
		used, err := strconv.ParseInt(word(dir, "memory.current", "memory.usage_in_bytes"), 10, 64)
		most, err2 := strconv.ParseInt(word(dir, "memory.max", "memory.limit_in_bytes"), 10, 64)
		if err != nil || err2 != nil { // "max"
			continue
		}
		// What the kernel keeps of files counts as used, and is given back.
		if free := most - used + inactive(dir); free < left {
			left, of = free, "of those of "+dir
		}
	}
	return left, of
}

// word is what is in the first of the files that there is.
func word(dir string, files ...string) string {
	for _, file := range files {
		if b, err := os.ReadFile(filepath.Join(dir, file)); err == nil {
			return strings.TrimSpace(string(b))
		}
	}
	return ""
}

// inactive is how many bytes of a cgroup's memory are of files that nobody has read lately.
func inactive(dir string) int64 {
	for line := range strings.Lines(word(dir, "memory.stat")) {
		if number, ok := strings.CutPrefix(line, "inactive_file "); ok {
			n, _ := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
			return n
		}
	}
	return 0
}
