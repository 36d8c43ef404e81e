package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/envoydbg/envoydbg/internal/process"
	"golang.org/x/sys/unix"
)

// state is the folder of the one cluster that a user can have on a machine.
//
//	lock          locked by PID 1 of the cluster for as long as it lives
//	pid           this process as the machine sees it: its number and start time
//	kubeconfig    for kubectl on this machine
//	api.sock      leads to the API server, control.sock to PID 1
//	node/         what the parts write: etcd, containerd, kubelet, certificates
//	logs/         one file for each part
type state string

// openState makes the folder, which only this user can enter.
func openState() (state, error) {
	tools := os.Getenv("ENVOYDBG_TOOLS")
	if tools == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		tools = filepath.Join(cache, "envoydbg-tools")
	}
	s := state(filepath.Join(tools, "cluster"))
	if err := os.MkdirAll(string(s), 0o700); err != nil {
		return "", err
	}
	return s, os.Chmod(string(s), 0o700)
}

func (s state) path(elements ...string) string {
	return filepath.Join(append([]string{string(s)}, elements...)...)
}

// node is a path in the folder that the parts write to.
func (s state) node(elements ...string) string {
	return s.path(append([]string{"node"}, elements...)...)
}

var errRuns = errors.New("the cluster is up")

// take locks the state for a new cluster. The lock passes on with the descriptor.
func (s state) take() (*os.File, error) {
	lock, err := os.OpenFile(s.path("lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		lock.Close()
		if err == unix.EWOULDBLOCK {
			return nil, errRuns
		}
		return nil, fmt.Errorf("lock of %s: %w", s, err)
	}
	return lock, nil
}

// clear removes everything but the lock, which the caller holds.
func (s state) clear() error {
	entries, err := os.ReadDir(string(s))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() != "lock" {
			err = errors.Join(err, os.RemoveAll(s.path(e.Name())))
		}
	}
	return err
}

// setPID notes the cluster's PID 1 under its number outside.
func (s state) setPID(pid int) error {
	stat, err := process.Read(pid)
	if err != nil {
		return err
	}
	return os.WriteFile(s.path("pid"), fmt.Appendf(nil, "%d %d\n", stat.PID, stat.Start), 0o600)
}

// pid1 is the process that setPID has noted. The error is os.ErrProcessDone when it
// has ended, and another process may have its number.
func (s state) pid1() (*process.Handle, error) {
	text, err := os.ReadFile(s.path("pid"))
	if err != nil {
		return nil, err
	}
	var noted process.Stat
	if _, err := fmt.Sscan(string(text), &noted.PID, &noted.Start); err != nil {
		return nil, fmt.Errorf("%s: %w", s.path("pid"), err)
	}
	return noted.Open()
}
