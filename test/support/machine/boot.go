package machine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/hashicorp/yamux"

	"github.com/envoydbg/envoydbg/adapter/helper"
)

// bootTime bounds the machine's start, which takes 20 s on a processor of its own.
const bootTime = 3 * time.Minute

// Machine is one that is up.
type Machine struct {
	// Socket is for [Run].
	Socket string
	// Console is the file of what the kernel and the commands' stderr print.
	Console string

	qemu     *exec.Cmd
	exited   chan struct{} // closed when qemu has ended
	mux      *yamux.Session
	listener net.Listener
}

// Boot starts a machine of the kernel and the file system in image, which test/setup/arm64.sh
// makes. Its own files are in dir, whose path must be short.
func Boot(ctx context.Context, image, dir string) (_ *Machine, err error) {
	ctx, cancel := context.WithTimeout(ctx, bootTime)
	defer cancel()
	m := &Machine{Socket: filepath.Join(dir, "commands"), Console: filepath.Join(dir, "console"), exited: make(chan struct{})}
	port, err := net.Listen("unix", filepath.Join(dir, "port"))
	if err != nil {
		return nil, err
	}
	defer port.Close()
	m.qemu = exec.Command("qemu-system-aarch64", "-M", "virt", "-cpu", "max,pauth-impdef=on", "-smp", "1", "-m", "2G",
		"-nodefaults", "-display", "none", "-no-reboot", "-serial", "file:"+m.Console,
		"-kernel", filepath.Join(image, "vmlinuz"), "-initrd", filepath.Join(image, "root.cpio"),
		"-append", "console=ttyAMA0 quiet panic=-1",
		"-device", "virtio-serial-device", "-chardev", "socket,id=port,path="+filepath.Join(dir, "port"),
		"-device", "virtserialport,chardev=port,name=commands")
	m.qemu.Stderr = os.Stderr
	m.qemu.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := m.qemu.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = m.qemu.Wait()
		close(m.exited)
	}()
	defer func() {
		if err != nil {
			_ = m.Close()
			console, _ := os.ReadFile(m.Console)
			err = fmt.Errorf("the machine did not come up: %w; its console:\n%s", err, console)
		}
	}()
	up := make(chan error, 1)
	go func() { up <- m.reach(port) }()
	select {
	case err = <-up:
	case <-m.exited:
		err = errors.New("qemu ended: " + m.qemu.ProcessState.String())
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, err
	}
	if m.listener, err = net.Listen("unix", m.Socket); err != nil {
		return nil, err
	}
	go m.serve()
	return m, nil
}

// reach waits until the machine takes commands.
func (m *Machine) reach(port net.Listener) error {
	conn, err := port.Accept()
	if err != nil {
		return err
	}
	b := make([]byte, 1)
	if _, err := io.ReadFull(conn, b); err != nil {
		return err
	}
	if b[0] != Up {
		return fmt.Errorf("it began with %q", b)
	}
	m.mux, err = yamux.Client(conn, helper.MuxConfig())
	return err
}

// serve passes each connection on to a stream.
func (m *Machine) serve() {
	for {
		conn, err := m.listener.Accept()
		if err != nil {
			return // closed
		}
		stream, err := m.mux.Open()
		if err != nil {
			_ = conn.Close()
			continue
		}
		go func() {
			_, _ = io.Copy(stream, conn)
			_ = stream.Close() // which can still be read
		}()
		go func() {
			_, _ = io.Copy(conn, stream)
			_ = conn.Close()
			_, _ = io.Copy(io.Discard, stream) // or it would hold its command up
		}()
	}
}

// Close ends the machine, as a cut of its power does.
func (m *Machine) Close() error {
	if m.listener != nil {
		_ = m.listener.Close()
	}
	err := m.qemu.Process.Kill()
	<-m.exited
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}
