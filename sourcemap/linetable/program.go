package linetable

import (
	"encoding/binary"
	"slices"
)

// programStep is how much of a line program is looked at in one piece.
const programStep = 64 << 10

// program is the line program of a unit, with what its header says of it.
type program struct {
	unit, off, end        uint64 // in .debug_line
	version               uint64
	instruction           uint64 // the least length of one, in bytes
	lineBase              int64
	lineRange, opcodeBase uint64
	operands              string  // of the standard opcodes, how many each has
	files                 []int32 // of the unit, by their indexes in tally
}

// Opcodes, 7.22.
const (
	lnsCopy           = 1
	lnsAdvancePC      = 2
	lnsAdvanceLine    = 3
	lnsSetFile        = 4
	lnsConstAddPC     = 8
	lnsFixedAdvancePC = 9
	lnsSetPrologueEnd = 10

	lneEndSequence = 1
	lneSetAddress  = 2
)

// registers are those of the line-number machine (6.2.2) that matter here.
type registers struct {
	address uint64
	file    uint64
	line    int64
	// body: this is the first address behind the prologue of a function.
	body bool
	// end: this row ends a sequence.
	end bool
	// dropped: the linker has left this code out of the program.
	dropped bool
}

var initial = registers{file: 1, line: 1}

// run runs the program and calls row with the registers of each row. It ends with the
// first error of row.
func (p program) run(s *section, row func(at *registers) error) error {
	if p.lineRange == 0 || p.opcodeBase == 0 {
		return s.corrupt(p.unit, "a line table whose opcodes have no meaning")
	}
	at := initial
	step := uint64(programStep)
	for off := p.off; off < p.end; {
		n := min(step, p.end-off)
		b, err := s.at(off, n)
		if err != nil {
			return err
		}
		d := decoder{b: b[:n], s: s, base: off}
		done := 0
		for d.pos < len(d.b) {
			isRow := true
			if op := uint64(d.b[d.pos]); op >= p.opcodeBase { // most are special ones
				at.line += p.lineBase + int64((op-p.opcodeBase)%p.lineRange)
				at.address += p.instruction * ((op - p.opcodeBase) / p.lineRange)
				d.pos++
			} else {
				before := at
				if isRow = p.step(&d, &at); d.err != nil {
					at = before
					break
				}
			}
			done = d.pos
			if isRow {
				if err := row(&at); err != nil {
					return err
				}
				if at.body = false; at.end {
					at = initial
				}
			}
		}
		switch {
		case d.err == nil || d.short && done > 0:
			step = programStep
		case d.short && off+n < p.end && step < maxAt:
			step *= 4 // an opcode that is longer than the piece
		default:
			return d.err
		}
		off += uint64(done)
	}
	return nil
}

// step runs one opcode that is not special. It reports whether that makes a row.
func (p program) step(d *decoder, at *registers) (row bool) {
	op := d.u8()
	switch {
	case op == 0:
		switch body := d.take(d.uleb()); {
		case len(body) == 0:
		case body[0] == lneEndSequence:
			at.end = true
			return true
		case body[0] == lneSetAddress:
			at.dropped = tombstone(body[1:])
			if at.address = 0; len(body) == 9 {
				at.address = binary.LittleEndian.Uint64(body[1:])
			}
		}
	case op == lnsCopy:
		return true
	case op == lnsAdvancePC:
		at.address += p.instruction * d.uleb()
	case op == lnsAdvanceLine:
		at.line += d.sleb()
	case op == lnsSetFile:
		at.file = d.uleb()
	case op == lnsConstAddPC:
		at.address += p.instruction * ((255 - p.opcodeBase) / p.lineRange)
	case op == lnsFixedAdvancePC:
		at.address += d.u16()
	case op == lnsSetPrologueEnd && p.version >= 3:
		at.body = true
	default:
		for range p.operands[op-1] {
			d.uleb()
		}
	}
	return false
}

// tombstone reports whether an address is what linkers put in place of that of code
// that they have dropped: 0, or the greatest or last but one (lld).
func tombstone(address []byte) bool {
	if len(address) == 0 {
		return false
	}
	first, rest := address[0], address[1:]
	zero := first == 0 && !slices.ContainsFunc(rest, func(b byte) bool { return b != 0 })
	greatest := first >= 0xfe && !slices.ContainsFunc(rest, func(b byte) bool { return b != 0xff })
	return zero || greatest
}
