// Package stories has tests in a real cluster with a real Istio (test/cluster).
//
//	cluster_test.go     the cluster is what the other stories take it for
//	distroless_test.go  a sidecar without a shell, and with few rights
//	ends_test.go        a cluster that ends leaves nothing
//
// Nothing here starts a goroutine.
package stories
