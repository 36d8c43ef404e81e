// Package adapter is the debug adapter: one [Session] stands between a DAP
// client and lldb-dap.
//
//	                 ┌───────────────────────── Session ─────────────────────────┐
//	client ──DAP──▶ clientPump ──route, rewriter──▶ lldbWriter ──▶ lldb-dap (child)
//	client ◀──DAP── clientWriter ◀──rewriter, patch── lldbPump ◀── lldb-dap       │
//	                 │      ▲                                │ gdb-remote         │
//	                 │      │ output, progress, errors       ▼                    │
//	                 │   startup ◀──evidence── gdbremote.Relay ──▶ Beside ──▶ helper
//	                 └────────────────────────────────────────────────────────────┘
//
// A launch or attach request without "target" makes the session a plain pass
// through to lldb-dap. With "target" it becomes a startup session: the request
// is held, the startup sequence of startup.go runs, and lldb-dap gets an attach
// request of the adapter's making.
//
// Goroutines; all but the short ones have ended when Run returns:
//
//   - Run itself is the clientPump: it reads the client until that leaves.
//   - lldbPump reads lldb-dap's stdout; ends with that stream.
//   - clientWriter, lldbWriter (dapio.Writer): one each, end with Close.
//   - startup: one per startup session; runs the sequence, then watches the
//     parts until one of them ends or the session does.
//   - the load of the Sources, beside the startup, which waits for it; Sources
//     then tell of changes on a goroutine of their own, until the session ends.
//   - short ones that look for the cause of an end (watch.go) or compare a file
//     with its checksum (rewrite.go).
//   - end: runs the cleanup once, whoever asks first.
//   - the relay's and the helper connection's own goroutines, see there.
//
// What goes to lldb-dap is ordered by Session.routeMu: a request is forwarded,
// or put behind those that already wait, under that lock.
package adapter
