// Package backend starts `envoydbg serve` and is the editor's window at its other end.
//
//	test ──Ask, Conn──▶ JSON-RPC on stdin and stdout ──▶ envoydbg serve
//	     ◀──Heard────── notifications: its log, the progress of requests
//
// What its requests are is described in adapter/control.
//
// Goroutines: one waits for the end of the process; the connection has its own. All end
// with the process.
package backend
