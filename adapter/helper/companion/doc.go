// Package companion sits on a connection to a debug server, beside that server, where
// the relay (adapter/gdbremote) is far away. It asks what LLDB will ask next, and sends
// question and answer with the stop, so that none of it takes a round trip:
//
//	relay                       Companion                  debug server
//	  │ %Ahead:jThreadsInfo|…       │                            │
//	  │ %Do:Z0,401000,1             │ Z0,401000,1                │
//	  │ vCont;c                     ├───────────────────────────▶│
//	  ├────────────────────────────▶│                         OK │
//	  │                             │◀───────────────────────────┤
//	  │                             │ vCont;c                    │
//	  │                             ├───────────────────────────▶│
//	  │                             │                        T05 │
//	  │                             │◀───────────────────────────┤
//	  │                             │ x7ffe…,200  jThreadsInfo … │
//	  │                             │◀──────────────────────────▶│
//	  │ %Pair … %Pair … T05         │                            │
//	  │◀────────────────────────────┤                            │
//
// It asks only when it is told to, and nothing but what reads. What the relay has told
// LLDB to be done already (%Do) is done in its order; if the debug server refuses it,
// the next resume is not passed on. Everything else passes as it is. The notifications
// are those of ahead.go in package gdbremote.
//
// What it asks by itself at a stop is the stack around the stack and the frame pointer,
// in the pieces in which LLDB's memory cache reads it, the region of the program counter,
// by which the relay knows where breakpoints can be set, and that of the word on top of the
// stack. Where it is told to ask for the auxiliary vector, it asks what that leads to.
//
// # Goroutines
//
// Run's caller reads the debug server; one more reads the relay. Each passes on the end
// of its input. The second ends with its reader, which is its owner's to close.
package companion
