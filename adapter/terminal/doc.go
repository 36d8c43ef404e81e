// Package terminal is `envoydbg run`: a debug session driven from a terminal,
// or from a script.
//
//	keyboard, pipe ─┐                       ┌─▶ adapter.Session (in this process)
//	script         ─┼─▶ loop ──requests──▶ client.Conn
//	signals        ─┘    ▲                  │
//	                     └────messages──────┘
//	                    loop ──▶ view (text or JSON lines)
//
// The loop never waits for one thing alone: a request's answer is a message like
// any other, and is taken when it comes. So a command that never returns, or a
// startup that does not get on, leaves the end of the session possible. Nothing
// that passes is kept, but for the last of the output (see [recent]).
//
// Goroutines: the loop decides everything, and is the only one that writes to
// the view. Run's own waits for the loop or for a signal, which ends the session
// even if the loop is held up by a reader of the output that does not read. One
// reads the input and ends with it, or with the process; one runs the Session,
// and one shuts it down.
package terminal
