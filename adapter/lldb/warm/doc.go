// Package warm keeps an lldb-dap ready that has the symbols of the program that was debugged
// last, so that the next session need not wait until they are read.
//
//	            ┌────────────────────── Keeper ───────────────────────┐
//	session ──▶ │ Take ── Next ── Done        owner goroutine         │ ──▶ Status, News: doctor, the window
//	            │                                ▲  ▲  ▲              │
//	            │     changes in folders ────────┘  │  └─ every 5 s:  │
//	            │     (internal/watch)              │     memory, idle│
//	            │              look at the files ───┘                 │
//	            └──▶ Process: lldb-dap, at low priority, in a folder of its own
//
// A session of another process, as in a terminal, may borrow it, and has it like one's own:
//
//	session ──▶ Windows ──DAP──▶ Lending ──▶ Process
//	               └─ a handle on the process, to end it by
//
// It ends with the session, by its handle or when the stream ends, whatever becomes of either
// process; the window's waits for that when the window closes.
//
// The owner's states:
//
//	           Next, Done           the files are complete         it has the symbols
//	none ─────────────────▶ waiting ─────────────────────▶ warming ───────────────▶ ready ──▶ taken
//	                           ▲                              │ another file, ill     │        │
//	                           ├──────────────────────────────┴───────────────────────┘        │
//	                           └────────────────────────── Done ───────────────────────────────┘
//	any ──▶ gone: idle for long, memory is short, it has died too often; until the next session
//
// A process serves one session and ends with it: what a session sets in LLDB is the
// process's, and would be the next one's, too. There is one Process at most, and none is
// begun while a session runs that uses the Keeper.
//
// How LLDB is made to read the symbols depends on its version. From 20 on lldb-dap serves
// one connection after the other, and keeps what it has read: a first client has it create
// the target, and leaves. 19 has no such mode. It carries out commands before it answers
// initialize, so it is sent the initialize request of the last session ahead of the next.
//
// Goroutines of a Keeper: the owner, from New to Close; one that watches folders, while a
// program is known; one each for a look at files, and for a process that is being warmed or
// ended. The owner itself never touches a file, which may hang: Take waits for it. A Lending
// has one that accepts, and two for each session that borrows; a borrowed process has one
// that waits for its end.
package warm
