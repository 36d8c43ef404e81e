package race

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/envoydbg/envoydbg/adapter/gdbremote"
	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/startup"
)

// early is the target "local" with three changes. The agent is started before the
// session arms, with the same parameters that the session will use. It is told to
// exec Envoy a fixed time after the attach packet has been written, or at once. And
// the traffic between lldb-dap and the debug server goes through the helper, as it
// must when Envoy runs on another machine. Everything else goes to the real target.
type early struct {
	startup.Target
	line   *line
	agent  helper.AgentStartParams
	after  time.Duration
	before bool // exec at once, not after the packet

	mu     sync.Mutex
	pid    int   // of the process that becomes Envoy
	packet int64 // when the attach packet had been written; 0 before
	err    error // of the trigger, or of a session that asks for another agent
}

func (t *early) Connect(ctx context.Context, n startup.Notices) (startup.Beside, error) {
	b, err := t.Target.Connect(ctx, n)
	if err != nil {
		return nil, err
	}
	return &earlyBeside{Beside: b, t: t}, nil
}

// armed is called when the attach packet has been written.
func (t *early) armed() {
	now := monotonic()
	var err error
	if !t.before {
		err = t.line.exec(now + t.after.Nanoseconds())
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.packet, t.err = now, errors.Join(t.err, err)
}

func (t *early) outcome() (pid int, packet int64, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.pid, t.packet, t.err
}

type earlyBeside struct {
	startup.Beside
	t       *early
	started helper.AgentStartResult
}

// PlatformStart starts the agent, too: the last of the session's calls before
// the debug server is told to wait.
func (b *earlyBeside) PlatformStart(ctx context.Context, p helper.PlatformStartParams) (helper.PlatformStartResult, error) {
	result, err := b.Beside.PlatformStart(ctx, p)
	if err != nil {
		return result, err
	}
	if b.started, err = b.Beside.AgentStart(ctx, b.t.agent); err != nil {
		return result, err
	}
	pid, err := b.t.line.ready()
	b.t.mu.Lock()
	b.t.pid = pid
	b.t.mu.Unlock()
	if err == nil && b.t.before {
		err = b.t.line.exec(monotonic())
	}
	return result, err
}

// AgentStart does nothing: the agent is already running.
func (b *earlyBeside) AgentStart(_ context.Context, p helper.AgentStartParams) (helper.AgentStartResult, error) {
	if !reflect.DeepEqual(p, b.t.agent) {
		err := fmt.Errorf("the session starts the agent with %+v, the measurement started it with %+v", p, b.t.agent)
		b.t.mu.Lock()
		b.t.err = errors.Join(b.t.err, err)
		b.t.mu.Unlock()
		return helper.AgentStartResult{}, err
	}
	return b.started, nil
}

// Dial takes the way through the helper.
func (b *earlyBeside) Dial(ctx context.Context, socket string) (gdbremote.Conn, error) {
	through, ok := b.Beside.(interface {
		DialServer(ctx context.Context, socket string) (*helper.ServerConn, error)
	})
	if !ok {
		return nil, fmt.Errorf("%T has no way through the helper", b.Beside)
	}
	c, err := through.DialServer(ctx, socket)
	if err != nil {
		return nil, err
	}
	return &watchedConn{c, b.t}, nil
}

// watchedConn looks for the attach packet among what is written.
type watchedConn struct {
	gdbremote.Conn
	t *early
}

// Write sees whole packets, as the relay writes them.
func (c *watchedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if err == nil && bytes.Contains(p, []byte("$vAttachOrWait;")) {
		c.t.armed()
	}
	return n, err
}
