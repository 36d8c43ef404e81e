// Package platform runs lldb-server's platform as one does by hand, without
// envoydbg: what the tests and benchmarks compare with, or connect to.
//
// It has no goroutines.
package platform
