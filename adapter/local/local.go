package local

import (
	"context"
	"errors"
	"net"
	"os"
	"runtime"
	"strings"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/gdbremote"
	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/lldb"
	"github.com/envoydbg/envoydbg/adapter/startup"
	"github.com/envoydbg/envoydbg/internal/process"
)

// Target is this machine.
type Target struct {
	// HelperDir is where the helper's binaries are; empty means beside the
	// running executable.
	HelperDir string
}

// Connect implements startup.Target.
func (l Target) Connect(ctx context.Context, n startup.Notices) (startup.Beside, error) {
	if runtime.GOOS != "linux" {
		return nil, fault.NotHere(runtime.GOOS)
	}
	path, err := helper.FindBinary(l.HelperDir, runtime.GOARCH)
	if err != nil {
		return nil, fault.NoHelper(errPath(err), err)
	}
	if err := process.Needs(needs); err != nil {
		return nil, fault.HelperStart(err, "")
	}
	c, err := helper.Start(ctx, path, n.Helper())
	if err != nil {
		return nil, fault.HelperStart(err, "")
	}
	return &beside{Client: c}, nil
}

// needs is how many processes and threads the helper, lldb-server, the agent and Envoy
// take, at the least: some 35 on two processors.
const needs = 30

func errPath(err error) string {
	if p, ok := err.(*os.PathError); ok {
		return p.Path
	}
	return err.Error()
}

// LLDBServer implements startup.Target.
func (Target) LLDBServer(_ context.Context, wanted, dap string, v lldb.Version) (string, error) {
	return lldb.FindServer(wanted, dap, v)
}

// Name implements startup.Target.
func (Target) Name() string { return "" }

// Where implements startup.Target.
func (Target) Where() startup.Where { return startup.Where{} }

// Agent implements startup.Target. The launch attributes have a default.
func (Target) Agent() []string { return nil }

// beside is a helper on this machine as a startup.Beside. It notes what the helper
// starts, to end that when the helper was killed and could not.
type beside struct {
	*helper.Client
	released bool    // what was started is to run on
	left     orphans // used by one goroutine after the other: the startup, then the cleanup
}

// Hello implements startup.Beside.
func (b *beside) Hello(ctx context.Context, p helper.HelloParams) (helper.HelloResult, error) {
	r, err := b.Client.Hello(ctx, p)
	if err == nil {
		b.left.dir = r.Dir
		b.left.add(r.PID)
	}
	return r, err
}

// PlatformStart implements startup.Beside.
func (b *beside) PlatformStart(ctx context.Context, p helper.PlatformStartParams) (helper.PlatformStartResult, error) {
	r, err := b.Client.PlatformStart(ctx, p)
	if err == nil {
		b.left.add(r.PID)
	}
	return r, err
}

// AgentStart implements startup.Beside.
func (b *beside) AgentStart(ctx context.Context, p helper.AgentStartParams) (helper.AgentStartResult, error) {
	r, err := b.Client.AgentStart(ctx, p)
	if err == nil {
		b.left.add(r.PID)
	}
	return r, err
}

// Release implements startup.Beside.
func (b *beside) Release(ctx context.Context) (helper.ReleaseResult, error) {
	r, err := b.Client.Release(ctx)
	if err == nil {
		b.released = true
	}
	return r, err
}

// Dial implements startup.Beside.
func (b *beside) Dial(ctx context.Context, socket string) (gdbremote.Conn, error) {
	if strings.HasPrefix(socket, helper.ByHandScheme) { // the helper has to know of it
		return b.DialServer(ctx, socket)
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, err
	}
	return conn.(*net.UnixConn), nil
}

// Close implements startup.Beside.
func (b *beside) Close() error {
	err := b.Client.Close()
	if b.released {
		return err
	}
	// How the helper ended does not matter if nothing that it had started is left.
	if left := b.left.end(); left != nil {
		return errors.Join(err, left)
	}
	return nil
}
