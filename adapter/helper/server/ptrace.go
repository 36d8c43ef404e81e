//go:build linux

package server

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/internal/process"
)

// Whether the debug server may trace Envoy is found out here, by trying it and by
// the kernel's rules (ptrace(2), "Ptrace access mode checking"): what LLDB tells
// of a refusal differs between its versions, and LLDB 19 goes on waiting.

// traceCheck bounds the trial, which takes some 20 ms.
const traceCheck = 5 * time.Second

// mayTrace tries to trace a child, in a process like the debug server: a child of
// this one, which has its user, capabilities and seccomp filters. It returns why
// that is refused, nil when it is not.
func (s *session) mayTrace(ctx context.Context) *helper.Refusal {
	ctx, cancel := context.WithTimeout(ctx, traceCheck)
	defer cancel()
	ch, out, err := s.startQuiet(command{Path: "/proc/self/exe", Args: []string{"envoydbg-helper", "trace"}, Env: os.Environ()})
	if err != nil {
		return nil // the start of lldb-server will tell
	}
	select {
	case <-ch.Done:
	case <-ctx.Done():
		s.kill(ch)
		return nil
	}
	if _, code := statusText(ch.Status); code != exitRefused {
		return nil
	}
	self, _ := readCredentials(os.Getpid())
	return whyRefused(yamaScope(), self, out.text())
}

// yamaScope is kernel.yama.ptrace_scope, empty where there is no Yama.
func yamaScope() string {
	b, _ := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope")
	return strings.TrimSpace(string(b))
}

// exitRefused is the exit code of the trial when the kernel refuses.
const exitRefused = 3

// traceChild is the trial. It returns the process's exit code.
func traceChild(self string) (int, error) {
	runtime.LockOSThread() // the tracer is a thread, and PDEATHSIG follows it
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 1, err
	}
	fd := null.Fd()
	pid, err := syscall.ForkExec("/proc/self/exe", []string{self, "rest"},
		&syscall.ProcAttr{Files: []uintptr{fd, fd, fd}, Sys: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}})
	if err != nil {
		return 1, err
	}
	defer func() {
		_ = syscall.Kill(pid, syscall.SIGKILL) // not reaped before this
		_, _ = syscall.Wait4(pid, nil, 0, nil)
	}()
	if err := unix.PtraceSeize(pid); err != nil {
		return exitRefused, err
	}
	return 0, nil
}

// rest is the child of the trial: it waits to be killed.
func restUntilKilled() { time.Sleep(2 * traceCheck) }

// whyRefused explains why not even a child may be traced.
func whyRefused(yamaScope string, self credentials, said string) *helper.Refusal {
	switch {
	case yamaScope == "3":
		return &helper.Refusal{Why: "kernel.yama.ptrace_scope is 3: this machine lets nobody trace",
			Do: "Start the machine with another value: it cannot be changed while it is 3."}
	case yamaScope == "2" && !self.mayTraceAll():
		return &helper.Refusal{Why: "kernel.yama.ptrace_scope is 2: only a process with CAP_SYS_PTRACE may trace",
			Do: "Set it to 1 (sysctl kernel.yama.ptrace_scope=1), or give the session CAP_SYS_PTRACE."}
	case self.seccomp == seccompFilter:
		return &helper.Refusal{Why: "a seccomp filter forbids ptrace here (" + said + ")",
			Do: "Run this container with CAP_SYS_PTRACE (docker run --cap-add SYS_PTRACE), or with a seccomp profile that allows ptrace."}
	}
	return &helper.Refusal{Why: "the kernel refuses ptrace of a child (" + said + ")",
		Do: "Ask who runs the machine which security module (AppArmor, SELinux) forbids ptrace, or run Envoy elsewhere."}
}

// whyNotTraced says why the process tracer, or its children, may not attach to
// pid by the credentials of the two; nil when they may, or it cannot be known.
func whyNotTraced(tracer, pid int) *helper.Refusal {
	t, err := readCredentials(tracer)
	if err != nil {
		return nil
	}
	p, err := readCredentials(pid)
	if err != nil {
		return nil
	}
	return t.whyNot(p)
}

// whyNot is the kernel's rule for an attach, as far as credentials go.
func (c credentials) whyNot(p credentials) *helper.Refusal {
	if c.mayTraceAll() {
		return nil
	}
	allow := "Start the agent and the session as one user, or give the session CAP_SYS_PTRACE."
	if id := c.uid.real; p.uid != (ids{id, id, id}) {
		return &helper.Refusal{Why: fmt.Sprintf("Envoy runs as user %v and the debug server as %d, without CAP_SYS_PTRACE", p.uid, id), Do: allow}
	}
	if id := c.gid.real; p.gid != (ids{id, id, id}) {
		return &helper.Refusal{Why: fmt.Sprintf("Envoy runs in group %v and the debug server in %d, without CAP_SYS_PTRACE", p.gid, id), Do: allow}
	}
	if more := p.permitted &^ c.permitted; more != 0 {
		return &helper.Refusal{Why: fmt.Sprintf("Envoy has capabilities (mask %#x) that the debug server has not", more),
			Do: "Give the session CAP_SYS_PTRACE, or start the agent without those capabilities."}
	}
	return nil
}

// whyNotWithoutGate says why a process that is no descendant of the debug server
// may not be traced: the gate permits it, and without the gate nobody does.
func whyNotWithoutGate(yamaScope string, self credentials) *helper.Refusal {
	if yamaScope != "1" || self.mayTraceAll() {
		return nil
	}
	return &helper.Refusal{Why: "kernel.yama.ptrace_scope is 1: without the gate, Envoy may only be traced by its ancestors or with CAP_SYS_PTRACE",
		Do: `Use the gate (remove "gate": false), which permits it; or set kernel.yama.ptrace_scope to 0.`}
}

// credentials are what decides who may trace whom (/proc/PID/status).
type credentials struct {
	uid, gid             ids
	permitted, effective uint64 // capabilities, as bits
	seccomp              int
}

type ids struct{ real, effective, saved int }

func (i ids) String() string {
	if i.real == i.effective && i.real == i.saved {
		return strconv.Itoa(i.real)
	}
	return fmt.Sprintf("%d/%d/%d", i.real, i.effective, i.saved)
}

const seccompFilter = 2

func (c credentials) mayTraceAll() bool { return c.effective&(1<<unix.CAP_SYS_PTRACE) != 0 }

func readCredentials(pid int) (credentials, error) {
	status, err := process.ReadStatus(pid)
	if err != nil {
		return credentials{}, err
	}
	return parseCredentials(status), nil
}

func parseCredentials(status process.Status) credentials {
	var c credentials
	if f := strings.Fields(status.Field("Uid")); len(f) >= 3 {
		c.uid = parseIDs(f)
	}
	if f := strings.Fields(status.Field("Gid")); len(f) >= 3 {
		c.gid = parseIDs(f)
	}
	c.permitted, _ = strconv.ParseUint(status.Field("CapPrm"), 16, 64)
	c.effective, _ = strconv.ParseUint(status.Field("CapEff"), 16, 64)
	c.seccomp, _ = strconv.Atoi(status.Field("Seccomp"))
	return c
}

func parseIDs(f []string) ids {
	n := func(i int) int { v, _ := strconv.Atoi(f[i]); return v }
	return ids{n(0), n(1), n(2)}
}
