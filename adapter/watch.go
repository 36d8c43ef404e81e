package adapter

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"
	"unicode/utf8"

	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/gdbremote"
	"github.com/envoydbg/envoydbg/adapter/helper"
)

// What the parts of a startup session tell: the helper, the relay, lldb-dap.

// onOutput shows what the agent and Envoy write.
func (r *startup) onOutput(p helper.OutputParams) {
	category := stdout
	if p.Stream == stderr {
		category = stderr
	}
	whole, rest := splitUTF8(append(r.partial[p.Stream], p.Data...))
	r.partial[p.Stream] = append([]byte(nil), rest...)
	if len(whole) > 0 {
		r.s.output(category, string(whole))
	}
}

// onGate follows the gate.
func (r *startup) onGate(p helper.GateParams) {
	r.s.trace.line("gate", "%s pid %d %s", p.State, p.PID, p.Detail)
	switch p.State {
	case "waiting":
		r.gatePID.Store(int64(p.PID))
	case "timeout":
		r.fail(fault.GateTimeout(p.PID, p.Detail))
	case "failed":
		r.fail(fault.GateExec(r.remote.Path, p.Detail))
	case "bypassed":
		r.fail(fault.GateBypassed(p.PID, p.Detail))
	}
}

// onExit follows the processes that the helper started.
func (r *startup) onExit(p helper.ExitParams) {
	r.s.trace.line("exit", "%s pid %d %s", p.What, p.PID, p.Status)
	switch {
	case p.What == "platform":
		r.fail(fault.ServerDied("lldb-server platform: "+p.Status, p.Stderr))
	case !r.isAttached():
		r.fail(fault.AgentEnded(p.Status))
	default:
		// The end of Envoy is the debugger's to tell, and the agent's follows
		// from it. An agent that died alone leaves Envoy alive, and debugged.
		r.s.output(console, fmt.Sprintf("%s (pid %d) ended: %s\n", filepath.Base(r.cfg.Agent.Command[0]), p.PID, p.Status))
	}
}

// admit lets only a process be debugged that this session's agent started.
func (r *startup) admit(ctx context.Context, pid int) error {
	p, err := r.beside.Process(ctx, helper.ProcessParams{PID: pid})
	switch {
	case err != nil:
		return fault.ForeignProcess(pid, err.Error())
	case !p.Ours:
		return fault.ForeignProcess(pid, p.Exe)
	}
	return nil
}

// observer is what the relay tells.
type observer struct{ r *startup }

// Arming implements gdbremote.Observer.
func (o observer) Arming(a gdbremote.Arming) {
	if a.Name != o.r.awaited() {
		return // a command of the user's
	}
	select {
	case o.r.arming <- a:
	default:
	}
}

// Attached implements gdbremote.Observer.
func (o observer) Attached(a gdbremote.Attached) {
	o.r.envoyPID.Store(int64(a.PID))
	o.r.s.trace.line("attached", "pid %d, swallowed %v, error %v", a.PID, a.Skipped, a.Err)
	select {
	case o.r.attachedCh <- a:
	default:
	}
}

// Exited implements gdbremote.Observer.
func (o observer) Exited(e gdbremote.Exit) {
	o.r.envoyEnded.Store(true)
	o.r.s.trace.line("exited", "%v", e)
}

// Disconnected implements gdbremote.Observer.
func (o observer) Disconnected(conn string, err error) {
	o.r.s.trace.line("gdb "+conn, "closed: %v", err)
	if p := new(gdbremote.PanicError); errors.As(err, &p) {
		o.r.s.trace.line("gdb "+conn, "%s", p.Stack)
	}
	if err != nil {
		o.r.lost.Store(true)
		go o.r.connectionLost(conn, err)
	}
}

// lostTime bounds the search for the reason of an end.
const lostTime = 2 * time.Second

// connectionLost reports a connection that the other side has ended, by its
// cause: with the helper everything ends, and with Envoy its debug server.
func (r *startup) connectionLost(conn string, why error) {
	switch {
	case r.helperEnds():
	case r.envoyEnded.Load():
		r.fail(r.prefer(fault.EnvoyKilled(int(r.envoyPID.Load()))))
	default:
		r.fail(r.prefer(fault.ConnectionLost(fmt.Sprintf("connection %s: %v", conn, why))))
	}
}

// debuggeeEnded ends the session after lldb-dap has told the end of Envoy, unless
// that only follows from the helper's.
func (r *startup) debuggeeEnded() {
	if !r.helperEnds() {
		r.s.end(nil)
	}
}

// helperEnds reports whether the helper has ended or is about to, which is then
// reported as such, when it is complete: it takes all others with it.
func (r *startup) helperEnds() bool {
	ctx, cancel := context.WithTimeout(r.s.ctx, lostTime)
	defer cancel()
	if _, err := r.beside.Process(ctx, helper.ProcessParams{}); err == nil {
		return false
	}
	select {
	case <-r.beside.Done():
		return true
	case <-ctx.Done():
		return false
	}
}

// Packet implements gdbremote.Observer.
func (o observer) Packet(conn string, fromServer bool, f gdbremote.Frame) {
	o.r.s.trace.packet(conn, fromServer, f)
}

// attachAnswered takes lldb-dap's answer to the adapter's attach.
func (r *startup) attachAnswered(b *backend, m *dapio.Message) {
	if !m.Success && r.lost.Load() {
		return // a consequence; the cause is being looked for
	}
	if !m.Success {
		why := m.Get("body.error.format").String()
		if why == "" {
			why = m.Get("message").String()
		}
		f := fault.PlatformConnect(why)
		if said := lastLine(b.said.String()); said != "" && said != why {
			f = f.With("%s", said)
		}
		r.fail(f)
		return
	}
	req := r.s.takeAttach()
	if req == nil {
		return // ended meanwhile, and answered
	}
	if req.Name != m.Name {
		if patched, err := m.Set("command", marshal(req.Name)); err == nil {
			m = patched
		}
	}
	_ = r.s.toClient.Forward(m, req.Seq, nil)
}

// patchStopped names the stop at Envoy's entry what it is: LLDB 19 calls it an
// exception, 22 by the signal of the exec.
func (r *startup) patchStopped(m *dapio.Message) *dapio.Message {
	if r.stops.Add(1) > 1 || !r.cfg.StopOnEntry || m.Get("body.reason").String() == "breakpoint" {
		return m
	}
	for path, value := range map[string]string{"body.reason": "entry", "body.description": "Envoy's entry", "body.text": ""} {
		if patched, err := m.Set(path, marshal(value)); err == nil {
			m = patched
		}
	}
	return m
}

// splitUTF8 cuts p before an incomplete character at its end.
func splitUTF8(p []byte) (whole, rest []byte) {
	for i := 1; i <= utf8.UTFMax && i <= len(p); i++ {
		if tail := p[len(p)-i:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				return p[:len(p)-i], tail
			}
			break
		}
	}
	return p, nil
}
