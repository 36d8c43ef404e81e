// Package arm64 tests sessions in a pod on an arm64 node, with envoydbg and lldb-dap on
// this machine. The node is a machine in software (QEMU), where everything takes some 20
// times as long; its sidecar is one that Istio has injected, without the init container
// that redirects traffic.
//
// Goroutines: none but those of package cluster.
package arm64
