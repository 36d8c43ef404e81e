// Guest is the first process of a machine that package machine boots: all of its user
// space but the programs that are debugged.
//
//	virtio port ─ yamux ─┬─ stream ─▶ a command, its stdin and stdout
//	                     └─ stream ─▶ …
//
// The host opens the streams; each begins with a [machine.Command]. What commands write to
// stderr is on the machine's console. The machine is switched off when the host closes the
// port, and when this process fails.
//
// Goroutines: one for each stream, and one that copies to its command's stdin; both end
// with the stream. One reaps what the commands leave behind, and never ends.
package main
