// Package breakpoints keeps the editor's breakpoints and what LLDB has made of
// them. One breakpoint of the editor is one, however many LLDB needs for it.
//
//	editor: setBreakpoints main.cc:5 ──Requests──▶ LLDB: one request for each path that
//	                                               main.cc has in the debug information
//	editor: one answer, one id       ◀──Answer──── LLDB: one answer for each
//	editor: one event                ◀──Event───── LLDB: an event for each
//
// Mostly a file has one path and the messages pass with nothing changed but the
// path. A file of several Bazel roots has one for each root; the editor then knows
// the breakpoint by the id that LLDB gave for the first path, whichever of them
// has code.
//
// A request that comes before there is a program (a client may set breakpoints
// before it attaches) is answered with breakpoints that are not verified, and kept:
// see [Table.Early].
//
// A setBreakpoints with a relative path means the only file that ends with it. A
// breakpoint whose column has no code is asked for again as one of its line
// ([Table.Place], columns.go).
//
// What LLDB has found no place for is explained (unbound.go has what is said of a
// breakpoint, explain.go why):
//
//	Place ─▶ Unbound ─▶ Explainer ─┬─ line tables: nearest files, lines with code   (paths.Sources)
//	                               ├─ symbols: nearest functions                     (functions.go)
//	                               └─ libraries that are not loaded yet              (libraries.go)
//	Answer ◀─ Explain ◀── reasons ─┘
//
// A [Table] belongs to the session's router and is used under its lock. An [Explainer]
// reads files and is used without it. Its only goroutine reads them, so that a file
// system that does not answer is left behind.
package breakpoints
