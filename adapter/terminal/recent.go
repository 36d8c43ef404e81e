package terminal

import "bytes"

// maxRecent is how much output is kept for an until that is asked for after the
// text has come, in bytes.
const maxRecent = 1 << 20

// recent is the last of the debuggee's output. Text that a find has returned is
// not found again. The zero value is ready.
type recent struct {
	buf []byte
	// from is where the next find has to begin: what lies before does not hold
	// the text that is waited for.
	from int
}

// add appends output, and forgets what is too old.
func (r *recent) add(text string) {
	if over := len(text) - maxRecent; over > 0 {
		text = text[over:]
	}
	// Moving the buffer's content only when it has doubled keeps the cost of
	// a line independent of what was seen before it.
	if len(r.buf)+len(text) > 2*maxRecent {
		drop := len(r.buf) + len(text) - maxRecent
		r.buf = append(r.buf[:0], r.buf[drop:]...)
		r.from = max(0, r.from-drop)
	}
	r.buf = append(r.buf, text...)
}

// search begins to look for another text, in all that is kept.
func (r *recent) search() { r.from = 0 }

// find looks for the text in what was added since the last find, and forgets
// what came up to its end.
func (r *recent) find(text string) bool {
	at := bytes.Index(r.buf[r.from:], []byte(text))
	if at < 0 {
		// The text may have begun.
		r.from = max(0, len(r.buf)-len(text)+1)
		return false
	}
	r.buf = r.buf[:copy(r.buf, r.buf[r.from+at+len(text):])]
	r.from = 0
	return true
}
