// Package prompt reads and writes pipes and sockets with the least delay that Go
// allows between the arrival of a byte and its way out.
//
//	peer ──▶ Reader ──▶ … ──▶ Writer ──▶ peer
//
// Envoydbg passes on every message of a debug session, two for each request, and
// where Envoy runs on this machine every packet between debugger and debug server:
// what it adds to the session is little more than the time from one wake to the
// write that follows.
//
// A plain Read or Write tells Go's scheduler that a system call begins and ends.
// When a program has been idle the first of these wakes the scheduler's monitor
// thread (sysmon in runtime/proc.go), which then looks after the program every
// 20 µs for some milliseconds. On a machine with few cores it takes the core from
// who is to answer: 15 to 30 µs for each request. Here a call that cannot wait in
// the kernel, because the descriptor is in non-blocking mode, is made without
// telling (syscall.RawSyscall); to wait, the goroutine parks in Go's network
// poller, as ever.
//
// A stream that is no pipe or socket in non-blocking mode is read and written as
// it is, and so is all on systems other than Linux. It has no goroutines.
package prompt
