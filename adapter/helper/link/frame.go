package link

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Version is that of the bytes on a transport.
const Version = 1

// preamble is what a client sends first, before its version.
const preamble = "envoydbg-link"

// Types of frames.
const (
	frameHello   = 1
	frameWelcome = 2
	frameRefused = 3
	frameData    = 4
	frameAck     = 5
	frameClose   = 6
)

const (
	headerSize = 5
	numberSize = 8
	// maxData is the largest number of bytes in one data frame.
	maxData = 32<<10 - 2*(headerSize+numberSize)
	// maxText is the largest JSON of a handshake.
	maxText = 4 << 10
)

// frame is one frame as it was read. Its content is valid until the next one.
type frame struct {
	kind    byte
	number  uint64 // of welcome, data and ack
	content []byte // of hello, refused and data
}

// bounds are the lengths that a type of frame may have.
func bounds(kind byte) (least, most uint32) {
	switch kind {
	case frameHello, frameRefused:
		return 0, maxText
	case frameWelcome, frameAck:
		return numberSize, numberSize
	case frameData:
		return numberSize + 1, numberSize + maxData
	case frameClose:
		return 0, 0
	}
	return 1, 0
}

// readFrame reads one frame into buf, which has room for the largest one.
func readFrame(r io.Reader, buf []byte) (frame, error) {
	h := buf[:headerSize]
	if _, err := io.ReadFull(r, h); err != nil {
		return frame{}, err
	}
	f := frame{kind: h[0]}
	size := binary.BigEndian.Uint32(h[1:])
	if least, most := bounds(f.kind); size < least || size > most {
		return f, fmt.Errorf("a frame of type %d with %d bytes", f.kind, size)
	}
	body := buf[:size]
	if _, err := io.ReadFull(r, body); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return f, err
	}
	switch f.kind {
	case frameWelcome, frameData, frameAck:
		f.number, body = binary.BigEndian.Uint64(body), body[numberSize:]
	}
	f.content = body
	return f, nil
}

// bufferSize has room for any frame.
const bufferSize = headerSize + numberSize + maxData

// appendNumber appends a frame that holds a number alone.
func appendNumber(b []byte, kind byte, n uint64) []byte {
	b = append(b, kind)
	b = binary.BigEndian.AppendUint32(b, numberSize)
	return binary.BigEndian.AppendUint64(b, n)
}

// appendData appends the header of a data frame, which size bytes follow.
func appendData(b []byte, number uint64, size int) []byte {
	b = append(b, frameData)
	b = binary.BigEndian.AppendUint32(b, uint32(numberSize+size))
	return binary.BigEndian.AppendUint64(b, number)
}

// appendText appends a frame of the handshake.
func appendText(b []byte, kind byte, text []byte) []byte {
	b = append(b, kind)
	b = binary.BigEndian.AppendUint32(b, uint32(len(text)))
	return append(b, text...)
}

// appendClose appends a close frame.
func appendClose(b []byte) []byte { return append(b, frameClose, 0, 0, 0, 0) }
