package dapio

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// ours is how lldb-dap begins a header, always. Among bytes that may be anything
// only this is taken for one.
var ours = []byte(contentLength + ":")

// headerInNoise hands to Noise what comes before the next header and in it, and
// returns the content's length in bytes.
func (r *Reader) headerInNoise() (int64, error) {
	length := int64(-1)
	for {
		line, err := r.line(anything)
		at := bytes.LastIndex(line, ours)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			r.noise(line[:cut(len(line), at)])
		case err != nil:
			if at < 0 {
				at = len(line)
			}
			if errors.Is(err, io.EOF) && (length >= 0 || at < len(line)) {
				err = fmt.Errorf("message ended within its header: %w", io.ErrUnexpectedEOF)
			}
			r.noise(line[:at])
			return 0, err
		case at >= 0:
			r.noise(line[:at])
			if length, err = parseLength(bytes.TrimRight(line[at+len(ours):], "\r\n")); err == nil {
				r.drop(len(line) - at)
				continue
			}
			if errors.Is(err, ErrTooLarge) {
				return 0, err
			}
			length = -1
			r.noise(line[at:])
		case length >= 0 && len(bytes.TrimRight(line, "\r\n")) == 0:
			r.drop(len(line))
			return length, nil
		default:
			r.noise(line)
		}
	}
}

func anything([]byte) error { return nil }

// cut is how many of the size bytes of a line that has not ended are noise, so
// that no header that begins in it is taken apart. at is where one begins, if it
// is positive; at 0 it would be too long for one.
func cut(size, at int) int {
	if at > 0 {
		return at
	}
	return size - len(ours) + 1
}

// noise drops the bytes, the next ones in the buffer, and hands them to Noise.
func (r *Reader) noise(b []byte) {
	if len(b) > 0 {
		r.Noise(b)
		r.drop(len(b))
	}
}
