// Package sourcemap measures what it costs to list the source files of a big
// program, against other readers of line tables.
//
//	             ┌─▶ read linetable  (package sourcemap/linetable)  ─┐
//	program ─────┼─▶ llvm-dwarfdump --show-sources                  ─┼─▶ time, memory, set of files
//	(../program)   ├─▶ readelf --debug-dump=line                      ─┤
//	             └─▶ read stdlib     (Go's debug/dwarf)             ─┘
//
// Each reader is a separate process. The sets of files must be equal, which shows
// that nothing was left out for speed.
//
// BenchmarkRead writes docs/sourcemap-cost.md (make bench-sourcemap); the test
// compares the sets, and bounds memory and bytes read, on a smaller program.
//
// The goroutines are those of os/exec.
package sourcemap
