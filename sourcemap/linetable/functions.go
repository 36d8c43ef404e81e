package linetable

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/envoydbg/envoydbg/internal/elffile"
)

// Function is a function of a program.
type Function struct {
	elffile.Symbol
	// Body is the address, in the file, where a breakpoint by the function's name stops:
	// behind the prologue, where arguments can be read. It is Address where that is not
	// known, because the function has no line table.
	Body uint64
}

// Functions are the functions of the program at path whose names contain one of the
// texts (elffile.File.Named) and are wanted, by their addresses. Symbols and line tables
// are the program's own, or those of its separate debug file, which Read finds, too.
// Without symbols the error is elffile.ErrNoSymbols.
//
// A debugger finds functions by an index of all names of the program. For a program of
// 1 GB that takes it seconds and as much memory as the program; this takes tenths.
func Functions(ctx context.Context, path string, debugDirs []string, wanted func(name string) bool, texts ...string) ([]Function, error) {
	in := &input{ctx: ctx}
	functions, err := in.functions(path, debugDirs, wanted, texts)
	if ended := ctx.Err(); ended != nil {
		return nil, ended
	}
	return functions, err
}

func (in *input) functions(path string, debugDirs []string, wanted func(name string) bool, texts []string) ([]Function, error) {
	lines, err := in.openWithLines(path, debugDirs...)
	if err != nil && !errors.Is(err, ErrNoLineTables) {
		return nil, err
	}
	program := lines
	if lines == nil || lines.path != path {
		if program, err = in.open(path); err != nil {
			return nil, err
		}
		defer program.close()
	}
	if lines != nil {
		defer lines.close()
	}
	symbols, err := program.file.Named(in.ctx, texts...)
	if errors.Is(err, elffile.ErrNoSymbols) && lines != nil && lines != program {
		symbols, err = lines.file.Named(in.ctx, texts...)
	}
	if err != nil {
		return nil, err
	}
	var out []Function
	for _, s := range symbols {
		known := len(out) > 0 && out[len(out)-1].Address == s.Address // by another name
		if wanted(s.Name) && !known {
			out = append(out, Function{s, s.Address})
		}
	}
	if lines == nil || len(out) == 0 {
		return out, nil
	}
	return out, in.bodies(lines, out)
}

// bodies finds where the bodies of functions begin, which ascend by their addresses.
func (in *input) bodies(img *image, functions []Function) error {
	s, err := img.open(".debug_line", 64<<10)
	if err != nil {
		return err
	}
	defer func() { s.close() }()
	units, err := in.unitsOf(s, functions)
	if err != nil {
		return err
	}
	for _, unit := range units {
		h, err := openHeader(s, unit)
		if err != nil {
			return err
		}
		rows, err := rowsOf(s, h.program)
		if err != nil {
			return err
		}
		rows.bodies(functions)
	}
	return nil
}

// begins is a place of a line program that may set the address where a sequence begins.
type begins struct{ address, unit uint64 }

// maxBegins is how many of these places are kept for a function. The nearest is the true
// one, unless other bytes look like it by chance.
const maxBegins = 3

// unitsOf are the units, by their offsets, in which the line tables of functions may be.
// A sequence begins with the opcode that sets its address, and its rows ascend from
// there; sequences do not overlap. So that of a function has, of all these addresses, the
// nearest before the function. These opcodes are found by their bytes, because running
// all line programs of a program of 1 GB would take a second.
func (in *input) unitsOf(s *section, functions []Function) ([]uint64, error) {
	nearest := make([][]begins, len(functions))
	note := func(b begins) {
		i, _ := slices.BinarySearchFunc(functions, b.address, func(f Function, at uint64) int { return cmp.Compare(f.Address, at) })
		if i < len(functions) {
			nearest[i] = nearer(append(nearest[i], b))
		}
	}
	for off := uint64(0); off < s.size; {
		length, body, _, err := unitLength(s, off)
		if err != nil {
			return nil, err
		}
		if err := in.begins(s, off, body, body+length, note); err != nil {
			return nil, err
		}
		off = body + length
	}
	var units []uint64
	for i := range nearest {
		if i > 0 { // what is before one function is before the next
			nearest[i] = nearer(append(nearest[i], nearest[i-1]...))
		}
		for _, b := range nearest[i] {
			units = append(units, b.unit)
		}
	}
	slices.Sort(units)
	return slices.Compact(units), nil
}

func nearer(all []begins) []begins {
	slices.SortFunc(all, func(a, b begins) int { return cmp.Compare(b.address, a.address) })
	return all[:min(len(all), maxBegins)]
}

// setAddress is the opcode with an address of 8 bytes, which follows.
const setAddress = "\x00\x09\x02"

// begins calls note with what looks like the begin of a sequence in a unit.
func (in *input) begins(s *section, unit, off, end uint64, note func(begins)) error {
	const piece, whole = 1 << 20, uint64(len(setAddress) + 8)
	for off+whole <= end {
		if err := in.ctx.Err(); err != nil {
			return err
		}
		n := min(piece, end-off)
		b, err := s.at(off, n)
		if err != nil {
			return err
		}
		for _, address := range addresses(b[:n]) {
			note(begins{address, unit})
		}
		off += n - whole + 1 // one that this piece has in part
	}
	return nil
}
