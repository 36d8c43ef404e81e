// Package echo is a server that sends back what it receives, and a client that measures
// how fast.
//
// Goroutines: Serve has one for each connection; Measure and Check each one, which ends
// with the call or with the connection.
package echo
