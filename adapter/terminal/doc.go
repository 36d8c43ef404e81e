// Package terminal is `envoydbg run`: a debug session driven from a terminal,
// or from a script.
//
//	keyboard ─▶ editor ─┐                       ┌─▶ adapter.Session (in this process)
//	pipe, script ───────┼─▶ loop ──requests──▶ client.Conn
//	signals ────────────┘    ▲                  │
//	                         └────messages──────┘
//	                        loop ──▶ view (text or JSON lines) ──▶ screen
//
// The loop never waits for one thing alone: a request's answer is a message like
// any other, and is taken when it comes. So a command that never returns, or a
// startup that does not get on, leaves the end of the session possible. Nothing
// that passes is kept, but for the last of the output (see [recent]).
//
// A command is one of our [words], or LLDB's as it stands. Which frame LLDB's
// commands are about is LLDB's own selection; lldb-dap sets it with "scopes", and
// takes no notice of the frameId of an "evaluate" for them.
//
// A screen keeps its last line for what is going on or for the prompt. There are
// three: the editor, on a terminal with a keyboard; moving, on one without; plain,
// for all that understand no control characters. The editor's lines are edited by
// golang.org/x/term, which prints what is written meanwhile above them.
//
// Goroutines: the loop decides everything, and is the only one that writes to
// the view. Run's own waits for the loop or for a signal, which ends the session
// even if the loop is held up by a reader of the output that does not read. One
// reads the input and ends with it, or with the process; one runs the Session,
// and one shuts it down. The editor has three more: one takes the keys, so that
// Ctrl-C and Ctrl-Z work whatever is going on, one edits the line and asks the loop
// for completions, one follows the size of the terminal and its return from the
// background.
package terminal
