// Package control is the backend of an editor's window, as the extension sees it.
//
//	extension ──JSON-RPC 2.0 on stdio──▶ Server ──▶ Backend (adapter/command)
//	          ◀──── notifications ──── Listener ◀──────┘
//
// Backend and Listener in api.go are the one description of the protocol: what they have is
// what can be asked and told. The TypeScript side is generated from them
// (go generate ./adapter/control); a test keeps it so.
//
// Goroutines: one reads the stream, and each request is answered on one of its own. All end
// with the stream, or with the context of Serve; a request that has something to undo ends
// after it, which the channel tells that Serve returns.
package control

//go:generate go run ./generate -o ../../extension/src/backend/protocol.ts
