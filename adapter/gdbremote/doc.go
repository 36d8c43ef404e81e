// Package gdbremote carries the connections between LLDB and its debug server,
// and watches the attach on them. It knows nothing of the Debug Adapter Protocol.
//
//	client (lldb-dap)                     Relay                        debug server
//	                   D/p.sock     ┌── link "platform" ──┐  Dial
//	  platform    ────────────────▶ │ pump ─▶             │ ──────▶ lldb-server platform
//	              ◀──────────────── │             ◀─ pump │ ◀──────
//	                                └──────────┬──────────┘
//	         qLaunchGDBServer's reply names …  │ redirect: … a socket of the relay's
//	                   D/s:/gN.sock ┌──────────▼──────────┐  Dial
//	  gdb-remote  ────────────────▶ │ link "gN"           │ ──────▶ lldb-server gdbserver
//	              ◀──────────────── │  Arming · Attached  │ ◀──────
//	                                └──────────┬──────────┘
//	                                           └──▶ Observer
//
// A pump reads frames ([Reader]) and passes their bytes on as they are. Four
// things are more than that, and all of them are in link.go:
//
//   - The reply to qLaunchGDBServer is rewritten, so that the client's second
//     connection comes through the relay, too.
//   - The attach packet (vAttachOrWait and its like) is evidence: once it has
//     been written to the server, the Observer hears of it, and the server will
//     find the process even if it appears at that very moment.
//   - The answer to the attach may be held back (Config.SkipToExec): see below.
//   - The attached process is shown to Config.Admit before the client knows of
//     it. If it is not admitted the server lets go of it (D), and after the
//     server's OK the client hears that its attach failed (E01).
//
// Frames with a wrong checksum are passed on for the receiver to reject.
//
// # The exec within the attach
//
// Envoy is not awaited itself but a gate, a small program in its place that
// execs Envoy, in the same process, as soon as it is traced. With SkipToExec the
// client never sees the gate:
//
//	client            relay             server
//	  │ vAttachOrWait;… │ vAttachOrWait;… │
//	  ├────────────────▶├────────────────▶│  … the gate appears
//	  │                 │◀────────────────┤ T13  attached, stopped by SIGSTOP
//	  │                 ├────────────────▶│ vCont;c
//	  │                 │◀────────────────┤ T05reason:exec  Envoy's entry
//	  │◀────────────────┤                 │
//
// Any stop in between is swallowed likewise. A signal other than SIGTRAP and
// SIGSTOP goes to the process (vCont;C), as it would have without a debugger.
// SIGSTOP is one of the attach's own making; a second one comes when the attach
// fell into the gate's own exec. If the process ends instead, the W or X reply
// answers the attach, and Attached.Err wraps [ErrEnded].
//
// It is safe because of what the client has done by then, which is nothing: in
// gdb-remote it may send no packet between the attach and the stop reply that
// answers it ("vAttach" and "Stop Reply Packets" in the GDB manual, appendix E),
// except the interrupt byte, which passes. It has set no breakpoint and read no
// memory, so that nothing of what it knows is of the gate. A stop reply says the
// same after an exec as after an attach: the process, its threads, why it
// stopped. In acknowledged mode the relay acknowledges what it swallows and
// swallows the acknowledgements of what it sends.
//
// Packets: GDB manual, appendix E "GDB Remote Serial Protocol", sections
// Overview, Packets, Stop Reply Packets, Packet Acknowledgment. LLDB's own:
// "Extensions to the GDB Remote Protocol" (vAttachWait, vAttachOrWait, the keys
// of a stop reply) and "LLDB Platform Packets" (qLaunchGDBServer) in LLDB's
// documentation.
//
// # Goroutines
//
// All belong to a [Relay] and have ended when its Close returns.
//
//   - accept: one, takes platform connections; ends when Close closes its socket.
//   - One for each gN.sock takes the one connection it is for and closes the socket.
//   - carry: one a connection. It dials, then is the pump from the server.
//   - The pump from the client: one a connection, started and waited for by carry.
//
// When the client leaves, its pump ends and closes the server's writing side;
// the server then ends the connection, and with it the other pump. When the
// server ends it, carry first tells the Observer, with an error unless there was
// nothing to debug any more, then closes the client's connection. Close ends
// both sides of all of them and tells nobody.
package gdbremote
