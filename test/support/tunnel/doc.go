// Tunnel is envoydbg for an Envoy that is reached as one in a pod is: the helper runs
// as a daemon, and its commands are run for each stream. They run on this machine, so
// that tests can do without a cluster, and cut a stream by killing its command.
//
//	envoydbg's command line ─▶ remote ─▶ envoydbg-helper serve, connect (children)
//
// It is configured by variables:
//
//	TUNNEL_DIR        the helper's folder; podPID in the temporary folder by default
//	TUNNEL_RECONNECT  how long a cut connection may take to come back; 5m by default
//	TUNNEL_DOWN       a file: while it exists, no command can be run
//
// Its goroutines are those of package remote.
package main
