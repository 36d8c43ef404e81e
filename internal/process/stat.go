package process

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Stat is what /proc/PID/stat says of a process (proc_pid_stat(5)). PID and Start
// together name the process for ever; PID alone is used again.
type Stat struct {
	PID     int
	State   byte // 'R', 'S', 'D', 'T', 't', 'Z', 'X', …
	Parent  int
	Group   int    // process group
	Session int    // the session in the kernel's sense, setsid(2)
	Threads int    // at least 1
	Start   uint64 // clock ticks after boot
}

// Dead says whether the process has ended: at most its entry is left, for its
// parent to reap. A process whose first thread alone has ended reads 'Z', too, and
// lives.
func (s Stat) Dead() bool { return s.State == 'X' || s.State == 'Z' && s.Threads <= 1 }

// HeldByDebugger says whether a tracer keeps the process stopped.
func (s Stat) HeldByDebugger() bool { return s.State == 't' }

// Is says whether both are the same process.
func (s Stat) Is(other Stat) bool { return s.PID == other.PID && s.Start == other.Start }

// Read reads the stat of a process. The error is [os.ErrProcessDone] when there is
// no process of that number (or /proc hides those of other users); any other error
// leaves it open.
func Read(pid int) (Stat, error) {
	b, err := readProc(pid, "stat")
	if err != nil {
		return Stat{}, err
	}
	return ParseStat(b)
}

// ParseStat reads the text of /proc/PID/stat or /proc/PID/task/TID/stat.
func ParseStat(b []byte) (Stat, error) {
	// The name may hold spaces and parentheses: the fields go on after the last ")".
	pid, _, _ := bytes.Cut(b, []byte(" "))
	end := bytes.LastIndexByte(b, ')')
	f := strings.Fields(string(b[end+1:]))
	// Field 3 of the manual page is f[0], and field 22, the start time, f[19].
	if end < 0 || len(f) < 20 || len(f[0]) != 1 {
		return Stat{}, fmt.Errorf("not the text of /proc/PID/stat: %q", b)
	}
	s := Stat{State: f[0][0]}
	for field, text := range map[*int]string{&s.PID: string(pid), &s.Parent: f[1], &s.Group: f[2], &s.Session: f[3], &s.Threads: f[17]} {
		n, err := strconv.Atoi(text)
		if err != nil {
			return Stat{}, fmt.Errorf("not the text of /proc/PID/stat: %w", err)
		}
		*field = n
	}
	var err error
	if s.Start, err = strconv.ParseUint(f[19], 10, 64); err != nil {
		return Stat{}, fmt.Errorf("not the text of /proc/PID/stat: %w", err)
	}
	return s, nil
}

// Status is the text of /proc/PID/status (proc_pid_status(5)).
type Status []byte

// ReadStatus reads the status of a process. The errors are those of [Read].
func ReadStatus(pid int) (Status, error) { return readProc(pid, "status") }

// Field is the value of a field, such as "VmRSS" ("5632 kB") or "Uid" (four numbers
// with tabs between them); empty when there is none of that name.
func (s Status) Field(name string) string {
	for rest := []byte(s); len(rest) > 0; {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\n"))
		if value, ok := bytes.CutPrefix(line, []byte(name)); ok && len(value) > 0 && value[0] == ':' {
			return string(bytes.TrimSpace(value[1:]))
		}
	}
	return ""
}

// Tracer is the PID of who traces the process, 0 for nobody.
func (s Status) Tracer() int {
	pid, _ := strconv.Atoi(s.Field("TracerPid"))
	return pid
}

// Tracer is the PID of who traces a process, 0 for nobody. The errors are those of
// [Read].
func Tracer(pid int) (int, error) {
	s, err := ReadStatus(pid)
	return s.Tracer(), err
}

// Table is all processes at about one time, by PID.
type Table map[int]Stat

// All reads all processes.
func All() (Table, error) {
	var names []string
	err := withDescriptor(func() error {
		d, err := os.Open("/proc")
		if err != nil {
			return err
		}
		defer d.Close()
		names, err = d.Readdirnames(-1)
		return err
	})
	if err != nil {
		return nil, err
	}
	t := Table{}
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		switch s, err := Read(pid); {
		case err == nil:
			t[pid] = s
		case !errors.Is(err, os.ErrProcessDone):
			return nil, err
		}
	}
	return t, nil
}

// Top is the ancestor of pid (or pid itself) that is a child of root; 0 when pid
// does not descend from root.
func (t Table) Top(root, pid int) int {
	for range t { // a torn table could hold a cycle
		s, ok := t[pid]
		switch {
		case !ok || pid == root:
			return 0
		case s.Parent == root:
			return pid
		}
		pid = s.Parent
	}
	return 0
}

// readProc reads a file of /proc/PID.
func readProc(pid int, name string) (b []byte, err error) {
	path := "/proc/" + strconv.Itoa(pid) + "/" + name
	err = withDescriptor(func() error {
		b, err = os.ReadFile(path)
		return err
	})
	// A process that ends while its file is open makes the read fail with ESRCH.
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return nil, os.ErrProcessDone
	}
	return b, err
}
