// Package platform runs lldb-server's platform without envoydbg, as one would by
// hand, for tests and benchmarks that compare with it or connect to it.
//
//	Start ──▶ lldb-server platform ◀── lldb-dap, with the commands of Connect
//
// It has no goroutines.
package platform
