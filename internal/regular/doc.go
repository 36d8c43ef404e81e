// Package regular opens files that a user has named and that must be regular
// ones: programs, debug files, sources.
//
//	path ─▶ stat: regular? ─▶ open with O_NONBLOCK ─▶ fstat: still regular? ─▶ *os.File
//
// The open of a FIFO waits for a writer, that of a device may do something to
// it (a tape rewinds), and a read of /dev/zero has no end. A regular file has
// none of this. What this package cannot do is return from a dead network mount,
// where stat itself hangs: who must not hang calls from a goroutine that it can
// leave behind. The package starts none.
package regular
