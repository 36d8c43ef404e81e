// Package pod measures debug sessions in a pod of the test cluster (test/cluster), with
// everything as for a user: envoydbg, LLDB, the API server, Istio's agent.
//
//	client ─DAP─▶ envoydbg dap ─▶ [delay] ─▶ API server ─▶ kubelet ─▶ held sidecar
//	                                                                 helper, lldb-server,
//	                                                                 agent ─▶ gate ─▶ Envoy
//
//	race_test.go    is the debugger in time?               docs/race.md
//	phases_test.go  from F5 to main, phase by phase         docs/cluster-cost.md
//	far_test.go     far from the API server, by packets     docs/cluster-cost.md
//	tunnel_test.go  cuts, round trips and throughput        docs/cluster-cost.md
//
// A small part of each runs with the tests of the cluster. The benchmarks run all of it
// and write the pages.
//
// Goroutines: those of the clients, and two for each stream of tunnel_test.go, which end
// with its connection.
package pod
