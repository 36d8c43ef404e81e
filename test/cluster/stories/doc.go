// Package stories has tests in a real cluster with a real Istio (test/cluster).
//
//	cluster_test.go     the cluster is what the other stories take it for
//	distroless_test.go  a sidecar without a shell, and with few rights
//	ends_test.go        a cluster that ends leaves nothing
//	product_test.go     envoydbg as the stories run it, in a terminal
//	editor_test.go      and as an editor runs it
//	startup_test.go     sessions from the command to Envoy's end
//	rights_test.go      who may have a session
//	failures_test.go    what fails in each phase
//	targets_test.go     a target, and the way to the cluster, as kubectl takes them
//	transport_test.go   what carries a session, and its cuts
//	doctor_test.go      the checks before a session
//	serve_test.go       the same and more as a window of VS Code asks for it
//	hold_test.go        a sidecar that nobody has prepared: held copies, and their end
//	hold_kinds_test.go  copies of each kind of pod and workload, and of an Envoy without Istio
//	hold_again_test.go  copies and workloads that serve several sessions
//	hold_support_test.go  what the stories of holding share
//	hold_files_test.go  the held form of manifests, applied and released
//	hold_workload_test.go  workloads whose next pods wait, and what they were
//	request_test.go     requests through a sidecar, and what shows that they came through it
//	agent_test.go       one session at a time, what it leaves, and an agent without one
//
// Each envoydbg that a story runs has a goroutine that waits for its end.
package stories
