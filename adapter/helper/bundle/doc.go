// Package bundle brings lldb-server to a machine that has none: the program, the
// libraries that it needs and their loader, in one archive.
//
//	workstation                                   beside Envoy
//	Write: lldb-server + libraries ─ tar.zst ─▶ Unpack ─▶ DIR/bin/lldb-server
//	                                                      DIR/lib/…, ld.so
//	                                                      DIR/lldb-server ─ Main ─▶ bin/lldb-server
//
// From another container on the same machine, Copy brings it without an archive.
//
// Both make bin/lldb-server ask for the loader in the bundle, so that the libc of the
// image does not matter. DIR/lldb-server is the helper itself under that name, a static
// program: it says where the libraries are (LD_LIBRARY_PATH) and becomes the real one.
// LLDB starts its gdbservers through it, too.
//
// It has no goroutines of its own.
package bundle
