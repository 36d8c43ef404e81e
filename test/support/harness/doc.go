// Package harness is shared by the tests that drive the whole product: it finds
// the real programs, runs debug sessions with them, and checks that nothing is
// left.
//
//	TestMain ──SetUp──▶ Parts: bin/tools, bin/sample, an envoydbg built for this run
//	test     ──NewStory──▶ Story: a folder, ports and a mark of its own
//	                         │ Start
//	                         ▼
//	                       Session: `envoydbg dap` as a child, a DAP client on its stdio
//
// The mark is a variable in the adapter's environment, which everything that a
// session starts inherits. So each story finds its own processes among those of
// the others. At its end no process and no folder may be left.
//
// In a cluster the half of a session that is beside Envoy is in a held pod, and no process
// of this machine: what its parts are is not seen there, but that none is left is.
//
// The tests must run inside package pidns. A missing part is a failure, never a
// skipped test.
//
// Goroutines: one per session waits for the adapter's end; those of
// client.Client.
package harness
