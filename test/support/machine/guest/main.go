//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/hashicorp/yamux"
	"golang.org/x/sys/unix"

	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/test/support/machine"
	"github.com/envoydbg/envoydbg/test/support/pidns"
)

func main() {
	err := serve()
	fmt.Fprintln(os.Stderr, "guest: switching off:", err)
	unix.Sync()
	err = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	fmt.Fprintln(os.Stderr, "guest:", err)
}

// serve returns when the host has closed the port.
func serve() error {
	if err := setUp(); err != nil {
		return err
	}
	go reap()
	port, err := os.OpenFile(machine.Port, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	// Before anything is read: until the host has the port open, that would be its end.
	if _, err := port.Write([]byte{machine.Up}); err != nil {
		return err
	}
	mux, err := yamux.Server(port, helper.MuxConfig())
	for err == nil {
		var stream *yamux.Stream
		if stream, err = mux.AcceptStream(); err == nil {
			go run(stream)
		}
	}
	if errors.Is(err, io.EOF) {
		return errors.New("the host has closed the port")
	}
	return err
}

// setUp mounts what programs expect, and loads the driver of the port. It returns when the
// port can be opened.
func setUp() error {
	for _, m := range []struct{ kind, at, options string }{
		{"proc", "/proc", ""}, {"sysfs", "/sys", ""}, {"devtmpfs", "/dev", ""}, {"tmpfs", "/run", "mode=755"}, {"tmpfs", "/tmp", "mode=1777"},
	} {
		if err := unix.Mount(m.kind, m.at, m.kind, 0, m.options); err != nil {
			return fmt.Errorf("mount %s: %w", m.at, err)
		}
	}
	for link, to := range map[string]string{"/dev/fd": "/proc/self/fd", "/dev/stdin": "fd/0", "/dev/stdout": "fd/1", "/dev/stderr": "fd/2"} {
		if err := os.Symlink(to, link); err != nil {
			return err
		}
	}
	if err := pidns.LoopbackUp(); err != nil {
		return err
	}
	events, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM, unix.NETLINK_KOBJECT_UEVENT)
	if err == nil {
		defer unix.Close(events)
		err = unix.Bind(events, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1})
	}
	if err != nil {
		return fmt.Errorf("the kernel's events: %w", err)
	}
	// Named so that their order is that of their needs.
	modules, err := filepath.Glob("/lib/modules/*.ko")
	if err != nil {
		return err
	}
	slices.Sort(modules)
	for _, path := range modules {
		if err := load(path); err != nil {
			return fmt.Errorf("load %s: %w", path, err)
		}
	}
	// Its device appears before it can be opened, and gets its name after that.
	for b := make([]byte, 8<<10); ; {
		n, err := unix.Read(events, b)
		if err != nil {
			return fmt.Errorf("the kernel's events: %w", err)
		}
		event, _, _ := bytes.Cut(b[:n], []byte{0})
		if bytes.HasPrefix(event, []byte("change@")) && bytes.HasSuffix(event, []byte("/"+filepath.Base(machine.Port))) {
			return nil
		}
	}
}

func load(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.FinitModule(int(f.Fd()), "", 0)
}
