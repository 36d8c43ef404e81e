package local

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// orphanTime bounds the end of what a dead helper has left behind.
const orphanTime = 2 * time.Second

// orphans finds what a helper on this machine has started when the helper
// itself can no longer tell. The helper starts each program in a session (in
// the kernel's sense) of its own; a session's number is the PID of its leader
// and not given to another process while a member lives.
type orphans struct {
	leaders map[int]string // the session's number → its leader's start time
	dir     string         // the helper's folder
}

// add notes the session that the process pid leads, or else belongs to.
func (o *orphans) add(pid int) {
	p, ok := readStat(pid)
	if ok && p.session != pid {
		p, ok = readStat(p.session)
	}
	if !ok {
		return // ended already, and the helper knows
	}
	if o.leaders == nil {
		o.leaders = map[int]string{}
	}
	o.leaders[p.pid] = p.start
}

// end kills every member of the sessions, and removes the folder.
func (o *orphans) end() {
	for deadline := time.Now().Add(orphanTime); ; time.Sleep(10 * time.Millisecond) {
		members := o.members()
		for _, m := range members {
			// The handle comes first, and what it is on is looked at again.
			if handle, err := os.FindProcess(m.pid); err == nil {
				if now, ok := readStat(m.pid); ok && now.start == m.start {
					_ = handle.Kill()
				}
				_ = handle.Release()
			}
		}
		if len(members) == 0 || time.Now().After(deadline) {
			break
		}
	}
	if o.dir != "" {
		_ = os.RemoveAll(o.dir)
	}
}

func (o *orphans) members() []stat {
	var out []stat
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		p, ok := readStat(pid)
		if !ok {
			continue
		}
		start, known := o.leaders[p.session]
		if !known {
			continue
		}
		// A leader that is there must be the one that was noted.
		if leader, ok := readStat(p.session); ok && leader.start != start {
			continue
		}
		out = append(out, p)
	}
	return out
}

// stat is what /proc/PID/stat says of a living process.
type stat struct {
	pid, session int
	start        string // clock ticks since boot
}

func readStat(pid int) (stat, bool) {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	end := bytes.LastIndexByte(b, ')') // the name before it may hold anything
	if err != nil || end < 0 {
		return stat{}, false
	}
	f := strings.Fields(string(b[end+1:])) // from field 3 (state) on
	if len(f) < 20 || f[0] == "Z" || f[0] == "X" {
		return stat{}, false
	}
	session, err := strconv.Atoi(f[3])
	return stat{pid, session, f[19]}, err == nil
}
