//go:build linux

package server

import (
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/internal/process"
)

// statusMain says who has a place, and which agents and Envoys run beside it.
func statusMain(args []string) (int, error) {
	survivePipes()
	set := flag.NewFlagSet(wordStatus, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	place := set.String("dir", "", "")
	if err := set.Parse(args); err != nil {
		return conclude(helper.Status{}, err)
	}
	return conclude(placeStatus(*place))
}

func placeStatus(place string) (helper.Status, error) {
	h, err := holderOf(place)
	if err == nil {
		err = answers(place, h) // it does not where it was killed
	}
	var told *helper.StatusError
	switch {
	case err == nil:
	case errors.As(err, &told) && told.Problem == helper.ProblemNoSession:
		h = holder{}
	default:
		return helper.Status{}, err
	}
	s := h.status()
	s.Session = h.Session
	s.Processes, err = agentsAndEnvoys(h.PID)
	return s, err
}

// answers says whether the daemon of a place is there.
func answers(place string, h holder) error {
	conn, err := dialDaemon(place, logsSocket(h.Dir))
	if err == nil {
		conn.Close()
	}
	return err
}

// agentsAndEnvoys are those that /proc shows; ours are those below the daemon.
func agentsAndEnvoys(daemon int) ([]helper.Running, error) {
	all, err := process.All()
	if err != nil {
		return nil, err
	}
	var found []helper.Running
	for pid, p := range all {
		args := arguments(pid)
		if p.Dead() || !isAgentOrEnvoy(exe(pid), args) {
			continue
		}
		found = append(found, helper.Running{PID: pid, Since: startTime(p), Args: append([]string{exe(pid)}, args...),
			Ours: daemon != 0 && all.Top(daemon, pid) != 0})
	}
	slices.SortFunc(found, func(a, b helper.Running) int { return a.PID - b.PID })
	return found, nil
}

// isAgentOrEnvoy tells them by their programs' names. A pilot-agent that does not start
// Envoy, because it waits or was asked something, is none.
func isAgentOrEnvoy(program string, args []string) bool {
	name := filepath.Base(program)
	if name == "pilot-agent" {
		return len(args) > 0 && args[0] == "proxy"
	}
	return strings.HasPrefix(name, "envoy") && !strings.HasPrefix(name, "envoydbg")
}

// ticks are those of a clock in /proc in a second, on all architectures of Linux that Go
// knows.
const ticks = 100

// startTime is when a process was started.
func startTime(p process.Stat) time.Time {
	b, err := os.ReadFile("/proc/uptime")
	text, _, _ := strings.Cut(string(b), " ")
	up, err2 := strconv.ParseFloat(text, 64)
	if err != nil || err2 != nil {
		return time.Time{}
	}
	age := up - float64(p.Start)/ticks
	return time.Now().Add(-time.Duration(age * float64(time.Second))).Truncate(time.Second)
}
