// Package forward makes TCP connections from a container in which only commands can be
// run, and says where they have come out: whether a process of the same pod, such as an
// Envoy to which the kernel redirects them, has the other end.
//
//	Client.Dial ──┐                                   ┌─▶ dial ── TCP ──▶ address
//	Client.Peer ──┼── yamux over one byte stream ─────┼─▶ /proc/net/tcp
//	Client.Look ──┘   (stdio of envoydbg-helper       └─▶ /proc: who listens, which
//	                   forward, run by an exec)            Envoys run or are stopped
//
// Each stream begins with a line of JSON, an [Ask], to which the other side answers with
// a line, an [Answer]. After the answer to a dial come the bytes of the connection.
//
// # How a connection is followed
//
// An application that is in a mesh does not see that its connection was redirected:
// getpeername(2) has the address that it asked for. But both ends of a redirected
// connection are in the network namespace of the pod, whose /proc/net/tcp lists them for
// everybody. The entry whose remote address is the local address of the connection is its
// other end. These facts were found by experiment (Linux 5 and 6):
//
//   - its local address is where the redirection leads (127.0.0.1:15001 in Istio);
//   - its inode is 0 until the process that listens has called accept(2), and its user
//     is 0 until then; after it, both are those of the socket, and the process that has
//     that socket has a descriptor "socket:[inode]";
//   - its receive queue is what that process has not read yet;
//   - a connection that leaves the pod has no such entry.
//
// Goroutines: the two of yamux on each side; on the side of the container one for each
// stream, and for each connection two more, which end with it. All end with the byte stream, which is
// found to be dead within a minute even where nobody closes it.
package forward
