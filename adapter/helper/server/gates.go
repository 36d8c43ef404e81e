//go:build linux

package server

import (
	"bufio"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/helper/gate"
	"github.com/envoydbg/envoydbg/internal/process"
)

// listenGate makes, once, the folder of the gate and opens the socket that gates
// connect to. Other users may pass the session's folder and this one but not list
// them, and the name of this one cannot be guessed. One goroutine accepts until
// the session closes the listener; two more for each gate live as long as the
// gate does.
func (s *session) listenGate() error {
	if s.gates != nil {
		return nil
	}
	dir, err := gate.MakeDir(filepath.Join(s.dir, rand.Text()[:8]))
	if err != nil {
		return err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: dir.Socket(), Net: "unix"})
	if err != nil {
		return err
	}
	if err := os.Chmod(dir.Socket(), 0o666); err != nil { // the agent may change its user
		l.Close()
		return err
	}
	s.mu.Lock()
	s.gateDir, s.gates = dir, l
	s.mu.Unlock()
	go func() {
		for {
			c, err := l.AcceptUnix()
			if err != nil {
				return
			}
			go s.followGate(c)
		}
	}()
	return nil
}

// visitor is a process at the gate.
type visitor struct {
	process.Stat
	conn  *net.UnixConn
	lines <-chan []byte // what it says; closed when its end of the socket is
	a     *admission
}

// followGate serves one process at the gate: it tells it what to do, and the
// adapter what comes of it. It answers nobody but descendants of the agent.
func (s *session) followGate(c *net.UnixConn) {
	defer c.Close()
	s.agentStarting.Lock() // after a start in progress, whose agent is then the last one
	agent := s.agent.Load()
	s.agentStarting.Unlock()
	pid := peer(c)
	p, err := process.Read(pid)
	if agent == nil || agent.admission == nil || err != nil {
		return
	}
	if ours, _ := s.agentSide(); !slices.Contains(ours, pid) {
		return
	}
	v := &visitor{Stat: p, conn: c, lines: readLines(c, s.closing), a: agent.admission}
	v.a.note(pid)
	var arrival gate.Arrival
	if line, ok := <-v.lines; !ok || json.Unmarshal(line, &arrival) != nil || len(arrival.Args) == 0 {
		return
	}
	name, args := filepath.Base(v.a.envoy), arrival.Args[1:]
	if q := gate.Query(args); q != "" {
		s.tellGate(v.a, helper.GateOpen, pid, "%s %s (pid %d) runs without the debugger: it only answers a question.", name, q, pid)
		v.answer(gate.Verdict{Do: gate.Become, Envoy: v.a.envoy, Environ: v.a.environ})
		return
	}
	for {
		mine, passed, moved := v.a.claim(pid)
		switch {
		case passed != 0:
			s.tellGate(v.a, helper.GateOpen, pid, "%s (pid %d) runs without the debugger: this session debugs the one with pid %d.", name, pid, passed)
			v.answer(gate.Verdict{Do: gate.Become, Envoy: v.a.envoy, Environ: v.a.environ})
			return
		case mine && arrival.Standing:
			s.stand(v)
			return
		case mine:
			s.approach(v)
			return
		}
		select {
		case <-moved:
		case <-v.lines: // it says nothing more, so it has ended
			return
		case <-s.closing:
			return
		}
	}
}

// readLines reads lines on a goroutine that ends with the connection or when
// closing is closed.
func readLines(c *net.UnixConn, closing <-chan struct{}) <-chan []byte {
	lines := make(chan []byte)
	go func() {
		defer close(lines)
		for in := bufio.NewScanner(c); in.Scan(); {
			select {
			case lines <- slices.Clone(in.Bytes()):
			case <-closing:
				return
			}
		}
	}()
	return lines
}

func (v *visitor) answer(verdict gate.Verdict) {
	b, _ := json.Marshal(verdict)
	_, _ = v.conn.Write(append(b, '\n')) // if it fails, the visitor has ended
}

// approach sends a visitor to the second step, and gives up its place if it ends
// before it gets there.
func (s *session) approach(v *visitor) {
	next, err := s.gateDir.NextStep(v.a.base, v.PID)
	if err != nil {
		s.refuseGate(v, err)
		return
	}
	v.answer(gate.Verdict{Do: gate.Stand, Stand: next})
	line, said := <-v.lines
	if said {
		s.reported(v, line)
		return
	}
	// The exec of the second step has closed the connection, or the end of the
	// process, of which nothing else would tell.
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !v.a.isStanding() {
		select {
		case <-tick.C:
		case <-s.closing:
			return
		}
		if v.hasEnded() {
			s.lostAtGate(v)
			return
		}
	}
}

// stand gives a visitor the awaited name and waits until it has become Envoy.
func (s *session) stand(v *visitor) {
	v.a.stand()
	if err := s.gateDir.Appear(v.a.base, v.PID); err != nil {
		s.refuseGate(v, err)
		return
	}
	v.answer(gate.Verdict{Do: gate.Wait, Envoy: v.a.envoy, Environ: v.a.environ, Timeout: v.a.timeout})
	s.notices.notify(helper.NotifyGate, helper.GateParams{State: helper.GateWaiting, PID: v.PID})
	if r := whyNotTraced(os.Getpid(), v.PID); r != nil && s.hand.Load() == nil {
		s.notices.notify(helper.NotifyGate, helper.GateParams{State: helper.GateRefused, PID: v.PID, Detail: r.Why, Do: r.Do})
	}
	line, said := <-v.lines
	if !said {
		s.lostAtGate(v)
		return
	}
	var r gate.Report
	if json.Unmarshal(line, &r) == nil && r.State == helper.GatePassed {
		// The exec of Envoy closes the connection without another word. What
		// happens from here on is the debugger's to tell, also a sudden end.
		if line, said = <-v.lines; !said {
			v.a.pass()
			v.a.settle()
			s.notices.notify(helper.NotifyGate, helper.GateParams{State: helper.GatePassed, PID: v.PID, Detail: v.a.envoy})
			return
		}
	}
	s.reported(v, line)
}

func (v *visitor) hasEnded() bool {
	now, err := process.Read(v.PID)
	return errors.Is(err, os.ErrProcessDone) || err == nil && (!now.Is(v.Stat) || now.Dead())
}

// lostAtGate makes room for the next one.
func (s *session) lostAtGate(v *visitor) {
	v.a.leave()
	s.tellGate(v.a, helper.GateEnded, v.PID, "%s (pid %d) ended at the gate before the debugger had it; the session waits for the next one.",
		filepath.Base(v.a.envoy), v.PID)
}

// reported passes on a visitor's own last words.
func (s *session) reported(v *visitor, line []byte) {
	v.a.leave()
	var r gate.Report
	if json.Unmarshal(line, &r) == nil {
		s.tellGate(v.a, r.State, v.PID, "%s", r.Detail)
	}
}

func (s *session) refuseGate(v *visitor, err error) {
	v.a.leave()
	s.tellGate(v.a, helper.GateFailed, v.PID, "%v", err)
}

func (s *session) tellGate(a *admission, state helper.GateState, pid int, format string, args ...any) {
	if !a.over.Load() {
		s.notices.notify(helper.NotifyGate, helper.GateParams{State: state, PID: pid, Detail: fmt.Sprintf(format, args...)})
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
