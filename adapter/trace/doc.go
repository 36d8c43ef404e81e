// Package trace writes what happens in a debug session to one log with one clock:
// DAP messages, gdb-remote packets, phases, processes. It is what `--log FILE` shows.
//
//	router, lldb.DAP ──Message──▶┐
//	relay            ──Packet───▶├─ Trace ──▶ one line each ──▶ io.Writer
//	startup, others  ──Line─────▶┘
//
// Values of the agent's environment are left out, since they may be secrets. The
// package has no goroutines; a lock keeps lines whole.
package trace
