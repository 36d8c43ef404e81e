// Package cost measures what envoydbg adds to the time of a request, against
// lldb-dap without it.
//
//	           ┌─▶ lldb-dap ───────────────────────────▶ sample          direct
//	plain      └─▶ envoydbg dap ─▶ lldb-dap ───────────▶ sample          proxied
//
//	           ┌─▶ lldb-dap ─▶ lldb-server platform ───▶ sample          direct
//	startup    └─▶ envoydbg dap ─▶ lldb-dap ─▶ relay ─▶ helper
//	                                 ─▶ lldb-server ───▶ gate ─▶ sample  proxied
//
// Both sessions of a pair live at the same time and stand at the same place of
// the same program; the requests take turns, and so does who is first. What else
// the machine does meets both.
//
// BenchmarkCost writes docs/proxy-cost.md (make bench-cost); the test runs a
// small part of it with the test command.
//
// It has no goroutines: the client writes and reads on the caller's, so that no
// switch between goroutines of its own is measured.
package cost
