// Package sourcemap maps the source paths in an executable's debug information
// to the files on this machine, and back.
//
//	linetable.Read(ELF) ─▶ files ─┐
//	work tree, output base ───────┼─▶ Build ─▶ Index ─┬─ Local(path in the debug information)
//	user's sourceMap ─────────────┘                   ├─ Debugger(path in the editor)
//	                                                  └─ Report
//
// One local file may have several paths in the debug information: Bazel runs
// actions in different roots, and one executable mixes them. LLDB's
// target.source-map cannot send two roots to one tree and back; the Index can,
// because it knows every path that occurs and which local file each one is.
//
// An Index is immutable; Watch makes a new one when the executable or the work
// tree has changed.
//
// Goroutines: none, except the one of Watch.
package sourcemap
