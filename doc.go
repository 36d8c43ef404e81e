// Envoydbg debugs the startup of an Envoy that pilot-agent starts; README.md
// shows how.
//
//	main ─▶ adapter/command ─▶ adapter (a debug session) ─▶ lldb-dap
//	                       └─▶ sourcemap (local files)  └─▶ adapter/helper, beside Envoy
//
// It has no goroutines of its own.
package main
