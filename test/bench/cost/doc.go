// Package cost measures what envoydbg adds to the time of a request, against
// lldb-dap without it.
//
//	           ┌─▶ lldb-dap ───────────────────────────▶ sample          direct
//	plain      ├─▶ copier ─▶ lldb-dap ─────────────────▶ sample          copied
//	           └─▶ envoydbg dap ─▶ lldb-dap ───────────▶ sample          proxied
//
//	           ┌─▶ lldb-dap ─▶ lldb-server platform ───▶ sample          direct
//	startup    ├─▶ copier ─▶ lldb-dap ─▶ lldb-server ──▶ sample          copied
//	           └─▶ envoydbg dap ─▶ lldb-dap ─▶ relay ─▶ helper
//	                                 ─▶ lldb-server ───▶ gate ─▶ sample  proxied
//
// The copier, which is this test's program again, passes bytes on and does no
// more: what it adds is the price of being between at all. All sessions live at
// the same time and stand at the same place of the same program; they take turns,
// and so does who is first. What else the machine does meets all of them.
//
// BenchmarkCost writes docs/proxy-cost.md (make bench-cost); the test runs a
// small part of it with the test command.
//
// The client has no goroutines: it writes and reads on the caller's, so that no
// switch between goroutines of its own is measured. The copier has one for each
// direction.
package cost
