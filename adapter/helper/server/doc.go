//go:build linux

// Package server is the helper's side of the conversation that package helper
// defines: everything that happens beside Envoy.
//
// It runs in one of two ways (command.go). With stdio the stream is the session, and
// its end ends everything. With serve it is a daemon, which streams come and go to:
//
//	stdio ──▶ supervise ── two processes that watch each other ──▶ Serve(stdin, stdout)
//
//	serve ──▶ supervise ── the same two, in a session of their own ▶ Serve(link.Conn)
//	connect ── stdin, stdout ──▶ DIR/link/s ─▶ link.Server ──────────────▲
//	continue ───────────── DIR/link/continue ─▶ what was left stopped runs on
//	status ◀── the lock of the place (place.go), /proc
//	logs ◀── stdout ──────────── DIR/link/logs ◀── store ◀── output of the agent
//
//	stream 1 ─▶ handle ─┬▶ platformStart ─▶ lldb-server platform ─▶ gdbservers
//	   ▲                ├▶ platformConnect ─▶ one that was started by hand (byhand.go)
//	   │                ├▶ agentStart ────▶ agent ─▶ gate ─▶ Envoy
//	   │                │                     │        │
//	   └── queue ◀──────┼──── exit ◀──────────┤        │
//	         ▲──────────┼──── followGate ◀────┼────────┘ (unix socket)
//	         ▲          └▶ end (also when the stream ends)
//	         └ watchBypass                    │
//	stream 2 ◀── output ◀──── pump ◀──────────┘
//	stream 3… ─▶ join ─▶ a socket in the session's folder, or an address of a platform
//	                     that was started by hand
//
// # The session's folder
//
//	DIR                 0711
//	├ lldb              0700: lldb-server's sockets, and decoy/NAME (byhand_conns.go)
//	├ link              0700: a daemon's sockets (place.go has its other files)
//	└ RANDOM            0711: the gate, which an agent of another user may run
//	  ├ start-NAME      what agents start
//	  ├ bin/envoy       leads there, for PATH
//	  ├ step-NAME.PID, NAME
//	  └ g.sock          0666: answers descendants of the agent only
//
// # Processes
//
// Every program is started in a session of its own by one locked thread, with
// PDEATHSIG. The helper is a subreaper: orphans become its children, so that
// all it has caused to run are its descendants, and nothing else is ever
// signalled; internal/process says how. As PID 1 of a container it would become the
// parent of everybody's orphans; there a process of its own does the work (command.go).
// The reaper is the only one that waits for
// children; see [children]. That nothing is left is said only when the kernel
// confirms it: no descendant in /proc, and no child.
//
// # Goroutines
//
//   - Serve's own: waits for the end of the stream or of ctx, then ends all.
//   - starter and reap (children.go): for the life of the process.
//   - one sender that empties the queue into stream 1, one acceptor of streams:
//     end with the stream; a goroutine for each request; one for the stream of
//     output (output.go); two for each debug-server stream (dial.go),
//     and one for each debug server of a platform that was started by hand, from the
//     end of its stream until it has ended (byhand_conns.go).
//   - for each agent: two pumps, which end when the last holder of the agent's
//     pipes does; one that reports the exit; one that looks for an Envoy beside
//     the gate until it is settled (bypass.go). Two for each process at the gate,
//     and one that accepts them (gates.go).
//   - for a daemon: one that accepts at each of its three sockets, and for each
//     connection one that serves it, besides those of package link; in its supervisor
//     one that copies the log.
//   - for the platform: one that keeps the tail of its output, one that reports
//     its exit, and during its start one that reads inotify.
package server
