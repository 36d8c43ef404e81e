//go:build linux

package gate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// poll is how often the gate looks whether it is traced. There is no event to
// wait for: a process is not told that someone attached to it.
const poll = time.Millisecond

// A debugger that resumes only one thread on purpose must not hold up Envoy for
// ever, hence the bound.
const (
	resumePoll  = 100 * time.Microsecond
	resumeBound = time.Second
)

// self is the gate this process is; zero when it is none.
var self = identify()

func init() {
	if self.step != none {
		runtime.LockOSThread() // to the main thread: see doc.go
		debug.SetGCPercent(-1)
	}
}

// Main returns at once unless this process was started as a gate; then it never
// returns. Call it first in main.
func Main() {
	switch self.step {
	case first:
		os.Exit(self.becomeQuiet())
	case second:
		os.Exit(self.wait())
	}
}

type step int

const (
	none step = iota
	first
	second
)

// identity is what the name of a gate's executable tells.
type identity struct {
	step step
	exe  string // its path
	dir  string // the session's folder
	base string // the name to wait under
}

func identify() identity {
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return identity{}
	}
	id := identity{exe: exe, dir: filepath.Dir(exe)}
	name := filepath.Base(exe)
	if rest, ok := strings.CutPrefix(name, firstPrefix); ok {
		id.step, id.base = first, rest
	} else if rest, ok := strings.CutPrefix(name, secondPrefix); ok {
		id.step = second
		id.base, _, _ = strings.Cut(rest, ".")
	} else {
		return identity{}
	}
	if _, err := os.Lstat(id.params()); err != nil {
		return identity{}
	}
	return id
}

func (id identity) params() string { return filepath.Join(id.dir, id.base+paramsSuffix) }

// becomeQuiet execs the second step, from a link of its own that it can rename.
func (id identity) becomeQuiet() int {
	next := filepath.Join(id.dir, secondPrefix+id.base+"."+strconv.Itoa(os.Getpid()))
	err := os.Remove(next) // of an earlier process with this PID
	if err == nil || errors.Is(err, os.ErrNotExist) {
		err = os.Link(id.exe, next)
	}
	if err == nil {
		err = syscall.Exec(next, os.Args, quiet(os.Environ()))
	}
	say("it could not take its place in %s: %v", id.dir, err)
	return ExitFailed
}

// wait ends in Envoy, or with an exit code.
func (id identity) wait() int {
	b, err := os.ReadFile(id.params())
	var p Params
	if err == nil {
		err = json.Unmarshal(b, &p)
	}
	if err != nil {
		say("its parameters cannot be read: %v", err)
		return ExitFailed
	}
	h, err := dial(p.Socket)
	if err != nil {
		say("the debug session that put it in Envoy's place has ended (%s: %v).\nStart Envoy without the gate, or start a new session.", p.Socket, err)
		return ExitTimeout
	}
	if err := id.appear(); err != nil {
		say("it could not take its place in %s: %v", id.dir, err)
		h.report(Failed, err.Error())
		return ExitFailed
	}
	h.report(Waiting, "")

	traced, ended := h.waitTraced(time.Now().Add(time.Duration(p.Timeout) * time.Millisecond))
	switch {
	case ended:
		say("the debug session ended while Envoy (pid %d) waited for its debugger. Envoy was not started.", os.Getpid())
		return ExitTimeout
	case !traced:
		detail := fmt.Sprintf("no debugger attached to pid %d within %d ms, so Envoy was not started", os.Getpid(), p.Timeout)
		say("%s.\nSee why the debugger did not attach in the session's log, or raise the gate's timeout.", detail)
		h.report(TimedOut, detail)
		return ExitTimeout
	}
	waitResumed(time.Now().Add(resumeBound))
	h.withdraw()
	args := slices.Clone(os.Args)
	args[0] = p.Envoy
	err = syscall.Exec(p.Envoy, args, Restore(loud(os.Environ()), p.ProxyConfig))
	detail := fmt.Sprintf("exec of %s failed: %v", p.Envoy, err)
	say("%s.\nSet the path of Envoy in the debug configuration to an executable file.", detail)
	h.report(Failed, detail)
	return ExitFailed
}

// appear gives this process the name that debug servers wait for: renaming the
// file it runs changes what /proc/PID/exe reads.
func (id identity) appear() error {
	comm := append([]byte(id.base), 0)
	_ = unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(&comm[0])), 0, 0, 0)
	path := filepath.Join(id.dir, id.base)
	// An earlier gate's name is another link of the same file, and rename(2)
	// between two links of one file does nothing.
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.Rename(id.exe, path)
}

func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "envoydbg gate: "+format+"\n", args...)
}

// helperConn is the raw socket to the helper. It is not a net.Conn, whose
// poller would bring threads and descriptors of its own.
type helperConn int

func dial(path string) (helperConn, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		return -1, err
	}
	// Where Yama restricts ptrace, only an ancestor may attach, and the debug
	// server is none. Allow the helper's descendants; without Yama this fails
	// with EINVAL, which is as good.
	if cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
		_ = unix.Prctl(unix.PR_SET_PTRACER, uintptr(cred.Pid), 0, 0, 0)
	}
	return helperConn(fd), nil
}

// withdraw takes back the permission given in dial: Envoy must not inherit it.
func (helperConn) withdraw() { _ = unix.Prctl(unix.PR_SET_PTRACER, 0, 0, 0, 0) }

func (h helperConn) report(s State, detail string) {
	b, _ := json.Marshal(Report{State: s, Detail: detail})
	_, _ = unix.Write(int(h), append(b, '\n'))
}

// waitTraced returns when this process is traced, when the helper has ended
// (its side of the socket is closed), or at the deadline with neither.
func (h helperConn) waitTraced(deadline time.Time) (traced, ended bool) {
	status, err := unix.Open("/proc/self/status", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false, false
	}
	buf := make([]byte, 4096)
	fds := []unix.PollFd{{Fd: int32(h), Events: unix.POLLIN}}
	for {
		n, err := unix.Pread(status, buf, 0)
		if err == nil && tracer(buf[:n]) != 0 {
			return true, false
		}
		if time.Now().After(deadline) {
			return false, false
		}
		n, err = unix.Poll(fds, int(poll/time.Millisecond))
		if n > 0 {
			return false, true
		}
		if err != nil && !errors.Is(err, unix.EINTR) {
			return false, false
		}
	}
}

// waitResumed returns when the tracer has resumed every thread of the gate. A
// debug server resumes them one after the other, this one first; an exec in
// between removes the others under its hands, and it answers the debugger's
// continue with an error (seen with lldb-server 22 in one of 20 runs).
func waitResumed(deadline time.Time) {
	for time.Now().Before(deadline) && anyStopped() {
		pause := unix.NsecToTimespec(int64(resumePoll))
		_ = unix.Nanosleep(&pause, nil)
	}
}

// anyStopped says whether a thread of this process is held by its tracer.
func anyStopped() bool {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return false
	}
	for _, task := range tasks {
		stat, err := os.ReadFile("/proc/self/task/" + task.Name() + "/stat")
		if i := bytes.LastIndexByte(stat, ')'); err == nil && bytes.HasPrefix(stat[i+1:], []byte(" t ")) {
			return true
		}
	}
	return false
}

// tracer reads TracerPid out of the text of /proc/PID/status.
func tracer(status []byte) int {
	_, rest, _ := bytes.Cut(status, []byte("\nTracerPid:\t"))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	pid, _ := strconv.Atoi(string(line))
	return pid
}
