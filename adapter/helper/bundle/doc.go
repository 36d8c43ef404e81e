// Package bundle brings lldb-server to a machine that has none: the program, the
// libraries that it needs and their loader, in one archive.
//
//	workstation                                   beside Envoy
//	Write: lldb-server + libraries ─ tar.zst ─▶ Unpack ─▶ DIR/bin/lldb-server
//	                                                      DIR/lib/…, ld.so
//	                                                      DIR/lldb-server ─ Main ─▶ ld.so bin/lldb-server
//
// DIR/lldb-server is the helper itself under that name: a static program that runs the
// real one by its own loader, so that the libc of the image does not matter. LLDB starts
// its gdbservers through it, too.
//
// It has no goroutines of its own.
package bundle
