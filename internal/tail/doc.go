// Package tail keeps the last lines that a program has written, for the error
// that reports how it ended.
//
//	program's stderr ──▶ Tail ──String──▶ error
//
// It has no goroutines.
package tail
