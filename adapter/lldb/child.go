package lldb

import (
	"context"
	"os"

	"github.com/envoydbg/envoydbg/internal/process"
)

// Child is a running lldb-dap.
type Child struct {
	*process.Child
	Path string
}

// Start runs lldb-dap with env added to the environment, as the leader of a process
// group that ends with it. Closing its stdin does not end lldb-dap while it waits,
// so the kernel kills it when the adapter is killed. When ctx ends before lldb-dap
// runs, the error is that of ctx.
func Start(ctx context.Context, path string, env ...string) (*Child, error) {
	c, err := process.Start(ctx, process.Command{Path: path, Env: append(os.Environ(), env...), Group: true, Tied: true})
	if err != nil {
		return nil, err
	}
	return &Child{Child: c, Path: path}, nil
}
