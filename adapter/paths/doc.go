// Package paths translates the source paths in DAP messages: the client sees
// files of this machine, the debugger sees the paths in the debug information.
//
//	client ──▶ Rewriter.Request ──▶ lldb-dap
//	       ◀── Rewriter.Answer  ◀──
//	                 │
//	                 ▼
//	              Sources, which package sourcemap implements
//
// Its only goroutine warns, once for each file, that a local file is not the one
// that was compiled.
package paths
