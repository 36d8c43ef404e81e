package warm

import (
	"net"

	"golang.org/x/sys/unix"
)

// peerOf is the process id of who listens at the other end, as this process's PID namespace
// has it: 0 if it is in another one (unix(7), SO_PEERCRED).
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
	return pid, err
}
