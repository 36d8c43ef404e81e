package linetable

// header is that of a unit (6.2.4), with its lists still to be read.
type header struct {
	program
	is64  bool
	lists decoder // of directories and files
}

// openHeader reads the header of the unit at off up to its lists. What linkers fill gaps
// with has version 0. With an error, end is where the next unit is, or 0.
func openHeader(s *section, off uint64) (h header, err error) {
	length, body, is64, err := unitLength(s, off)
	if err != nil {
		return h, err
	}
	h.is64 = is64
	h.unit, h.end = off, body+length
	if length == 0 {
		return h, nil
	}
	// What comes before header_length: 2 bytes, in version 5 2 more.
	const fixed = 2 + 2 + 8
	b, err := s.at(body, min(fixed, length))
	if err != nil {
		h.end = 0
		return h, err
	}
	d := decoder{b: b[:min(fixed, length)], s: s, base: body}
	version := d.u16()
	if d.err == nil && (version < 2 || version > 5) {
		return h, s.corrupt(body, "a line table of version %d", version)
	}
	if version == 5 {
		d.u8() // address_size
		d.u8() // segment_selector_size
	}
	size := d.offset(is64)
	if d.err != nil {
		return h, d.err
	}
	start := body + uint64(d.pos)
	if size > h.end-start {
		return h, s.corrupt(start, "a header of %d bytes in a unit with %d left", size, h.end-start)
	}
	if size > maxAt {
		return h, s.corrupt(start, "a header of %d bytes, more than %d", size, maxAt)
	}
	if b, err = s.at(start, size); err != nil {
		h.end = 0
		return h, err
	}
	d = decoder{b: b[:size], s: s, base: start}
	h.version, h.off = version, start+size
	h.instruction = d.u8() // minimum_instruction_length
	if version >= 4 {
		d.u8() // maximum_operations_per_instruction
	}
	d.u8() // default_is_stmt
	h.lineBase, h.lineRange = int64(int8(d.u8())), d.u8()
	if h.opcodeBase = d.u8(); h.opcodeBase > 0 {
		h.operands = string(d.take(h.opcodeBase - 1)) // standard_opcode_lengths
	}
	h.lists = d
	return h, nil
}
