package warm

import (
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

// peerOf is the process id of who listens at the other end (unix(7), SO_PEERCRED).
func peerOf(conn *net.UnixConn) (pid int, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	controlled := raw.Control(func(fd uintptr) {
		var peer *unix.Ucred
		if peer, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
			pid = int(peer.Pid)
		}
	})
	if err == nil {
		err = controlled
	}
	if err == nil && pid == 0 {
		err = errors.New("it is in another PID namespace")
	}
	return pid, err
}
