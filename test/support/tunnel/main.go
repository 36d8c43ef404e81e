package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/envoydbg/envoydbg/adapter/command"
	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/local"
	"github.com/envoydbg/envoydbg/adapter/remote"
	"github.com/envoydbg/envoydbg/adapter/startup"
	"github.com/envoydbg/envoydbg/internal/process"
)

func main() {
	os.Exit(command.MainFor(os.Args[1:], func(*config.Config) startup.Target { return target{} }))
}

// target is this machine, through commands. lldb-server is found as for a local one.
type target struct{ local.Target }

// Connect implements startup.Target.
func (target) Connect(ctx context.Context, n startup.Notices) (startup.Beside, error) {
	path, err := helper.FindBinary("", runtime.GOARCH)
	if err != nil {
		return nil, fault.NoHelper("", err)
	}
	reconnect, err := time.ParseDuration(cmp.Or(os.Getenv("TUNNEL_RECONNECT"), "5m"))
	if err != nil {
		return nil, err
	}
	b, err := remote.Connect(ctx, remote.Options{
		Run: func(ctx context.Context, args ...string) (io.ReadWriteCloser, error) {
			if _, err := os.Stat(os.Getenv("TUNNEL_DOWN")); err == nil {
				return nil, errors.New("the network is down")
			}
			c, err := process.Start(ctx, process.Command{Path: path, Args: args})
			if err != nil {
				return nil, err
			}
			return stream{c}, nil
		},
		Dir:       cmp.Or(os.Getenv("TUNNEL_DIR"), filepath.Join(os.TempDir(), fmt.Sprintf("pod%d", os.Getpid()))),
		Reconnect: reconnect,
		Lease:     2 * reconnect,
	}, n)
	if err != nil {
		return nil, err
	}
	return b, nil
}

// stream is a command's stdin and stdout.
type stream struct{ *process.Child }

func (s stream) Read(p []byte) (int, error)  { return s.Stdout.Read(p) }
func (s stream) Write(p []byte) (int, error) { return s.Stdin.Write(p) }
func (s stream) Close() error                { return errors.Join(s.Stdin.Close(), s.Stdout.Close()) }
