// Package wire counts in a session's trace what LLDB asks its debug server and waits for:
// far away each of these packets is a round trip. It has no goroutines.
package wire
