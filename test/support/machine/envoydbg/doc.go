// Envoydbg is envoydbg for an Envoy in a machine of package machine. The helper runs there
// as a daemon, as in a pod, and its commands are run for each stream:
//
//	envoydbg's command line ─▶ remote ─▶ machine.Run: helper serve, connect
//
// What a pod's target does besides, to place the helper and to bring lldb-server, the
// machine's image has done. It is configured by variables:
//
//	MACHINE_SOCKET  the machine's
//	MACHINE_DIR     the helper's folder in the machine
//
// Its goroutines are those of package remote.
package main
