//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/hashicorp/yamux"
	"golang.org/x/sys/unix"

	"github.com/envoydbg/envoydbg/test/support/machine"
)

// run runs the command of a stream, which ends when its stdout does.
func run(stream *yamux.Stream) {
	defer stream.Close()
	in := bufio.NewReader(stream)
	stdin, stdout, err := start(in)
	if err != nil {
		fmt.Fprintln(stream, "guest:", err)
		return
	}
	go func() {
		defer stdin.Close()
		if _, err := io.Copy(stdin, in); err != nil { // it reads no more: its user may go on writing
			_, _ = io.Copy(io.Discard, in)
		}
	}()
	_, _ = io.Copy(stream, stdout)
	_ = stdout.Close()
}

// start starts the command that a stream begins with.
func start(in *bufio.Reader) (stdin, stdout *os.File, err error) {
	line, err := in.ReadBytes('\n')
	if err != nil {
		return nil, nil, err
	}
	var c machine.Command
	if err := json.Unmarshal(line, &c); err != nil {
		return nil, nil, err
	}
	inR, stdin, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	defer inR.Close()
	stdout, outW, err := os.Pipe()
	if err != nil {
		return nil, nil, errors.Join(err, stdin.Close())
	}
	defer outW.Close()
	p, err := os.StartProcess(c.Args[0], c.Args, &os.ProcAttr{
		Dir: "/", Env: c.Env, Files: []*os.File{inR, outW, os.Stderr},
		Sys: &syscall.SysProcAttr{Setsid: true, Credential: &syscall.Credential{Uid: c.User, Gid: c.User}}})
	if err != nil {
		return nil, nil, errors.Join(err, stdin.Close(), stdout.Close())
	}
	return stdin, stdout, p.Release()
}

// reap reaps every process whose parent is this one, as the first one of a machine must.
func reap() {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, unix.SIGCHLD)
	for range ended {
		for {
			if pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); pid <= 0 && !errors.Is(err, unix.EINTR) {
				break
			}
		}
	}
}
