package dapio

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// MaxContent bounds the content of one message. The largest real ones (a
// disassembly, a variables response of a big container) are some MiB; the
// bound only keeps a broken peer from filling the memory.
const MaxContent = 512 << 20

// ErrTooLarge is returned for a message above [MaxContent].
var ErrTooLarge = errors.New("message exceeds 512 MiB")

// ErrNotDAP is returned when a stream that must hold nothing but messages holds
// something else.
var ErrNotDAP = errors.New("not a debug adapter protocol message")

// Reader reads messages from a stream.
type Reader struct {
	br *bufio.Reader
	// Noise, if set, receives the bytes between messages, and they are no
	// error: a debugger that crashes or prints does so on its stdout, where
	// its messages are. The slice is only valid during the call.
	Noise func([]byte)
}

// NewReader returns a Reader on r.
func NewReader(r io.Reader) *Reader { return &Reader{br: bufio.NewReaderSize(r, maxHeader)} }

// Next returns the next message. The end of the stream between messages is
// io.EOF, within one io.ErrUnexpectedEOF. After an error there are no more
// messages to read, except after [ErrNotDAP] from a Reader with Noise: that is
// the content of one message.
func (r *Reader) Next() (*Message, error) {
	header := r.header
	if r.Noise != nil {
		header = r.headerInNoise
	}
	n, err := header()
	if err != nil {
		return nil, err
	}
	content, err := r.content(n)
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("message ended after %d of %d bytes: %w", len(content), n, err)
	}
	return Parse(content)
}

// content returns the next n bytes, or those there are. Memory grows with what
// arrives, not with what the header promises.
func (r *Reader) content(n int64) ([]byte, error) {
	var buf bytes.Buffer
	buf.Grow(int(min(n, 1<<20)) + bytes.MinRead)
	_, err := io.CopyN(&buf, r.br, n)
	return buf.Bytes(), err
}

// line returns the next line with its end, or what there is of it and why: the
// stream's error, bufio.ErrBufferFull for a line of more than maxHeader bytes, or
// that of check, which looks at the beginning of a line that is not whole. The
// bytes stay in the buffer, and are valid until the next read from it.
func (r *Reader) line(check func(begin []byte) error) ([]byte, error) {
	seen := 0
	for {
		b, err := r.br.Peek(min(max(seen+1, r.br.Buffered()), maxHeader))
		if end := bytes.IndexByte(b[seen:], '\n'); end >= 0 {
			return b[:seen+end+1], nil
		}
		if err == nil {
			err = check(b)
		}
		if seen = len(b); err == nil && seen == maxHeader {
			err = bufio.ErrBufferFull
		}
		if err != nil {
			return b, err
		}
	}
}

// drop removes n bytes that line has returned.
func (r *Reader) drop(n int) { _, _ = r.br.Discard(n) }
