// Package e2e tests whole debug sessions: `envoydbg dap` as an editor starts it, the
// real lldb-dap and lldb-server of both versions, the real pilot-agent, the sample
// Envoy and the real one.
//
//	run_test.go          `envoydbg run`, from a keyboard, a pipe or a script
//	run_prompt_test.go   its prompt, as a person at a terminal uses it
//	run_ends_test.go     its end, whatever blocks, and its memory
//	startup_test.go      the way to main, what is seen on it and in which order
//	manual_test.go       agent.start "manual", cancel and disconnect in the wait
//	gate_test.go         with and without the gate, others of the same name
//	presets_test.go      breakpoint presets, the real Envoy
//	errors_test.go       what is refused before anything starts
//	passthrough_test.go  plain lldb-dap through the adapter
//	streams_test.go      big messages, noise, slow clients, sockets
//	failures_test.go     parts killed in each phase, startups that go wrong
//	table_test.go        the tables of docs/failures.md
//
// ENVOYDBG_E2E_TARGET chooses what is debugged through (harness.Target): this machine, a
// link to it, a pod, or an arm64 machine. The suites tunnel, cluster-e2e and arm64 name
// the stories that make sense there.
//
// Goroutines: none but those of package harness.
package e2e
