// Package lldb finds LLDB's programs and runs lldb-dap as a child.
//
//	attribute / flag / PATH ──Find──▶ path ──Start──▶ Child{stdin, stdout, stderr tail, exit}
//
// What differs between the versions the adapter supports is asked here, by
// [Version], and nowhere else.
//
// A Child has the goroutines of internal/process's, and one that removes what LLDB
// has left among the temporary files, and ends after it.
package lldb
