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
// What is measured is the product: the session, the helper and its gate run as
// they do for a user. Two things are put in their place, both at the seam
// [startup.Target]: the agent is started before the debug server is armed, and
// not after, because only an agent that runs already can exec Envoy so soon
// after the packet; and it is a fake, because the real one takes some 60 ms to
// come to its exec. Both make it harder.
//
// The two tests are part of the test command; BenchmarkRace runs every cell and
// writes docs/race.md (make bench-race).
//
// Goroutines: those of the sessions and clients; each run ends its own and
// checks that no process is left.
package race
