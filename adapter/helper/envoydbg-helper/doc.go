//go:build linux

// Envoydbg-helper runs beside Envoy on behalf of envoydbg. It starts the debug
// server and the agent, takes Envoy's place until the debugger has attached, and
// ends what it started. It is not meant to be called by hand.
//
//	main ─▶ gate.Main     in Envoy's place: becomes Envoy once it is traced
//	    └─▶ server.Main   otherwise: serves one debug session
//
// Its goroutines are those of package server.
package main
