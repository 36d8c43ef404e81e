// Package kube reaches the container of an Envoy sidecar through the API server, and
// nothing else: it knows clusters, pods and containers, and nothing of debuggers.
//
//	kubeconfig, flags ──▶ Connect ──▶ Cluster
//	                                    │ Find("statefulset/fortio-server")
//	                                    ▼
//	                                  Sidecar ── Exec ──▶ API server ─▶ kubelet ─▶ container
//	                                    │ Beside
//	                                    ▼
//	                                  ephemeral container of the same user and rights
//
// A sidecar that starts Envoy by itself is held first: Source finds what a copy can be made
// from, Copy makes one, HoldWorkload changes a workload, Held lists and Release undoes both.
// What the held form is, package hold knows.
//
// kubeconfig and flags are resolved by kubectl's own code (k8s.io/cli-runtime), so that
// whatever works for kubectl works here.
//
// # Goroutines
//
// None of its own. client-go's live as long as the call that started them.
package kube
