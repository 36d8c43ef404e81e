// Package machine boots an arm64 machine in software (QEMU), and runs commands in it.
//
//	Boot ──▶ qemu-system-aarch64 ─ kernel, guest, LLDB's servers (test/setup/arm64.sh)
//	            │ virtio port = yamux
//	Machine ────┘ ◀── a unix socket ◀── Run, in any process: a Command, then its stdio
//
// There is no other way into the machine, and none out of it: its network is its own
// loopback. It has one processor, which is some 20 times slower than one of amd64 here.
//
// Goroutines: one accepts at the socket, and two for each connection copy between it and
// its stream. All of them end with Close.
package machine
