// Package size measures what a session costs with a program of Envoy's real size, beside
// a plain lldb-dap that launches the same program in the same run.
//
//	            ┌─▶ lldb-dap launches the program, breakpoint by the function's name ─┐
//	../program ─┤                                                                     ├─▶ CPU seconds and
//	 (envoy)    └─▶ envoydbg dap: pilot-agent, gate, preset main; without LLDB's      │   anonymous memory
//	                index cache, with an empty one, with a full one                   ─┘   of each lldb-dap
//
// A smaller program is measured in each form in which debug information comes (../program,
// variants), and what the debugger says of the stop is compared.
//
// Each way ends at the stop in Envoy::MainCommon::main, with its stack and its locals.
// Time is told, too, but CPU seconds are what can be compared on a machine that does
// other things.
//
// TestSize and TestSizeOfVariants write docs/size.md (make bench-size); they are no benchmarks
// of package testing, because sessions are stories of a test. No suite runs them.
//
// Goroutines: one per session reads how much memory its lldb-dap has.
package size
