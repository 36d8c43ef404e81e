package forward

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
)

// socket is an entry of /proc/net/tcp or tcp6 (proc_pid_net(5)).
type socket struct {
	local, remote netip.AddrPort // an IPv4 address in its own form, also in tcp6
	state         uint8
	unread        int
	uid           int
	inode         uint64
}

// States, by the kernel's names (include/net/tcp_states.h).
const (
	finWait1 = 4
	finWait2 = 5
	timeWait = 6
	closed   = 7
	lastAck  = 9
	listen   = 10
	closing  = 11
)

// over says that the process which had the socket has closed it. A socket that was never
// accepted has no inode either, but is established, or waits to be closed here.
func (s socket) over() bool {
	return s.inode == 0 && slices.Contains([]uint8{finWait1, finWait2, timeWait, closed, lastAck, closing}, s.state)
}

// tables are the files with all sockets of the network namespace. The second is not there
// where the kernel has no IPv6.
var tables = []string{"/proc/net/tcp", "/proc/net/tcp6"}

// sockets calls see with each TCP socket of the network namespace, until that is false.
func sockets(see func(socket) bool) error {
	for i, path := range tables {
		f, err := os.Open(path)
		if err != nil && i > 0 && os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return err
		}
		more, err := readSockets(f, see)
		f.Close()
		if err != nil || !more {
			return err
		}
	}
	return nil
}

func readSockets(r io.Reader, see func(socket) bool) (more bool, err error) {
	lines := bufio.NewScanner(r)
	lines.Scan() // the heading
	for lines.Scan() {
		s, err := parseSocket(lines.Text())
		if err != nil {
			return false, err
		}
		if !see(s) {
			return false, nil
		}
	}
	return true, lines.Err()
}

// parseSocket reads a line such as
//
//	0: 0100007F:3A99 0C00F40A:A8CA 01 00000000:00000005 00:00000000 00000000 1337 0 42 …
func parseSocket(line string) (s socket, err error) {
	f := strings.Fields(line)
	if len(f) < 10 {
		return s, fmt.Errorf("not an entry of /proc/net/tcp: %q", line)
	}
	if s.local, err = parseAddress(f[1]); err != nil {
		return s, err
	}
	if s.remote, err = parseAddress(f[2]); err != nil {
		return s, err
	}
	state, err := strconv.ParseUint(f[3], 16, 8)
	if err != nil {
		return s, fmt.Errorf("the state of %q: %w", line, err)
	}
	s.state = uint8(state)
	_, queue, _ := strings.Cut(f[4], ":")
	unread, err := strconv.ParseUint(queue, 16, 32)
	if err != nil {
		return s, fmt.Errorf("the queue of %q: %w", line, err)
	}
	s.unread = int(unread)
	if s.uid, err = strconv.Atoi(f[7]); err != nil {
		return s, fmt.Errorf("the user of %q: %w", line, err)
	}
	if s.inode, err = strconv.ParseUint(f[9], 10, 64); err != nil {
		return s, fmt.Errorf("the inode of %q: %w", line, err)
	}
	return s, nil
}

// parseAddress reads an address of 4 or 16 bytes, in words of the machine's byte order, and
// a port: "0100007F:3A99".
func parseAddress(text string) (none netip.AddrPort, err error) {
	address, port, _ := strings.Cut(text, ":")
	b, err := hex.DecodeString(address)
	if err != nil || len(b) != 4 && len(b) != 16 {
		return none, fmt.Errorf("not an address of /proc/net/tcp: %q", text)
	}
	n, err := strconv.ParseUint(port, 16, 16)
	if err != nil {
		return none, fmt.Errorf("not a port of /proc/net/tcp: %q", text)
	}
	for i := 0; i < len(b); i += 4 {
		binary.NativeEndian.PutUint32(b[i:], binary.BigEndian.Uint32(b[i:]))
	}
	a, _ := netip.AddrFromSlice(b)
	return netip.AddrPortFrom(a.Unmap(), uint16(n)), nil
}

// peerOf finds the other end of a connection in the network namespace.
func peerOf(local string) (p Peer, err error) {
	ours, err := address(local)
	if err != nil {
		return p, err
	}
	listeners := map[uint16]uint64{}
	port := uint16(0)
	err = sockets(func(s socket) bool {
		switch {
		case s.state == listen:
			listeners[s.local.Port()] = s.inode
		case s.remote == ours:
			port = s.local.Port()
			p = Peer{Local: s.local.String(), Accepted: s.inode != 0, UID: s.uid, Inode: s.inode, Unread: s.unread, Closed: s.over()}
		}
		return true
	})
	p.Listener = listeners[port]
	return p, err
}

func address(text string) (netip.AddrPort, error) {
	a, err := netip.ParseAddrPort(text)
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port()), err
}

// listening says whether somebody in the network namespace listens on a port.
func listening(port int) (found bool, err error) {
	err = sockets(func(s socket) bool {
		found = s.state == listen && int(s.local.Port()) == port
		return !found
	})
	return found, err
}
