//go:build linux

package server

import (
	"bufio"
	"encoding/json"
	"net"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/helper/gate"
)

// listenGate opens, once, the socket gates report to. Its goroutine ends when
// the session closes the listener; one more per gate lives as long as the gate.
func (s *session) listenGate() (string, error) {
	path := filepath.Join(s.dir, "g.sock")
	if s.gates != nil {
		return path, nil
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return "", err
	}
	s.gates = l
	go func() {
		for {
			c, err := l.AcceptUnix()
			if err != nil {
				return
			}
			go s.followGate(c)
		}
	}()
	return path, nil
}

// followGate tells the adapter what one gate reports. The end of the connection
// without a final report is the exec of Envoy, when the process lives on with
// another program, or else its death.
func (s *session) followGate(c *net.UnixConn) {
	defer c.Close()
	pid := peer(c)
	s.mu.Lock() // after a start in progress, whose agent is then the last one
	a := s.agent.Load()
	s.mu.Unlock()
	if pid == 0 || a == nil {
		return
	}
	a.gatesMu.Lock()
	a.gatePIDs[pid] = true
	a.gatesMu.Unlock()

	lines := bufio.NewScanner(c)
	for lines.Scan() {
		var r gate.Report
		if json.Unmarshal(lines.Bytes(), &r) != nil {
			continue
		}
		s.notices.notify(helper.NotifyGate, helper.GateParams{State: string(r.State), PID: pid, Detail: r.Detail})
		if r.State != gate.Waiting {
			return
		}
	}
	if now := exe(pid); now == "" || filepath.Dir(now) == s.dir {
		s.notices.notify(helper.NotifyGate, helper.GateParams{State: string(gate.Failed), PID: pid,
			Detail: "the process was ended while it stood at the gate"})
	} else {
		a.decided.Do(func() { close(a.settled) })
		s.notices.notify(helper.NotifyGate, helper.GateParams{State: "passed", PID: pid, Detail: now})
	}
}

// peer is the PID at the other end as the kernel knows it, 0 when it has gone.
func peer(c *net.UnixConn) int {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0
	}
	pid := 0
	_ = raw.Control(func(fd uintptr) {
		if cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
			pid = int(cred.Pid)
		}
	})
	return pid
}

// watchBypass looks for an Envoy that the agent started without the gate, until
// one has passed the gate. It scans /proc ten times a second, some 1 ms of work
// each: the kernel tells an unprivileged process of no exec of another, and the
// case is rare (an agent that ignores PROXY_CONFIG), so that being told of it
// 0.2 s late costs nothing.
func (s *session) watchBypass(a *agent) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	last := 0
	for {
		select {
		case <-a.Done:
			return
		case <-a.settled:
			return
		case <-s.closing:
			return
		case <-tick.C:
		}
		now := 0
		for _, pid := range s.agentSide() {
			a.gatesMu.Lock()
			known := a.gatePIDs[pid]
			a.gatesMu.Unlock()
			if !known && pid != a.PID && runs(pid, a.envoy) {
				now = pid
			}
		}
		// Two sightings: one may be of a gate that has passed before its
		// report was read.
		if now != 0 && now == last {
			a.decided.Do(func() { close(a.settled) })
			s.notices.notify(helper.NotifyGate, helper.GateParams{State: "bypassed", PID: now,
				Detail: exe(now) + " was started without the gate: the agent did not take binaryPath from PROXY_CONFIG"})
			return
		}
		last = now
	}
}
