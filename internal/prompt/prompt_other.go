//go:build !linux

package prompt

import (
	"io"
	"os"
)

// Reader returns r.
func Reader(r io.Reader) io.Reader { return r }

// Writer writes to a stream.
type Writer struct{ w io.Writer }

// NewWriter returns a Writer on w.
func NewWriter(w io.Writer) *Writer { return &Writer{w} }

// WriteNow writes nothing.
func (w *Writer) WriteNow([]byte) (int, error) { return 0, nil }

// Stdin returns the program's standard input.
func Stdin() io.Reader { return os.Stdin }

// Stdout returns the program's standard output.
func Stdout() io.Writer { return os.Stdout }
