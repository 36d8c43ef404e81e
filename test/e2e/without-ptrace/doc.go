//go:build linux

// Without-ptrace runs a command that is not permitted to use ptrace:
//
//	without-ptrace PROGRAM [ARGUMENT...]
//
// It has no goroutines.
package main
