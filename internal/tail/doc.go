// Package tail keeps the beginning and the end of what a program writes, for the
// error that says how it ended. It has no goroutines.
package tail
