//go:build linux

package server

import (
	"errors"
	"os"
	"runtime"
	"strings"

	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/internal/process"
)

// sleeps are the system calls in which lldb-server waits between two scans for
// the awaited name, by GOARCH and number. Written out, as each architecture
// knows only its own in package syscall's constants.
var sleeps = map[string]map[string]string{
	"amd64": {"230": "clock_nanosleep", "35": "nanosleep"},
	"arm64": {"115": "clock_nanosleep", "101": "nanosleep"},
}

func serverState(p helper.ServerStateParams) (helper.ServerStateResult, error) {
	now, err := process.Read(p.PID)
	switch {
	case errors.Is(err, os.ErrProcessDone):
		return helper.ServerStateResult{Detail: "no such process"}, nil
	case err != nil:
		return helper.ServerStateResult{Alive: true, Detail: err.Error()}, nil
	case now.Dead():
		return helper.ServerStateResult{Detail: "it has ended"}, nil
	}
	b, err := os.ReadFile("/proc/" + itoa(p.PID) + "/syscall")
	if err != nil {
		return helper.ServerStateResult{Alive: true, Detail: err.Error()}, nil
	}
	number, _, _ := strings.Cut(strings.TrimSpace(string(b)), " ")
	if name, ok := sleeps[runtime.GOARCH][number]; ok {
		return helper.ServerStateResult{Alive: true, Polling: true, Detail: name}, nil
	}
	if number == "running" {
		return helper.ServerStateResult{Alive: true, Detail: "on a processor"}, nil
	}
	return helper.ServerStateResult{Alive: true, Detail: "in system call " + number}, nil
}
