package dapio

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// maxHeader bounds a header, in bytes.
const maxHeader = 64 << 10

const contentLength = "Content-Length"

// header reads a header and returns the content's length in bytes. It is read as
// HTTP reads one (RFC 9112, sections 2.2 and 5): the names in any case, the fields
// in any order, unknown ones and empty lines before the first one passed over, a
// line feed alone taken for the end of a line.
func (r *Reader) header() (int64, error) {
	length, size := int64(-1), 0
	for {
		line, err := r.line(mayBeField)
		switch {
		case err == nil:
		case errors.Is(err, io.EOF) && size == 0 && len(line) == 0:
			return 0, io.EOF
		case errors.Is(err, io.EOF):
			return 0, fmt.Errorf("message ended within its header, after %.60q: %w", line, io.ErrUnexpectedEOF)
		case errors.Is(err, bufio.ErrBufferFull):
			return 0, fmt.Errorf("%w: a header of more than %d bytes", ErrNotDAP, maxHeader)
		default:
			return 0, err
		}
		r.drop(len(line))
		text := bytes.TrimRight(line, "\r\n")
		if len(text) == 0 && size == 0 {
			continue
		}
		if len(text) == 0 && length < 0 {
			return 0, fmt.Errorf("%w: a header without Content-Length", ErrNotDAP)
		}
		if len(text) == 0 {
			return length, nil
		}
		if size += len(line); size > maxHeader {
			return 0, fmt.Errorf("%w: a header of more than %d bytes", ErrNotDAP, maxHeader)
		}
		name, value, ok := field(text)
		switch {
		case !ok:
			return 0, notAField(text)
		case !strings.EqualFold(name, contentLength):
		case length >= 0:
			return 0, fmt.Errorf("%w: a header with Content-Length twice", ErrNotDAP)
		default:
			if length, err = parseLength(value); err != nil {
				return 0, err
			}
		}
	}
}

// field splits a line of a header.
func field(line []byte) (name string, value []byte, ok bool) {
	b, value, ok := bytes.Cut(line, []byte(":"))
	return string(b), value, ok && isName(b)
}

// isName tells whether b is the name of a field (a token of RFC 9110, 5.6.2).
func isName(b []byte) bool {
	return len(b) > 0 && bytes.IndexFunc(b, func(c rune) bool {
		return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", c))
	}) < 0
}

// mayBeField refuses the beginning of a line that is not that of a field. A peer
// that sends something else, JSON without a header say, may never end its line.
func mayBeField(begin []byte) error {
	name, _, _ := bytes.Cut(begin, []byte(":"))
	if isName(name) || string(begin) == "\r" {
		return nil
	}
	return notAField(begin)
}

func notAField(line []byte) error { return fmt.Errorf("%w: %.60q", ErrNotDAP, line) }

// parseLength reads the value of Content-Length.
func parseLength(value []byte) (int64, error) {
	text := string(bytes.Trim(value, " \t"))
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, fmt.Errorf("%w: Content-Length %.60q", ErrNotDAP, text)
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n > MaxContent {
		return 0, fmt.Errorf("%w: Content-Length %.60s", ErrTooLarge, text)
	}
	return n, nil
}
