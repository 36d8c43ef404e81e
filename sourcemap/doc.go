// Package sourcemap maps the source paths in an executable's debug information
// to the files on this machine, and back.
//
//	linetable.Read(ELF) ─▶ files ─┐
//	work tree, output base ───────┼─▶ Build ─▶ Index ─┬─ Find(path in the debug information)
//	user's sourceMap ─────────────┘                   ├─ Debugger(path in the editor)
//	                                                  ├─ Ending(end of a path), Nearest(wrong path)
//	                                                  ├─ Lines(file): those that have code
//	                                                  ├─ Changed (is a file what was compiled?)
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
// Nothing depends on the working directory: all paths from outside are absolute,
// and what is below /proc means something else in every process.
//
// Goroutines: Load, Watch and the lookup of a path from outside each work on one
// of their own, which they leave behind when their time is over and the kernel
// does not answer (abandon.go).
package sourcemap
