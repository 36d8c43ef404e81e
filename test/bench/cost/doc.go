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
// The copier, another process of the test's program, only passes bytes on: it shows
// the cost of any program in between. All sessions run at the same time, stopped at
// the same place of the same program. They take turns, each of them equally often
// first, so that whatever else the machine does affects all of them.
//
// BenchmarkCost writes docs/proxy-cost.md (make bench-cost). The test runs a small
// part of it.
//
// The client writes and reads on the goroutine of its caller, so that no switch
// between goroutines is measured. The copier has one goroutine for each direction.
package cost
