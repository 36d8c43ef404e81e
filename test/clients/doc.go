// Package clients drives the adapter with DAP clients that others wrote: delve's
// in Go, VS Code's test kit in TypeScript, and Emacs's dap-mode.
//
//	daptest_test.go        delve's client ──────▶ envoydbg dap
//	emacs_test.go          Emacs (startup.el) ──▶ envoydbg dap
//	testsupport.test.ts    VS Code's test kit ──▶ envoydbg dap   (make npm-clients)
//
// It has no goroutines but those of package harness.
package clients
