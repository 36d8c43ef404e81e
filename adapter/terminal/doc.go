// Package terminal is `envoydbg run`: a debug session driven from a terminal,
// or from a script.
//
//	keyboard ─┐                       ┌─▶ adapter.Session (in this process)
//	script   ─┼─▶ loop ──requests──▶ client
//	signals  ─┘    ▲                  └─▶ log of messages
//	               └──entries─────────────┘
//	              loop ──▶ view (text or JSON lines)
//
// Goroutines: the loop (Run's own) decides everything and is the only one that
// writes to the view. One reads the keyboard and ends with the process; one
// follows the client's log and ends with the session; one runs the Session.
package terminal
