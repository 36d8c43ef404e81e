// Package stories has tests in a real cluster with a real Istio (test/cluster).
//
//	cluster_test.go   the cluster is what the other stories take it for
//
// Nothing here starts a goroutine.
package stories
