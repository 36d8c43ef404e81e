package prompt

// Write implements io.Writer: what the peer takes at once goes at once, and the
// rest waits for it.
func (w *Writer) Write(b []byte) (int, error) {
	n, err := w.WriteNow(b)
	if err != nil || n == len(b) {
		return n, err
	}
	more, err := w.w.Write(b[n:])
	return n + more, err
}
