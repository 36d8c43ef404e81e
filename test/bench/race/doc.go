// Package race measures whether a debugger is in time for the start of Envoy:
// how often it misses it, and how often main() has begun at the first stop.
//
//	TestMain (pidns: a PID namespace, loopback alone)
//	  lab ── crowd of 0, 60, 200 idle processes
//	   ├─ product: client ─DAP─▶ adapter.Session ─▶ lldb-dap ─▶ relay ─▶ helper ─▶ lldb-server
//	   │                              │ Beside                             │
//	   │                              └─ early: starts the agent before,   ▼
//	   │                                 sees the attach packet  ──time──▶ fakeagent ─▶ [gate ─▶] envoy
//	   └─ recipe:  client ─DAP─▶ lldb-dap ─▶ lldb-server
//	                    └─ "Waiting to attach", pause ──time──▶ fakeagent ─▶ envoy
//	  look: /proc/PID of the stopped Envoy, and its stack
//
// The product is measured: the session, the helper and its gate run as they do for
// a user. Two things are replaced, both through the interface [startup.Target]. The
// agent is started before the debug server is armed, not after, because only an
// agent that is running can exec Envoy so soon after the packet. And the agent is a
// fake, because the real one takes about 60 ms until its exec. Both make the race
// harder to win.
//
// The tests run with the other tests; BenchmarkRace runs every cell and writes
// docs/race.md (make bench-race).
//
// Goroutines: those of the sessions and clients; each run ends its own and
// checks that no process is left.
package race
