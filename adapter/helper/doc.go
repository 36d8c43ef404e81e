// Package helper is the program that runs beside Envoy, as the adapter sees it:
// the protocol (protocol.go), its client (client.go), and the start of a helper
// on this machine (child.go). Folder server is the other end, folder gate what
// stands in Envoy's place, folder elfinfo reads ELF files for both ends, folder
// envoydbg-helper is the main package.
//
//	adapter                     one byte stream            envoydbg-helper
//	┌───────────────┐   (child's stdio, or pod exec)   ┌──────────────────────┐
//	│ Client        │            ┌───────┐             │ server.Serve         │
//	│  Hello … End ─┼─ JSON-RPC ─┤       ├─ stream 1 ──┼▶ handle ─▶ processes │
//	│  Handlers   ◀─┼────────────┤ yamux ├─────────────┼─ queue ◀─ agent,gate │
//	│  DialServer ◀─┼─ gdb-remote┤       ├─ stream 2… ─┼▶ unix sockets of     │
//	└───────────────┘            └───────┘             │  lldb-server         │
//	                                                   └──────────────────────┘
//
// # Goroutines of a Client
//
// yamux's two and jsonrpc2's reader, which also calls the Handlers; one that
// waits for the end of either and then closes everything; for a helper started
// by [Start] two more that wait for the process and read its stderr. All end
// with the stream: by Close, by the death of the helper, or by the end of
// whatever carries the bytes.
package helper
