package gdbremote

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// MaxPacket bounds one packet. lldb-server answers file reads and memory reads
// in packets of at most a few MiB; a peer that never sends '#' must not fill
// the memory.
const MaxPacket = 64 << 20

// ErrPacketTooLong is returned by [Reader.Next] for a packet above [MaxPacket].
var ErrPacketTooLong = errors.New("gdb-remote packet exceeds 64 MiB")

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
)

// Frame is one element of the stream. Raw holds its bytes as they were on the
// wire, so that a frame nobody acts on is passed on unchanged. Payload is the
// part between '$' and '#', still escaped, and shares Raw's memory.
type Frame struct {
	Kind    Kind
	Raw     []byte
	Payload []byte
	// Valid reports that the checksum is right. A frame with a wrong one is
	// passed on for the receiver to reject, and never interpreted.
	Valid bool
}

// Reader splits a byte stream into frames.
type Reader struct{ br *bufio.Reader }

// NewReader returns a Reader on r.
func NewReader(r io.Reader) *Reader { return &Reader{bufio.NewReaderSize(r, 64<<10)} }

// Next returns the next frame. At the end of the stream the error is io.EOF,
// or io.ErrUnexpectedEOF within a packet.
func (r *Reader) Next() (Frame, error) {
	b, err := r.br.ReadByte()
	if err != nil {
		return Frame{}, err
	}
	switch b {
	case '$', '%':
		return r.packet(b)
	case '+':
		return Frame{Kind: KindAck, Raw: []byte{b}, Valid: true}, nil
	case '-':
		return Frame{Kind: KindNack, Raw: []byte{b}, Valid: true}, nil
	case 0x03:
		return Frame{Kind: KindInterrupt, Raw: []byte{b}, Valid: true}, nil
	}
	return Frame{Kind: KindNoise, Raw: []byte{b}}, nil
}

func (r *Reader) packet(start byte) (Frame, error) {
	raw := []byte{start}
	for {
		chunk, err := r.br.ReadSlice('#')
		raw = append(raw, chunk...)
		if err == nil {
			break
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return Frame{}, midPacket(err)
		}
		if len(raw) > MaxPacket {
			return Frame{}, ErrPacketTooLong
		}
	}
	var sum [2]byte
	if _, err := io.ReadFull(r.br, sum[:]); err != nil {
		return Frame{}, midPacket(err)
	}
	raw = append(raw, sum[:]...)
	f := Frame{Kind: KindPacket, Raw: raw, Payload: raw[1 : len(raw)-3]}
	if start == '%' {
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
