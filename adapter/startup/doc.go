// Package startup is the startup sequence of a session: it brings Envoy to its
// first instruction with the debugger attached and the breakpoints bound, and then
// watches the parts until one of them ends.
//
//	             ┌─────────────────────── Startup ───────────────────────┐
//	Host ◀────── │ preflight ▶ server ▶ symbols ▶ agent ▶ reach ▶ bind ▶ watch
//	(session)    │     │          │         │        │       │       │      │
//	             │     ▼          ▼         ▼        ▼       ▼       ▼      ▼
//	             │  ◀──────────────── mailbox of notices ─────────────────────
//	             └────────▲──────────────▲────────────────▲──────────────▲───┘
//	                   Beside         gdbremote        lldb-dap        client
//	                  (helper)          relay          (answers)   (done, agent)
//
// All state belongs to one goroutine, which runs the steps in order. What the parts
// tell is put into a mailbox, never handled where it comes from; each step takes
// notices out until it has what it waits for ([Startup.until]), or one says that
// something went wrong. The first such notice is the error of the whole: causes come
// before consequences, because each part tells its end before it closes what others
// would notice.
//
// Goroutines: the sequence (Start); one that waits for the helper's end; one that
// reads the source map; one that finds the functions of the presets; one that counts how
// long Envoy is waited for; one that asks whether LLDB's Python works; with the output
// "terminal", one that writes to it, which End ends; one for a first pause that waits
// until LLDB knows that Envoy runs. All others end with the session's context. The relay
// and the helper's client have their own, see there.
package startup
