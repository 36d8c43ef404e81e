package gdbremote

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// MaxPacket bounds, in bytes, what a [Reader] keeps of one packet. lldb-server's
// own packets stay below 128 KiB (its PacketSize), except for lists of modules and
// threads. A longer packet is returned in parts.
const MaxPacket = 1 << 20

// Kind tells the elements of a gdb-remote stream apart.
type Kind int

// The elements of a gdb-remote stream (GDB manual, appendix E.1 "Overview").
const (
	KindPacket       Kind = iota // $payload#cs
	KindNotification             // %payload#cs
	KindAck                      // +
	KindNack                     // -
	KindInterrupt                // 0x03
	KindNoise                    // any other byte outside a packet
	KindPart                     // a part of a packet or notification above MaxPacket
)

// Frame is one element of the stream. Raw holds its bytes as they were on the
// wire, so that a frame nobody acts on is passed on unchanged. Payload is the
// text between '$' and '#', still escaped; it shares Raw's memory.
type Frame struct {
	Kind    Kind
	Raw     []byte
	Payload []byte // of a packet or notification
	// Valid reports that the checksum is right.
	Valid bool
	// More is set for all parts of a long packet but the last.
	More bool
}

// Reader splits a byte stream into frames. It uses at most some
// [MaxPacket] bytes of memory, whatever comes.
type Reader struct {
	br     *bufio.Reader
	raw    []byte // memory of the frame returned last
	inside bool   // in the middle of a long packet
}

// NewReader returns a Reader on r.
func NewReader(r io.Reader) *Reader { return &Reader{br: bufio.NewReaderSize(r, 64<<10)} }

// Next returns the next frame, which is valid until the next call. At the end of
// the stream the error is io.EOF, or io.ErrUnexpectedEOF within a packet.
func (r *Reader) Next() (Frame, error) {
	r.raw = r.raw[:0]
	if r.inside {
		return r.packet()
	}
	b, err := r.br.ReadByte()
	if err != nil {
		return Frame{}, err
	}
	r.raw = append(r.raw, b)
	switch b {
	case '$', '%':
		return r.packet()
	case '+':
		return Frame{Kind: KindAck, Raw: r.raw, Valid: true}, nil
	case '-':
		return Frame{Kind: KindNack, Raw: r.raw, Valid: true}, nil
	case 0x03:
		return Frame{Kind: KindInterrupt, Raw: r.raw, Valid: true}, nil
	}
	return Frame{Kind: KindNoise, Raw: r.raw}, nil
}

// packet reads the rest of a packet whose first byte is in r.raw, or, inside a
// long one, its next part.
func (r *Reader) packet() (Frame, error) {
	for {
		chunk, err := r.br.ReadSlice('#')
		r.raw = append(r.raw, chunk...)
		if err == nil {
			break
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return Frame{}, midPacket(err)
		}
		if len(r.raw) >= MaxPacket {
			r.inside = true
			return Frame{Kind: KindPart, Raw: r.raw, More: true}, nil
		}
	}
	var sum [2]byte
	if _, err := io.ReadFull(r.br, sum[:]); err != nil {
		return Frame{}, midPacket(err)
	}
	r.raw = append(r.raw, sum[:]...)
	if r.inside {
		r.inside = false
		return Frame{Kind: KindPart, Raw: r.raw}, nil
	}
	f := Frame{Kind: KindPacket, Raw: r.raw, Payload: r.raw[1 : len(r.raw)-3]}
	if r.raw[0] == '%' {
		f.Kind = KindNotification
	}
	var want [1]byte
	if _, err := hex.Decode(want[:], sum[:]); err == nil {
		f.Valid = want[0] == checksum(f.Payload)
	}
	return f, nil
}

func midPacket(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func checksum(payload []byte) byte {
	var s byte
	for _, b := range payload {
		s += b
	}
	return s
}

// Encode frames a payload that needs no escaping.
func Encode(payload string) []byte {
	return fmt.Appendf(nil, "$%s#%02x", payload, checksum([]byte(payload)))
}

// field returns the value of `key:value;` in a semicolon-separated reply.
func field(payload []byte, key string) (string, bool) {
	for part := range bytes.SplitSeq(payload, []byte{';'}) {
		if k, v, ok := bytes.Cut(part, []byte{':'}); ok && string(k) == key {
			return string(v), true
		}
	}
	return "", false
}
