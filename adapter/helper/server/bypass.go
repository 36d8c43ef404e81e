//go:build linux

package server

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/helper/elfinfo"
	"github.com/envoydbg/envoydbg/adapter/helper/gate"
	"github.com/envoydbg/envoydbg/internal/process"
)

// watchBypass looks for an Envoy that runs without having passed the gate, until
// one has passed it: a process that the agent started, or the agent itself, which
// can become Envoy by exec. It scans /proc ten times a second, some 1 ms of work
// each: the kernel tells an unprivileged process of no exec of another, and the
// case is rare, so that being told of it 0.2 s late costs nothing.
//
// On the way it tells of processes that cannot reach the gate.
func (s *session) watchBypass(a *agent) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	closed := closedToOthers(s.dir)
	same := sameBuild{a: a.admission, seen: map[fileID]bool{}}
	last := 0
	for {
		select {
		case <-a.Done:
			return
		case <-a.admission.settled:
			return
		case <-s.closing:
			return
		case <-tick.C:
		}
		now := 0
		pids, _ := s.agentSide() // what cannot be read now is seen the next time
		for _, pid := range pids {
			if closed != "" && isOtherUser(pid) {
				s.notices.notify(helper.NotifyGate, helper.GateParams{State: helper.GateUnreachable, PID: pid,
					Detail: fmt.Sprintf("%s (pid %d) runs as another user, and %s, below which the gate is, is closed to others", filepath.Base(exe(pid)), pid, closed),
					Do:     "Set TMPDIR, where the session is started, to a folder that every user may pass, such as /tmp."})
				closed = "" // it is told once
			}
			if !a.admission.knows(pid) && same.runs(pid) && gate.Query(arguments(pid)) == "" {
				now = pid
			}
		}
		// Two sightings: in the middle of an exec a process has its new program
		// already and no arguments yet, which could make it a question.
		if now != 0 && now == last {
			a.admission.settle()
			s.notices.notify(helper.NotifyGate, bypassed(a, now))
			return
		}
		last = now
	}
}

// bypassed says how pid became Envoy, and what to do about it.
func bypassed(a *agent, pid int) helper.GateParams {
	p := helper.GateParams{State: helper.GateBypassed, PID: pid, Detail: exe(pid) + " was started by the agent",
		Do: fmt.Sprintf("Let the agent start %q by that name alone, without a folder: the gate is first in its PATH. Or set \"gate\": false.", filepath.Base(a.admission.envoy))}
	if now, err := process.Read(pid); err == nil && filepath.Base(exe(now.Parent)) == "pilot-agent" {
		p.Do = "Something sets pilot-agent's binaryPath after its environment, such as the annotation proxy.istio.io/config. Remove that, or set \"gate\": false."
	}
	if pid == a.PID {
		p.Detail = "the agent itself became " + exe(pid)
	}
	return p
}

// sameBuild recognizes the Envoy that is to be debugged, copies of it too.
type sameBuild struct {
	a    *admission
	seen map[fileID]bool
}

type fileID struct{ dev, ino uint64 }

// runs says whether a process runs that Envoy.
func (b sameBuild) runs(pid int) bool {
	path := "/proc/" + itoa(pid) + "/exe"
	st, err := os.Stat(path)
	if err != nil {
		return false
	}
	if os.SameFile(st, b.a.file) {
		return true
	}
	sys := st.Sys().(*syscall.Stat_t)
	id := fileID{uint64(sys.Dev), sys.Ino}
	same, known := b.seen[id]
	if !known {
		same = b.a.isCopy(path)
		b.seen[id] = same
	}
	return same
}

// isCopy says whether a file is another copy of the Envoy that is to be debugged.
func (a *admission) isCopy(path string) bool {
	if a.buildID == "" {
		return false
	}
	info, err := elfinfo.Read(path)
	return err == nil && info.BuildID == a.buildID
}

// arguments are those of a process, without argv[0].
func arguments(pid int) []string {
	b, err := os.ReadFile("/proc/" + itoa(pid) + "/cmdline")
	if err != nil {
		return nil
	}
	args := strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00")
	return args[1:]
}

// closedToOthers is the first folder on the way to path that only some users may
// pass; empty when all may pass all of them.
func closedToOthers(path string) string {
	closed := ""
	for ; ; path = filepath.Dir(path) {
		if st, err := os.Stat(path); err == nil && st.Mode()&0o001 == 0 {
			closed = path
		}
		if path == filepath.Dir(path) {
			return closed
		}
	}
}

// isOtherUser says whether a process has neither this one's user nor root's.
func isOtherUser(pid int) bool {
	c, err := readCredentials(pid)
	return err == nil && c.uid.effective != 0 && c.uid.effective != os.Geteuid()
}
