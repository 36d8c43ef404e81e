package linetable

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// decoder takes values off a piece of a section. After its first error, which
// it keeps, all values are zero.
type decoder struct {
	b    []byte
	pos  int
	s    *section
	base uint64 // offset of b in the section
	err  error
	// short says that the first error was the end of the piece.
	short bool
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = &CorruptError{d.s.name, d.base + uint64(d.pos), fmt.Sprintf(format, args...)}
	}
}

func (d *decoder) left() uint64 { return uint64(len(d.b) - d.pos) }

func (d *decoder) ended() {
	d.short = d.short || d.err == nil
	d.fail("a value goes on beyond its end, %d bytes further", d.left())
}

func (d *decoder) take(n uint64) []byte {
	if d.err != nil || n > d.left() {
		d.ended()
		return nil
	}
	b := d.b[d.pos : d.pos+int(n)]
	d.pos += int(n)
	return b
}

func (d *decoder) u8() uint64 {
	if b := d.take(1); b != nil {
		return uint64(b[0])
	}
	return 0
}

func (d *decoder) u16() uint64 {
	if b := d.take(2); b != nil {
		return uint64(binary.LittleEndian.Uint16(b))
	}
	return 0
}

func (d *decoder) u32() uint64 {
	if b := d.take(4); b != nil {
		return uint64(binary.LittleEndian.Uint32(b))
	}
	return 0
}

func (d *decoder) u64() uint64 {
	if b := d.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// offset is 4 bytes in the 32-bit format, 8 in the 64-bit format (7.4).
func (d *decoder) offset(is64 bool) uint64 {
	if is64 {
		return d.u64()
	}
	return d.u32()
}

// uleb takes a LEB128 (7.6). Bits beyond 64 are lost, as signed ones lose them.
func (d *decoder) uleb() uint64 {
	var v uint64
	for shift := uint(0); ; shift += 7 {
		if d.err != nil || d.pos >= len(d.b) {
			d.ended()
			return 0
		}
		c := d.b[d.pos]
		d.pos++
		if shift < 64 {
			v |= uint64(c&0x7f) << shift
		}
		if c < 0x80 {
			return v
		}
	}
}

// sleb takes a signed LEB128.
func (d *decoder) sleb() int64 {
	var v int64
	for shift := uint(0); ; shift += 7 {
		if d.err != nil || d.pos >= len(d.b) {
			d.ended()
			return 0
		}
		c := d.b[d.pos]
		d.pos++
		if shift < 64 {
			v |= int64(c&0x7f) << shift
		}
		if c < 0x80 {
			if c&0x40 != 0 && shift+7 < 64 {
				v |= -1 << (shift + 7)
			}
			return v
		}
	}
}

// text takes a string with its NUL, and returns it without.
func (d *decoder) text() []byte {
	if d.err != nil {
		return nil
	}
	n := bytes.IndexByte(d.b[d.pos:], 0)
	if n < 0 {
		d.ended()
		return nil
	}
	b := d.b[d.pos : d.pos+n]
	d.pos += n + 1
	return b
}

// unitLength takes the initial length of a unit (7.2.2). body is the offset of
// what it counts, in the section.
func unitLength(s *section, off uint64) (length, body uint64, is64 bool, err error) {
	b, err := s.at(off, min(12, s.size-off))
	if err != nil {
		return 0, 0, false, err
	}
	d := decoder{b: b[:min(12, len(b))], s: s, base: off}
	length = d.u32()
	if length >= 0xfffffff0 {
		if length != 0xffffffff {
			d.fail("reserved unit length %#x", length)
		}
		is64 = true
		length = d.u64()
	}
	if d.err != nil {
		return 0, 0, false, d.err
	}
	body = off + uint64(d.pos)
	if length > s.size-body {
		return 0, 0, false, s.corrupt(off, "a unit of %d bytes where %d are left", length, s.size-body)
	}
	return length, body, is64, nil
}
