package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/envoydbg/envoydbg/adapter/command"
	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/lldb"
	"github.com/envoydbg/envoydbg/adapter/remote"
	"github.com/envoydbg/envoydbg/adapter/startup"
	"github.com/envoydbg/envoydbg/test/support/machine"
)

func main() {
	os.Exit(command.MainFor(os.Args[1:], func(*config.Config) startup.Target { return target{} }))
}

// target is the machine.
type target struct{}

// Connect implements startup.Target.
func (target) Connect(ctx context.Context, n startup.Notices) (startup.Beside, error) {
	b, err := remote.Connect(ctx, remote.Options{
		Run: func(ctx context.Context, args ...string) (io.ReadWriteCloser, error) {
			return machine.Run(ctx, os.Getenv("MACHINE_SOCKET"), machine.Command{
				Args: append([]string{machine.Helper}, args...), Env: machine.Env, User: machine.User})
		},
		Dir: os.Getenv("MACHINE_DIR"),
	}, n)
	if err != nil {
		return nil, err
	}
	return b, nil
}

// LLDBServer implements startup.Target.
func (target) LLDBServer(_ context.Context, _, _ string, v lldb.Version) (string, error) {
	return fmt.Sprintf("/usr/lib/llvm-%d/bin/lldb-server", v.Major), nil
}

// Name implements startup.Target.
func (target) Name() string { return "the arm64 machine" }

// Where implements startup.Target.
func (target) Where() startup.Where { return startup.Where{} }

// Agent implements startup.Target.
func (target) Agent() []string { return nil }
