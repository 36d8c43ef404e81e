// Package relay passes connections on to another address, byte for byte and with
// each direction's own end.
//
// Goroutines: one that accepts, and three for each connection. Close ends them all.
package relay
