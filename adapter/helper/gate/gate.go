//go:build linux

package gate

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/internal/process"
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
	if self.step != none {
		os.Exit(self.run())
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
	dir  string // the gate's folder
	base string // the name to wait under
}

func identify() identity {
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return identity{}
	}
	id := identity{dir: filepath.Dir(exe)}
	name := filepath.Base(exe)
	if rest, ok := strings.CutPrefix(name, firstPrefix); ok {
		id.step, id.base = first, rest
	} else if rest, ok := strings.CutPrefix(name, secondPrefix); ok {
		id.step = second
		id.base, _, _ = strings.Cut(rest, ".")
	} else {
		return identity{}
	}
	if _, err := os.Lstat(id.socket()); err != nil {
		return identity{}
	}
	return id
}

func (id identity) socket() string { return filepath.Join(id.dir, socketName) }

// run ends in another program, or with an exit code.
func (id identity) run() int {
	if id.step == second {
		comm := append([]byte(id.base), 0)
		_ = unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(&comm[0])), 0, 0, 0)
	}
	h, err := dial(id.socket())
	if err != nil {
		say("the debug session that put it in Envoy's place has ended (%s: %v).\nStart Envoy without the gate, or start a new session.", id.socket(), err)
		return ExitTimeout
	}
	if id.step == second {
		h.permit() // before the name appears, upon which a debug server attaches
	}
	h.write(Arrival{Standing: id.step == second, Args: os.Args})
	var v Verdict
	if err := h.read(&v); err != nil {
		say("the debug session ended while Envoy (pid %d) waited at the gate. Envoy was not started.", os.Getpid())
		return ExitTimeout
	}
	switch v.Do {
	case Wait:
		return id.wait(h, v)
	case Stand:
		return h.exec(v.Stand, os.Args, quiet(os.Environ()))
	default:
		return h.become(id, v)
	}
}

// wait waits for a tracer and then for its leave to go on.
func (id identity) wait(h helperConn, v Verdict) int {
	traced, ended := h.waitTraced(time.Now().Add(time.Duration(v.Timeout) * time.Millisecond))
	switch {
	case ended:
		say("the debug session ended while Envoy (pid %d) waited for its debugger. Envoy was not started.", os.Getpid())
		return ExitTimeout
	case !traced:
		detail := fmt.Sprintf("no debugger attached to pid %d within %d ms, so Envoy was not started", os.Getpid(), v.Timeout)
		say("%s.\nSee why the debugger did not attach in the session's log, or raise the gate's timeout.", detail)
		h.write(Report{State: helper.GateTimeout, Detail: detail})
		return ExitTimeout
	}
	waitResumed(time.Now().Add(resumeBound))
	h.withdraw()
	h.write(Report{State: helper.GatePassed})
	return h.become(id, v)
}

// become is the exec of Envoy, with everything as it is without the gate.
func (h helperConn) become(id identity, v Verdict) int {
	args := slices.Clone(os.Args)
	if strings.HasPrefix(args[0], id.dir+"/") {
		args[0] = v.Envoy
	}
	env := os.Environ()
	if id.step == second {
		env = loud(env)
	}
	return h.exec(v.Envoy, args, v.Environ.Restore(env))
}

// exec returns only when it fails.
func (h helperConn) exec(path string, args, env []string) int {
	err := syscall.Exec(path, args, env)
	detail := fmt.Sprintf("exec of %s failed: %v", path, err)
	say("%s.\nSet the path of Envoy in the debug configuration to an executable file.", detail)
	h.write(Report{State: helper.GateFailed, Detail: detail})
	return ExitFailed
}

func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "envoydbg gate: "+format+"\n", args...)
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
		if err == nil && process.Status(buf[:n]).Tracer() != 0 {
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
		b, err := os.ReadFile("/proc/self/task/" + task.Name() + "/stat")
		if err != nil {
			continue // it has ended
		}
		if thread, err := process.ParseStat(b); err == nil && thread.State == 't' {
			return true
		}
	}
	return false
}
