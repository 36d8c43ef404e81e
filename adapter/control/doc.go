// Package control is the backend of an editor's window, as the extension sees it.
//
//	extension ──JSON-RPC 2.0 on stdio──▶ Server ──▶ Backend (adapter/command)
//	          ◀──────notifications──────────┘
//
// Backend and Listener in api.go are the one description of the protocol; the TypeScript
// side is generated from them (go generate ./adapter/control), and a test keeps it so.
package control

//go:generate go run ./generate -o ../../extension/src/backend/protocol.ts
