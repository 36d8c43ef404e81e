// Command generate writes the TypeScript side of the protocol of adapter/control.
//
//	api.go and the types it names ─parse─▶ comments ─┐
//	                       reflect ─▶ types ─────────┴─▶ extension/src/backend/protocol.ts
//
// It has no goroutines.
package main
