//go:build linux

package server

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// proc is one line of /proc/PID/stat. PID and start together name a process
// for ever; PID alone is reused.
type proc struct {
	pid, ppid, pgrp, sid int
	state                byte
	start                uint64 // clock ticks after boot
}

func (p proc) dead() bool { return p.state == 'Z' || p.state == 'X' }

func readProc(pid int) (proc, bool) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return proc{}, false
	}
	// The name may hold spaces and parentheses: fields begin after the last ")".
	i := bytes.LastIndexByte(b, ')')
	if i < 0 {
		return proc{}, false
	}
	f := strings.Fields(string(b[i+1:]))
	if len(f) < 20 || f[0] == "" {
		return proc{}, false
	}
	num := func(i int) int { n, _ := strconv.Atoi(f[i]); return n }
	start, _ := strconv.ParseUint(f[19], 10, 64)
	return proc{pid: pid, state: f[0][0], ppid: num(1), pgrp: num(2), sid: num(3), start: start}, true
}

// table is all processes at about one time, by PID.
type table map[int]proc

func processes() table {
	t := table{}
	d, err := os.Open("/proc")
	if err != nil {
		return t
	}
	defer d.Close()
	names, _ := d.Readdirnames(-1)
	for _, n := range names {
		pid, err := strconv.Atoi(n)
		if err != nil {
			continue
		}
		if p, ok := readProc(pid); ok {
			t[pid] = p
		}
	}
	return t
}

// top is the ancestor of pid (or pid itself) that is a child of root; 0 when
// pid does not descend from root.
func (t table) top(root, pid int) int {
	for n := 0; n < len(t); n++ { // a torn table could hold a cycle
		p, ok := t[pid]
		switch {
		case !ok || pid == root:
			return 0
		case p.ppid == root:
			return pid
		}
		pid = p.ppid
	}
	return 0
}

// exe is the path of the program a process runs, without the kernel's mark of a
// removed file; empty when it has ended or must not be read.
func exe(pid int) string {
	s, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/exe")
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(s, " (deleted)")
}

// runs says whether a process runs the file that path names.
func runs(pid int, file os.FileInfo) bool {
	st, err := os.Stat("/proc/" + strconv.Itoa(pid) + "/exe")
	return err == nil && os.SameFile(st, file)
}

// byExeName finds processes by the base name of their program.
func byExeName(base string) []int {
	var pids []int
	for pid := range processes() {
		if e := exe(pid); e != "" && filepath.Base(e) == base {
			pids = append(pids, pid)
		}
	}
	return pids
}

func tracerOf(pid int) int {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), "\nTracerPid:\t")
	line, _, _ := strings.Cut(rest, "\n")
	n, _ := strconv.Atoi(line)
	return n
}

// handle holds on to one process: signals through it never reach a later
// process of the same PID. Needs Linux 5.3.
type handle struct {
	proc
	fd int
}

// open returns a handle to p, or false when p has ended.
func open(p proc) (handle, bool) {
	fd, err := unix.PidfdOpen(p.pid, 0)
	if err != nil {
		return handle{}, false
	}
	if now, ok := readProc(p.pid); !ok || now.start != p.start || now.dead() {
		unix.Close(fd)
		return handle{}, false
	}
	return handle{p, fd}, true
}

// handles are closed by the one who opened them.
type handles []handle

func (hs handles) close() {
	for _, h := range hs {
		unix.Close(h.fd)
	}
}

func (hs handles) signal(sig unix.Signal) {
	for _, h := range hs {
		_ = unix.PidfdSendSignal(h.fd, sig, nil, 0) // ESRCH: it has ended, as wanted
	}
}

// wait returns when all have ended or at the deadline, and says which.
func (hs handles) wait(deadline time.Time) bool {
	fds := make([]unix.PollFd, len(hs))
	for i, h := range hs {
		fds[i] = unix.PollFd{Fd: int32(h.fd), Events: unix.POLLIN}
	}
	for {
		left := 0
		for i := range fds {
			if fds[i].Revents != 0 {
				fds[i].Fd = -1 // poll skips it
				fds[i].Revents = 0
			}
			if fds[i].Fd >= 0 {
				left++
			}
		}
		ms := time.Until(deadline).Milliseconds()
		if left == 0 || ms <= 0 {
			return left == 0
		}
		if _, err := unix.Poll(fds, int(ms)+1); err != nil && err != unix.EINTR {
			return false
		}
	}
}
