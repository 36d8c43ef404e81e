// Package adapter is the debug adapter: one [Session] stands between a DAP
// client and lldb-dap.
//
//	          ┌───────────────────────────── Session ─────────────────────────────┐
//	client ──▶ read ─▶ inbox ─▶ router.fromClient ─▶ act ─▶ forward ──▶ lldb.DAP ─┼─▶ lldb-dap
//	          │                   │ own answers                           │       │
//	client ◀─ Writer ◀────────────┴──────── answered, event ◀─────────────┘ ◀─────┼── lldb-dap
//	          │                   ▲                                               │
//	          │        startup.Startup ◀── gdbremote.Relay, helper                │
//	          └───────────────────────────────────────────────────────────────────┘
//
// To follow a request, read router.go from the top: fromClient takes it, the table
// of states.go says what becomes of it in the state the session is in, forward sends
// it to lldb-dap, answered brings the answer back. events.go has what lldb-dap says
// by itself, sets.go the requests that set breakpoints, host.go what the startup does
// with the session, end.go the end.
//
// A launch or attach request without "target" makes the session plain: everything
// passes to lldb-dap. With "target" it becomes a startup session (package startup).
//
// # Who owns what
//
//   - router: the state, every request until it is answered, the breakpoints
//     (package breakpoints). One lock; nothing blocks under it.
//   - lldb.DAP: the process, its streams, what it has not answered. Where one stands by that
//     has the program's symbols (package warm), launch and attach take that (warm.go).
//   - startup.Startup: the sequence, the relay, the helper.
//   - Session: which of these there are, and that they end.
//
// # Goroutines
//
//   - Run reads the client, and does nothing else that can block.
//   - route: hands the messages to the router.
//   - lldb.DAP has one that reads lldb-dap; dapio.Writer one each.
//   - explain: one for each request that left breakpoints unbound, until it knows why,
//     for two seconds at most.
//   - do: one for initialize and one for launch or attach, until that is done.
//   - startup.Startup has its own, see there.
//   - end: one, once, whoever asks first. It asks the parts to end, each within a
//     bound, and needs none of them to.
package adapter
