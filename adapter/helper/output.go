package helper

import (
	"encoding/binary"
	"fmt"
	"io"
)

// The stream of kind [StreamOutput] carries the output of the agent and of Envoy
// (which inherits the agent's stdout and stderr) from the helper to the adapter,
// in frames like those of Docker's attach stream:
//
//	byte 0     1 for stdout, 2 for stderr
//	bytes 1-3  0
//	bytes 4-7  length of what follows, big-endian
//
// An adapter that stops reading the stream holds the agent back: the helper reads
// no more from the agent's pipes than its own small buffer holds, and a program
// that writes to a full pipe waits. Nothing is dropped while the adapter is there. While
// it is cut off from a daemon the newest 8 MiB are kept, and a line on stderr says how
// much is missing before them.

// MaxOutput is the largest number of bytes in one frame.
const MaxOutput = 32 << 10

const frameHeader = 8

// OutputParams is one piece of the agent's output, at most [MaxOutput] bytes. It
// may begin or end within a line or a character.
type OutputParams struct {
	Stream string // "stdout" | "stderr"
	Data   []byte
}

// WriteOutput writes one frame, in one call of w.Write.
func WriteOutput(w io.Writer, p OutputParams) error {
	b := make([]byte, frameHeader, frameHeader+len(p.Data))
	b[0] = 1
	if p.Stream == "stderr" {
		b[0] = 2
	}
	binary.BigEndian.PutUint32(b[4:], uint32(len(p.Data)))
	_, err := w.Write(append(b, p.Data...))
	return err
}

// ReadOutput reads one frame. It returns io.EOF at the end of the stream.
func ReadOutput(r io.Reader) (OutputParams, error) {
	var p OutputParams
	var h [frameHeader]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return p, err
	}
	switch h[0] {
	case 1:
		p.Stream = "stdout"
	case 2:
		p.Stream = "stderr"
	default:
		return p, fmt.Errorf("output of unknown stream %d", h[0])
	}
	n := binary.BigEndian.Uint32(h[4:])
	if n > MaxOutput {
		return p, fmt.Errorf("a frame of output with %d bytes; at most %d are allowed", n, MaxOutput)
	}
	p.Data = make([]byte, n)
	_, err := io.ReadFull(r, p.Data)
	return p, err
}
