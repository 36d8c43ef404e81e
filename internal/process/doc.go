// Package process watches, signals and starts processes. It is the only place
// that reads /proc/PID/stat and /proc/PID/status, that sends a signal to a process
// found by its number, and that reaps.
//
//	All, Read ──▶ Stat ──Open──▶ Handle ──▶ Signal, Ended, Wait
//	Start ──▶ Child{Stdin, Stdout, the tail of stderr, exit} ──▶ Low, High: its priority
//	Room, MemoryShort: what this machine and its cgroups leave
//
// # A number is no process
//
// The kernel gives the number of a reaped process to the next one. So a process is
// named by its number and its start time ([Stat]); a [Handle] is a pidfd (Linux
// 5.3), which a later process of the same number does not fool. Where the kernel
// refuses pidfds (an old kernel, a seccomp profile, gVisor, no descriptor left) the
// handle compares the start time immediately before each kill(2). For a child of
// this process that is as safe when nobody reaps at that moment; see [Child] and
// the helper's children. For any other process there remains the time between two
// system calls, in which the kernel would have to use up all other numbers.
//
// No error means that a process has ended, except those that say so.
//
// # Out of descriptors
//
// Reading /proc takes a descriptor. [Reserve] keeps one back, so that what was
// started can be found and ended even by a process that has no other left.
//
// # Other systems
//
// The adapter also builds for systems without /proc: there [Read] finds nothing, and
// [Start] does without the parent-death signal.
//
// Goroutines of a [Child]: one starts the process and waits for it, on a thread of
// its own, and one collects the tail of stderr. Both end with the process; see
// [Child] for what may hold its streams open.
package process
