// Package echo is a server that sends back what it receives, and a client that measures
// how fast.
//
// Goroutines: Serve has one for each connection, Measure one that writes; each ends
// with its connection, if not before.
package echo
