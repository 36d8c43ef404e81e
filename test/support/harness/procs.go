package harness

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/envoydbg/envoydbg/internal/process"
)

// Proc is a running process, as it was when it was read.
type Proc struct {
	PID, Parent int
	Exe         string // base name of the program
	Args        []string
}

// String is for messages.
func (p Proc) String() string {
	return fmt.Sprintf("%d (parent %d) %s", p.PID, p.Parent, strings.Join(p.Args, " "))
}

// readProc reads a running process that has the mark in its environment.
func readProc(pid int, mark string) (Proc, bool) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	env, err := os.ReadFile(filepath.Join(dir, "environ"))
	if err != nil || !bytes.Contains(append([]byte{0}, env...), []byte("\x00"+mark+"\x00")) {
		return Proc{}, false // a zombie has no environment
	}
	exe, err := os.Readlink(filepath.Join(dir, "exe"))
	if err != nil {
		return Proc{}, false
	}
	args, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
	stat, err := process.Read(pid)
	if err != nil {
		return Proc{}, false
	}
	return Proc{pid, stat.Parent, filepath.Base(strings.TrimSuffix(exe, " (deleted)")),
		strings.Split(strings.TrimRight(string(args), "\x00"), "\x00")}, true
}

// marked are the running processes with the mark.
func marked(mark string) []Proc {
	entries, _ := os.ReadDir("/proc")
	var out []Proc
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			if p, ok := readProc(pid, mark); ok {
				out = append(out, p)
			}
		}
	}
	return out
}

// Part is one of the processes that make up a session.
type Part string

// Parts of a session.
const (
	LLDBDap    Part = "lldb-dap"
	Platform   Part = "lldb-server platform"
	GDBServer  Part = "lldb-server gdbserver"
	Helper     Part = "helper"
	Supervisor Part = "helper's supervisor"
	Agent      Part = "agent"
	Envoy      Part = "Envoy"
	Gate       Part = "Envoy at the gate"
	Connect    Part = "helper's connection"
)

// gateName is the program's name while it waits for the debugger.
var gateName = regexp.MustCompile(`^envoy-[0-9a-f]{8}$`)

// is says whether p is the part; envoy is the path of Envoy.
func (part Part) is(p Proc, agent, envoy string) bool {
	arg := ""
	if len(p.Args) > 1 {
		arg = p.Args[1]
	}
	switch part {
	case LLDBDap:
		return strings.HasPrefix(p.Exe, "lldb-dap")
	case Platform, GDBServer:
		want := map[Part]string{Platform: "platform", GDBServer: "gdbserver"}[part]
		return strings.HasPrefix(p.Exe, "lldb-server") && arg == want
	case Helper:
		return strings.HasPrefix(p.Exe, "envoydbg-helper") && arg == "session"
	case Supervisor:
		return strings.HasPrefix(p.Exe, "envoydbg-helper") && (arg == "stdio" || arg == "daemon")
	case Connect:
		return strings.HasPrefix(p.Exe, "envoydbg-helper") && (arg == "connect" || arg == "serve")
	case Agent:
		return p.Args[0] == agent && p.Exe == filepath.Base(agent)
	case Envoy:
		// A script calls it by its name alone.
		return p.Exe == filepath.Base(envoy) && filepath.Base(p.Args[0]) == filepath.Base(envoy)
	case Gate:
		return gateName.MatchString(p.Exe)
	}
	panic(part)
}

// Is says whether p is the part; for an agent or an Envoy use [Session.Parts].
func (part Part) Is(p Proc) bool { return part.is(p, "", "") }

// Tracer is the PID of the process that traces pid, or 0.
func Tracer(pid int) int {
	tracer, _ := process.Tracer(pid)
	return tracer
}

// Kill ends a process at once, as the kernel does when memory is short.
func Kill(pid int) error { return syscall.Kill(pid, syscall.SIGKILL) }

// eventually checks every 5 ms whether ok returns true. No event tells when a
// process ends that is not a child of this one.
func eventually(within time.Duration, ok func() bool) bool {
	for deadline := time.Now().Add(within); ; time.Sleep(5 * time.Millisecond) {
		if ok() {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
	}
}
