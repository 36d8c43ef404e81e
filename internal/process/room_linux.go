package process

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Needs returns an error, an EAGAIN, when there is room for fewer than n more
// processes and threads.
func Needs(n int) error {
	if room, limit := Room(); room < n {
		return fmt.Errorf("%w: %d more processes and threads are needed, and there is room for %d (%s)", unix.EAGAIN, n, room, limit)
	}
	return nil
}

// Room is how many more processes and threads this process and those like it may
// start, and the limit that is the nearest, in words. It is an estimate: others come
// and go. Without a limit it is [math.MaxInt].
func Room() (left int, limit string) {
	left = math.MaxInt
	note := func(used, most int, what string) {
		if room := max(most-used, 0); room < left {
			left, limit = room, fmt.Sprintf("%s is %d, and %d are in use", what, most, used)
		}
	}
	var r unix.Rlimit
	// Of root the kernel does not ask it (CAP_SYS_RESOURCE, CAP_SYS_ADMIN).
	if err := unix.Getrlimit(unix.RLIMIT_NPROC, &r); err == nil && r.Cur < math.MaxInt32 && os.Getuid() != 0 {
		if used, err := threads(os.Getuid()); err == nil {
			note(used, int(r.Cur), "the user's limit, ulimit -u,")
		}
	}
	for _, dir := range cgroups("pids") {
		if used, most, ok := pids(dir); ok {
			note(used, most, dir+"/pids.max")
		}
	}
	return left, limit
}

// threads counts what the kernel counts for RLIMIT_NPROC, as far as /proc shows it.
func threads(uid int) (int, error) {
	all, err := All()
	n := 0
	for pid, p := range all {
		var st unix.Stat_t
		if unix.Stat("/proc/"+strconv.Itoa(pid), &st) == nil && int(st.Uid) == uid {
			n += p.Threads
		}
	}
	return n, err
}

// cgroups are the folders of this process's cgroup in which a controller ("pids") may set a
// limit, and of those above it (cgroups(7)).
func cgroups(controller string) []string {
	b, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil
	}
	var dirs []string
	for line := range strings.Lines(string(b)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3) // number, controllers, path
		if len(f) != 3 {
			continue
		}
		root := "/sys/fs/cgroup"
		if f[1] == controller {
			root += "/" + controller
		} else if f[1] != "" {
			continue
		}
		for path := filepath.Clean("/" + f[2]); ; path = filepath.Dir(path) {
			dirs = append(dirs, filepath.Join(root, path))
			if path == "/" {
				break
			}
		}
	}
	return dirs
}

func pids(dir string) (used, most int, ok bool) {
	for file, n := range map[string]*int{"pids.current": &used, "pids.max": &most} {
		b, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			return 0, 0, false
		}
		if *n, err = strconv.Atoi(strings.TrimSpace(string(b))); err != nil { // "max"
			return 0, 0, false
		}
	}
	return used, most, true
}
