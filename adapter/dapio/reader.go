package dapio

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/envoydbg/envoydbg/internal/prompt"
)

// MaxContent bounds the content of one message. The largest real ones (a
// disassembly, a variables response of a big container) are some MiB; the
// bound only keeps a broken peer from filling the memory.
const MaxContent = 512 << 20

// maxHeader bounds a line before the content.
const maxHeader = 64 << 10

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
func NewReader(r io.Reader) *Reader {
	return &Reader{br: bufio.NewReaderSize(prompt.Reader(r), maxHeader)}
}

var contentLength = []byte("Content-Length:")

// Next returns the next message. The end of the stream between messages is
// io.EOF, within one io.ErrUnexpectedEOF.
func (r *Reader) Next() (*Message, error) {
	n, err := r.header()
	if err != nil {
		return nil, err
	}
	if n > MaxContent {
		return nil, fmt.Errorf("%w: Content-Length %d", ErrTooLarge, n)
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
	if n <= 1<<20 {
		b := make([]byte, n)
		got, err := io.ReadFull(r.br, b)
		return b[:got], err
	}
	var buf bytes.Buffer
	_, err := io.CopyN(&buf, r.br, n)
	return buf.Bytes(), err
}

// header reads up to the empty line that precedes the content and returns the
// content's length in bytes.
func (r *Reader) header() (int64, error) {
	length := int64(-1)
	for {
		line, err := r.line()
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			if err := r.noise(line); err != nil {
				return 0, err
			}
			continue
		case errors.Is(err, io.EOF) && length < 0:
			if len(line) > 0 {
				if err := r.noise(line); err != nil {
					return 0, err
				}
			}
			return 0, io.EOF
		case errors.Is(err, io.EOF):
			return 0, io.ErrUnexpectedEOF
		case err != nil:
			return 0, err
		}
		if at := bytes.LastIndex(line, contentLength); at >= 0 {
			if at > 0 {
				if err := r.noise(line[:at]); err != nil {
					return 0, err
				}
			}
			text := bytes.TrimSpace(line[at+len(contentLength):])
			n, err := strconv.ParseInt(string(text), 10, 64)
			if err != nil || n < 0 {
				if err := r.noise(line[at:]); err != nil {
					return 0, err
				}
				length = -1
				continue
			}
			length = n
			continue
		}
		if length < 0 {
			if err := r.noise(line); err != nil {
				return 0, err
			}
			continue
		}
		if len(bytes.TrimRight(line, "\r\n")) == 0 {
			return length, nil
		}
		// Another header field (the protocol has none yet), or noise between
		// the header's lines; neither changes where the content starts.
	}
}

// line returns the next line with its end. Of a line longer than the buffer it
// returns a part, with bufio.ErrBufferFull, cut so that a header field in the
// middle of such a line is never in two parts.
func (r *Reader) line() ([]byte, error) {
	seen := 0
	for {
		b, err := r.br.Peek(min(max(seen+1, r.br.Buffered()), maxHeader))
		if end := bytes.IndexByte(b[seen:], '\n'); end >= 0 {
			return r.take(seen + end + 1), nil
		}
		seen = len(b)
		switch {
		case err != nil:
			return r.take(seen), err
		case seen < maxHeader:
			continue
		}
		switch at := bytes.Index(b, contentLength); {
		case at > 0:
			return r.take(at), bufio.ErrBufferFull
		case at == 0:
			return r.take(1), bufio.ErrBufferFull
		}
		return r.take(seen - len(contentLength) + 1), bufio.ErrBufferFull
	}
}

// take returns the next n bytes, which are in the buffer, valid until the next read.
func (r *Reader) take(n int) []byte {
	b, _ := r.br.Peek(n)
	_, _ = r.br.Discard(n)
	return b
}

func (r *Reader) noise(b []byte) error {
	if r.Noise == nil {
		if len(b) > 60 {
			b = b[:60]
		}
		return fmt.Errorf("%w: %q", ErrNotDAP, b)
	}
	r.Noise(b)
	return nil
}
