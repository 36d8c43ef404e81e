// Package link carries one byte stream over a succession of transports: when one
// breaks, the next goes on where it stopped, with no byte lost or doubled.
//
//	adapter                                              beside Envoy
//	┌────────┐  Dial  ┌─────────────────────────────┐    ┌────────┐
//	│ Conn ◀─┼────────┤ transport 1 (an exec) ✂ cut ├────┼▶ Conn  │
//	│        │        ├─────────────────────────────┤    │        │
//	│        ├────────┤ transport 2                 ├────┤ Server │
//	└────────┘        └─────────────────────────────┘    └────────┘
//
// Each end numbers the bytes that it writes, and keeps those that the other end's
// application has not read yet. After a cut the client makes a new transport, and
// each end tells the other how many bytes it has received. Then each sends again
// what the other has missed.
//
// # The bytes of a transport
//
// The client begins with "envoydbg-link" and the version as one byte. Frames follow,
// in both directions:
//
//	byte 0     type
//	bytes 1-4  length of what follows, big-endian
//
//	type  name      direction         content
//	1     hello     client → server   JSON, see [Hello]; the first frame
//	2     welcome   server → client   8 bytes: how many bytes it has received
//	3     refused   server → client   JSON, see [Refused]; nothing follows
//	4     data      both              8 bytes: number of the first byte; the bytes
//	5     ack       both              8 bytes: how many bytes the application has read
//	6     close     both              nothing; the stream ends after what was sent
//
// An ack means that the application has read the bytes, not that they have arrived.
// Thus one bound, [Options.Window], limits what a writer keeps for replay and what a
// reader holds for a slow application: a Write beyond it waits. Transports are always
// read, so that a slow application is not taken for a dead transport.
//
// Each end sends an ack at every [Options.Heartbeat]. Where nothing at all has come
// for [Options.Silence] the transport is cut: the other end of a half-open connection
// says nothing, and neither does the kernel.
//
// Numbers are 64 bits and begin at 0 with the session. A frame that does not fit (an
// unknown type, a wrong number, a length beyond its bound) cuts the transport.
//
// # Who may connect
//
// A server belongs to the first client that gives the session's name and its token.
// Every other client is refused, and told who has the session and since when. A new
// transport of the same client takes the place of an older one, which may be
// half-open; of two transports that arrive in the wrong order the client's later one
// wins.
//
// # The end
//
// Close sends what has been written, then a close frame, and waits for the other
// end's, for [Options.Linger] at most. The other end then reads what is left, and
// io.EOF after it. A client that is cut off tries for [Options.Reconnect]; then its
// Reads and Writes return a [*LostError]. A server without a client for its lease
// gives up with [ErrLease].
//
// # Goroutines
//
// For each transport one that reads and one that writes; both end with it. A write
// or a Close that blocks in a broken transport may keep one of them longer. A client has
// one more, for its life, which makes new transports, one for a Dial that has not
// returned in time, and one while Cut or Resumed is called. Timers run while a server has no client, and while a transport is
// silent. Nothing polls.
package link
