//go:build linux

package server

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"time"

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

// statePause is the time between two looks. lldb-server scans every millisecond.
const statePause = time.Millisecond

// serverState looks at a debug server, and again for as long as the adapter waits, until
// it polls or has ended.
func serverState(ctx context.Context, p helper.ServerStateParams) (helper.ServerStateResult, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(p.Wait)*time.Millisecond)
	defer cancel()
	for {
		state := stateOf(p.PID)
		if state.Polling || !state.Alive {
			return state, nil
		}
		select {
		case <-time.After(statePause):
		case <-ctx.Done():
			return state, nil
		}
	}
}

func stateOf(pid int) helper.ServerStateResult {
	now, err := process.Read(pid)
	switch {
	case errors.Is(err, os.ErrProcessDone):
		return helper.ServerStateResult{Detail: "no such process"}
	case err != nil:
		return helper.ServerStateResult{Alive: true, Detail: err.Error()}
	case now.Dead():
		return helper.ServerStateResult{Detail: "it has ended"}
	}
	b, err := os.ReadFile("/proc/" + itoa(pid) + "/syscall")
	if err != nil {
		return helper.ServerStateResult{Alive: true, Detail: err.Error()}
	}
	number, _, _ := strings.Cut(strings.TrimSpace(string(b)), " ")
	if name, ok := sleeps[runtime.GOARCH][number]; ok {
		return helper.ServerStateResult{Alive: true, Polling: true, Detail: name}
	}
	if number == "running" {
		return helper.ServerStateResult{Alive: true, Detail: "on a processor"}
	}
	return helper.ServerStateResult{Alive: true, Detail: "in system call " + number}
}
