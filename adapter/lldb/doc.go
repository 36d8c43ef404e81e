// Package lldb finds LLDB's programs and runs lldb-dap as a child.
//
//	attribute / flag / PATH ──Find──▶ path ──Start──▶ Child{stdin, stdout, stderr tail, exit}
//	                                   │                  ▲
//	                                   ├─StartDAP──▶ DAP ─┤ a session's, until its end
//	                                   └─StartServer──▶ Server ──Connect──▶ DAP, DAP, …
//
// DebugDirs reads from LLDB commands where LLDB looks for debug files, before it has
// carried them out.
//
// What differs between the versions the adapter supports is asked here, by
// [Version], and nowhere else.
//
// A Child has the goroutines of internal/process's, and one that removes what LLDB
// has left among the temporary files, and ends after it. A DAP has one that reads
// lldb-dap, and a Server one that reads what it prints; they end with what they read.
package lldb
