// Package helper is the program that runs beside Envoy, as the adapter sees it:
// the protocol (protocol.go), its client (client.go), the start of a helper on this
// machine (child.go), and of one that runs as a daemon where only commands can be run
// (place.go, status.go). Folder link carries the stream to such a daemon. Folder server is the other end, folder gate what
// stands in Envoy's place, folder forward makes connections from a container, folder elfinfo reads ELF files for both ends, folder
// envoydbg-helper is the main package.
//
//	adapter                     one byte stream            envoydbg-helper
//	┌───────────────┐    (child's stdio, or a link)    ┌──────────────────────┐
//	│ Client        │            ┌───────┐             │ server.Serve         │
//	│  Hello … End ─┼─ JSON-RPC ─┤       ├─ stream 1 ──┼▶ handle ─▶ processes │
//	│  Gate, Exit ◀─┼────────────┤ yamux ├─────────────┼─ queue ◀─ agent,gate │
//	│  Output     ◀─┼─ frames ───┤       ├─ stream 2 ──┼─ output ◀─ its pipes │
//	│  DialServer ◀─┼─ gdb-remote┤       ├─ stream 3… ─┼▶ unix sockets of     │
//	└───────────────┘            └───────┘             │  lldb-server         │
//	                                                   └──────────────────────┘
//
// Each stream has flow control of its own, so that an adapter which takes no
// output for a while holds back the agent, and neither answers nor debugging. A daemon
// holds nothing back for an adapter that is cut off: it keeps the newest output, and
// says how much is missing.
//
// # Goroutines of a Client
//
// yamux's two and jsonrpc2's reader, which also calls Handlers.Gate and Exit; one
// that opens the streams and then calls Handlers.Output; two that wait for the end
// of either stream and then close everything; one for each call under way, and
// for each exit of an agent until its output has been taken; for a helper started
// by [Start] two more that wait for the process and read its stderr. All end with
// the byte stream: by Close, by the death of the helper, or by the end of
// whatever carries the bytes.
package helper
