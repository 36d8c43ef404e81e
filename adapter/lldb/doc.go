// Package lldb finds LLDB's programs and runs lldb-dap as a child.
//
//	attribute / flag / PATH ──Find──▶ path ──Start──▶ Child{stdin, stdout, stderr tail, exit}
//
// What differs between the versions the adapter supports is asked here, by
// [Version], and nowhere else.
//
// Goroutines of a Child: one collects the tail of stderr (ends with the pipe),
// one starts the process and waits for it, on a thread of its own (ends with it,
// then closes Done).
package lldb
