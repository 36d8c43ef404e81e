package linetable

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

const (
	// maxLines bounds the distinct lines of one file.
	maxLines = 1 << 20
	// programStep is how much of a line program is looked at in one piece.
	programStep = 64 << 10
)

// Lines are the lines that have code in one source file, ascending. sources are
// the file's paths as Read gives them, and path is the Table's: the file that has
// the line tables. Only the programs of units that name the file are run
// (DWARF 5, section 6.2.5). The lines found before an error, also that of ctx, come
// with it.
func Lines(ctx context.Context, path string, sources []string) ([]int, error) {
	in := &input{ctx: ctx}
	img, err := in.open(path)
	if err != nil {
		return nil, err
	}
	defer img.close()
	r := newReader(ctx)
	r.code = &codeLines{sources: sources, lines: map[int]bool{}}
	r.read(img, "")
	lines := slices.Sorted(maps.Keys(r.code.lines))
	if err := ctx.Err(); err != nil {
		return lines, err
	}
	if err := r.err(); err != nil {
		return lines, fmt.Errorf("%s: %w", img.path, err)
	}
	return lines, nil
}

// codeLines gathers the lines of some sources from the line programs.
type codeLines struct {
	sources []string
	all     []program
	lines   map[int]bool
}

// program is the line program of a unit, with what its header says of it.
type program struct {
	unit, off, end        uint64 // in .debug_line
	version               uint64
	lineBase              int64
	lineRange, opcodeBase uint64
	operands              string  // of the standard opcodes, how many each has
	files                 []int32 // of the unit, by their indexes in tally
}

func (c *codeLines) add(p program, files []int32) {
	p.files = slices.Clone(files)
	c.all = append(c.all, p)
}

// run runs the programs of the units that name one of the sources.
func (c *codeLines) run(u *unit) {
	wanted := map[int32]bool{}
	for i, f := range u.tally.files[1:] {
		if spelled, _, ok := u.tally.spelled(f); ok && slices.Contains(c.sources, spelled) {
			wanted[int32(i+1)] = true
		}
	}
	for _, p := range c.all {
		if u.ctx.Err() != nil {
			return
		}
		files := map[uint64]bool{}
		for i, f := range p.files {
			if wanted[f] {
				if p.version < 5 {
					i++ // which counted files from 1
				}
				files[uint64(i)] = true
			}
		}
		if len(files) == 0 {
			continue
		}
		if err := c.rows(u.lines, p, files); err != nil {
			u.fail(err)
		}
	}
}

// Opcodes, 7.22.
const (
	lnsCopy           = 1
	lnsAdvanceLine    = 3
	lnsSetFile        = 4
	lnsFixedAdvancePC = 9

	lneEndSequence = 1
	lneSetAddress  = 2
)

// registers are those of the line-number machine (6.2.2) that matter here.
type registers struct {
	file uint64
	line int64
	// dropped: the linker has left this code out of the program.
	dropped bool
}

var initial = registers{file: 1, line: 1}

// rows runs one program and notes the lines of its rows in these files.
func (c *codeLines) rows(s *section, p program, files map[uint64]bool) error {
	if p.lineRange == 0 || p.opcodeBase == 0 {
		return s.corrupt(p.unit, "a line table whose opcodes have no meaning")
	}
	at := initial
	file, wanted := at.file, files[at.file] // asked for each row
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
			row := true
			if op := uint64(d.b[d.pos]); op >= p.opcodeBase { // most are special ones
				at.line += p.lineBase + int64((op-p.opcodeBase)%p.lineRange)
				d.pos++
			} else {
				before := at
				if row = p.step(&d, &at); d.err != nil {
					at = before
					break
				}
			}
			done = d.pos
			if at.file != file {
				file, wanted = at.file, files[at.file]
			}
			if row && wanted && at.line > 0 && !at.dropped {
				if c.lines[int(at.line)] = true; len(c.lines) > maxLines {
					return d.s.corrupt(off, "more than %d lines in one file", maxLines)
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

// step runs one opcode that is not special. It reports whether that makes a row of
// code.
func (p program) step(d *decoder, at *registers) (row bool) {
	op := d.u8()
	switch {
	case op == 0:
		switch body := d.take(d.uleb()); {
		case len(body) == 0:
		case body[0] == lneEndSequence:
			*at = initial // its row is the first address behind the code
		case body[0] == lneSetAddress:
			at.dropped = tombstone(body[1:])
		}
	case op == lnsCopy:
		return true
	case op == lnsAdvanceLine:
		at.line += d.sleb()
	case op == lnsSetFile:
		at.file = d.uleb()
	case op == lnsFixedAdvancePC:
		d.u16()
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
