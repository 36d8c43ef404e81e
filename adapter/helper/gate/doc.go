// Package gate is what the agent starts in Envoy's place: it waits until a
// debugger traces it and then becomes Envoy, with the same PID.
//
//	agent ──execve──▶ start-NAME ──execve──▶ step-NAME.PID ──execve──▶ envoy
//	                  asks the helper,       is renamed to NAME       ▲
//	                  may have to wait       and waits for TracerPid  │
//	                       └────── a question, or not the first ──────┘
//
// start-NAME and the others are hard links of the helper's executable, in a
// folder that belongs to the helper. Links, not symbolic ones: debug servers wait
// for the base name of /proc/PID/exe.
//
// # What the helper decides
//
// The gate connects to the helper's unix socket, whose peer credentials name the
// gate's PID, tells its arguments ([Arrival]), and gets a [Verdict]. One process
// at a time has the awaited name. Another that comes meanwhile is kept at its
// first step until the first has become Envoy, and then goes on without the
// debugger; if the first has ended instead, the next one takes its place. A
// process that only asks Envoy something ([Query]) never waits.
//
// A gate that is traced says so before its exec. The socket is close-on-exec: its end
// after these words is the exec of Envoy, before them the end of the process. The
// other way round, the end of the helper ends the gate.
//
// # Agents that change their user
//
// The process at the gate may have another user than the helper. So it writes
// nothing: it runs programs that everybody may run, from a folder that everybody
// may pass and only the helper may change, and all it has to know comes through
// the socket. Everybody may connect to that; the helper answers only descendants
// of the agent.
//
// # Why two steps
//
// Go's scheduler preempts by SIGURG, and it does so to a thread that merely
// sleeps in a system call for 10 ms. Between the attach and the exec every
// signal is one more stop for the debugger, and one that stands pending at the
// exec would even be Envoy's. GODEBUG=asyncpreemptoff=1 turns these signals
// off, but only when it is in the environment as the program starts. So the
// first step adds it and execs the second, which takes it out again.
//
// # Why it appears by a rename
//
// An attach that falls into an execve gets that exec's SIGTRAP for the stop of
// the attach; the SIGSTOP of the attach then comes later, as a stray stop (14
// of 800 attaches, LLDB 19 and 22, while the awaited name was that of the file
// executed). So the awaited name only appears when the process has long been
// running, by renaming the file it runs.
//
// # Why it waits to be resumed
//
// A debug server resumes the threads of the gate one after the other. The exec
// removes all but the leader; when it comes in between, resuming a thread that
// is gone fails and with it the debugger's continue. So the gate looks at its
// own threads and execs when none is stopped any more.
//
// # Threads
//
// The waiting happens on the main thread, the leader of the thread group, which
// is also the one that execs; its goroutine is locked to it from init on. It is
// the only goroutine of this package. The other threads belong to Go's runtime
// and die in the exec.
package gate
