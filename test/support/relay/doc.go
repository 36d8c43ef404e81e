// Package relay passes connections on to another address, byte for byte and with
// each direction's own end, and on request as late as from a far place.
//
// Goroutines: one that accepts, and three for each connection, with a delay five. Close ends them all.
package relay
