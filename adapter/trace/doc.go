// Package trace writes what happens in a debug session to one log with one clock:
// DAP messages, gdb-remote packets, calls of the helper, requests to the cluster, phases,
// processes. It is what `--log FILE` and the launch attribute trace show.
//
//	router, lldb.DAP ──Message──▶┐
//	relay            ──Packet───▶├─ Trace ──▶ one line each ──▶ io.Writer
//	startup, others  ──Line─────▶┘      │            └──Also──▶ File
//	                                    └── without secrets (Hide, and what Message knows)
//
// Values of environments are left out, since they may be secrets. Only the launch request
// says whether there is a second writer; until then lines are kept. The package has no
// goroutines; a lock keeps lines whole.
package trace
