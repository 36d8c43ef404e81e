package adapter

import (
	"context"
	"os"
	"runtime"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/gdbremote"
	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/lldb"
)

// Local is the target "local": Envoy runs on this machine, and the helper as a
// child of the adapter.
type Local struct {
	// HelperDir is where the helper's binaries are; empty means beside the
	// running executable.
	HelperDir string
}

// Connect implements Target.
func (l Local) Connect(_ context.Context, n Notices) (Beside, error) {
	path, err := helper.FindBinary(l.HelperDir, runtime.GOARCH)
	if err != nil {
		return nil, fault.NoHelper(errPath(err), err)
	}
	c, err := helper.Start(path, helper.Handlers{Output: n.Output, Gate: n.Gate, Exit: n.Exit})
	if err != nil {
		return nil, fault.HelperStart(err, "")
	}
	return child{c}, nil
}

func errPath(err error) string {
	if p, ok := err.(*os.PathError); ok {
		return p.Path
	}
	return err.Error()
}

// LLDBServer implements Target.
func (Local) LLDBServer(wanted, dap string, v lldb.Version) (string, error) {
	return lldb.FindServer(wanted, dap, v)
}

// child is a helper.Client as a Beside.
type child struct{ *helper.Client }

// Dial implements Beside.
func (c child) Dial(ctx context.Context, socket string) (gdbremote.Conn, error) {
	return c.DialServer(ctx, socket)
}
