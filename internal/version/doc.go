// Package version knows which version of envoydbg a program was built from.
//
// It has no goroutines.
package version
