// Package cluster gives tests the real cluster of test/cluster.
//
//	func TestMain(m *testing.M) { pidns.Main(m, cluster.Up) }
//
//	func TestSomething(t *testing.T) {
//		c := cluster.Of(t)
//		c.Apply(manifest)
//		c.WaitReady("demo", "pod/fortio-server-0")
//		c.Kubectl("exec", "-n", "demo", "fortio-server-0", "--", …)
//	}
//
// Up starts the cluster, unless it is up, and leaves it as it was: one that it has
// started ends with the tests. The tests reach the API server, and nothing else,
// through a relay of their own, so a test can cut its connections:
//
//	test ──▶ 127.0.0.1:PORT ──relay──▶ STATE/api.sock ──▶ kube-apiserver
//
// Every wait is bounded. When a test fails, the events, the pods and their logs of
// each namespace that it has named are printed.
//
// Goroutines: those of the relay, which end with the tests, and one for each Follow,
// which ends with the test that called it.
package cluster
