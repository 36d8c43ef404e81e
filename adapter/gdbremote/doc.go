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
// A pump reads frames ([Reader]) and passes their bytes on as they are; link.go
// does the reading and writing. What a packet means depends on the request that it
// answers, so conversation.go keeps the requests that are not answered yet, and
// decides. In these cases the relay does more than pass a packet on:
//
//   - The reply to qLaunchGDBServer is rewritten, so that the client's second
//     connection comes through the relay, too.
//   - The attach packet (vAttachOrWait and its like) to the awaited name is
//     evidence: once it has been written to the server, the Observer hears of it,
//     and the server will find the process even if it appears at that very moment.
//   - The answer to this attach may be held back (Config.SkipToExec): see below.
//   - The attached process is shown to Config.Admit before the client knows of
//     it. If it is not admitted the server lets go of it (D), and after the
//     server's OK the client hears that its attach failed (E01).
//   - A SIGSTOP of the attach that comes late is swallowed: see below.
//   - The Observer hears of the end of the attached process.
//   - Between two resumes a region of the address space is asked for once: the relay
//     gives the server's answer again for another address in it (cache.go).
//   - With a companion beside the server it answers what has come with the stop, and
//     what need not be waited for (ahead.go).
//   - A process that was found too late can be made to stop where it is
//     (StopInPlace): the relay answers the client's first resume itself.
//   - A detach may be done by another way than the server's (Detach), because
//     lldb-server sends SIGCONT to the process that it lets go of.
//
// Every other attach is the user's: by process id, to another name, or to the
// same name when the session has its process already. It is only passed on.
//
// # Bounds
//
// A packet above [MaxPacket] passes in parts and is not interpreted, so a
// connection needs a few MiB at most. A side that does not read holds back the
// other one. A client with 1000 requests unanswered is disconnected. Dialling and
// Config.Admit have 10 s each, and so has a server to end the connection that its
// client has left. Close takes 2 s at most. A panic ends its connection only.
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
// swallows the acknowledgements of what it sends. Without acknowledgements it
// takes packets with a wrong checksum for valid, as LLDB and lldb-server do.
//
// # The late SIGSTOP
//
// The kernel sends SIGSTOP to a process that is attached to. When the attach falls
// into an execve, the process stops at the end of the execve for that reason; the
// debug server takes this for the stop it waits for, and the SIGSTOP stays pending.
// It stops the process when that is first resumed, before it has run one
// instruction. Without SkipToExec the client would show it as a stop of its own
// (LLDB 22: in 3 of 278 sessions without the gate). The relay knows it by its
// program counters, which are those of the attach, and repeats the client's resume. After
// an interrupt of the client's a SIGSTOP is the answer to that, and passes.
//
// Packets: GDB manual, appendix E "GDB Remote Serial Protocol", sections
// Overview, Packets, Stop Reply Packets, Packet Acknowledgment. LLDB's own:
// "Extensions to the GDB Remote Protocol" (vAttachWait, vAttachOrWait, the keys
// of a stop reply) and "LLDB Platform Packets" (qLaunchGDBServer) in LLDB's
// documentation.
//
// # Goroutines
//
// All belong to a [Relay]. When its Close returns without an error they have ended;
// a Dial or an Admit that does not heed its context keeps its own until it returns.
//
//   - accept: one, takes platform connections; ends when Close closes its socket.
//   - One for each gN.sock takes the one connection it is for and closes the socket.
//   - carry: one a connection. It dials, then is the pump from the server.
//   - The pump from the client: one a connection, started and waited for by carry.
//   - One for each Dial and each Admit under way.
//
// When the client leaves, its pump ends and closes the server's writing side;
// the server then ends the connection, and with it the other pump. When the
// server ends it, carry first tells the Observer, with an error unless there was
// nothing to debug any more, then closes the client's connection. Close ends
// both sides of all of them and tells nobody.
package gdbremote
