//go:build linux

// Package processtest makes a process poor, for tests of what it then does: a
// kernel that refuses pidfds, no descriptor left, a system call that takes its time.
package processtest
