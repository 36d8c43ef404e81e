// Package dapio moves Debug Adapter Protocol messages without understanding
// them.
//
//	bytes ──▶ Reader ──▶ Message (raw JSON + where its header fields stand) ──▶ Writer ──▶ bytes
//	                        │                                                     │
//	                        └── Get / Set / Apply: read and replace values        └── gives out seq
//
// A message that nobody patches leaves as the bytes it came in, apart from seq
// and request_seq, which belong to the connection and not to the message. That
// is why this package exists beside github.com/google/go-dap: its types drop
// the fields they do not know, and its reader stops at 4 MiB.
//
// Framing: https://microsoft.github.io/debug-adapter-protocol/overview#base-protocol.
//
// Goroutines: each Writer owns one, which does all the writing. It ends after
// Close, after Abort, or with the first error of the underlying writer. A Reader
// owns none and is used by one.
package dapio
