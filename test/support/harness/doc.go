// Package harness is what the tests that drive the whole product share: the
// real parts, a debug session on them, and the proof that nothing is left.
//
//	TestMain ──SetUp──▶ Parts: bin/tools, bin/sample, an envoydbg built for this run
//	test     ──NewStory──▶ Story: a folder, ports and a mark of its own
//	                         │ Start
//	                         ▼
//	                       Session: `envoydbg dap` as a child, a DAP client on its stdio
//
// The mark is a variable in the environment of the adapter, which all that a
// session starts inherits: so each story finds its own processes among those of
// the others, and at its end none may be left, nor any folder.
//
// All of it is meant to run inside package pidns. A part that is missing is a
// failure, never a skipped test.
//
// Goroutines: one per session waits for the adapter's end; those of
// client.Client.
package harness
