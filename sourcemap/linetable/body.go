package linetable

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
)

// addresses are those of all opcodes in b that set one.
func addresses(b []byte) (all []uint64) {
	for {
		i := bytes.Index(b, []byte(setAddress))
		if i < 0 || len(b)-i < len(setAddress)+8 {
			return all
		}
		all = append(all, binary.LittleEndian.Uint64(b[i+len(setAddress):]))
		b = b[i+1:]
	}
}

// sequence are the rows of one sequence of a line program as LLDB keeps them
// (LineTable::AppendLineEntryToSequence): of rows with one address the last.
type sequence []registers

func (q *sequence) add(at *registers) {
	row := *at
	if n := len(*q); n > 0 && (*q)[n-1].address == row.address {
		// gcc marks no end of a prologue. It gives the function's first line, and then the
		// first line of the body: of one address where there is no prologue.
		row.body = row.file == (*q)[n-1].file
		(*q)[n-1] = row
		return
	}
	*q = append(*q, row)
}

// rowsOf are the rows of a unit by their addresses, as LLDB keeps them. Code that the
// linker has dropped has none.
func rowsOf(s *section, p program) (rows sequence, err error) {
	var all []sequence
	var q sequence
	err = p.run(s, func(at *registers) error {
		if q.add(at); at.end {
			if !q[0].dropped {
				all = append(all, q)
			}
			q = nil
		}
		return nil
	})
	slices.SortStableFunc(all, func(a, b sequence) int { return cmp.Compare(a[0].address, b[0].address) })
	return slices.Concat(all...), err
}

// bodies notes where the bodies of those functions begin whose code is in these rows.
func (q sequence) bodies(functions []Function) {
	for i, f := range functions {
		// Behind the row that ends the sequence before, whose address may be the same.
		at, _ := slices.BinarySearchFunc(q, f.Address, func(r registers, at uint64) int {
			if r.address == at && r.end {
				return -1
			}
			return cmp.Compare(r.address, at)
		})
		if at == len(q) || q[at].address != f.Address {
			at--
		}
		if at >= 0 && !q[at].end {
			functions[i].Body = q[at:].body(f.Address, f.Size)
		}
	}
}

// maxPrologue is how many rows behind the first of a function are looked at for the end
// of its prologue.
const maxPrologue = 5

// body is where LLDB takes the prologue of a function to end, whose first row this is
// (Function::GetPrologueByteSize): at the first row that says so, else at the first of
// another line, and behind rows that belong to no line. It is the function's begin where
// that is not inside the function; the rows behind a short one are another's.
func (q sequence) body(address, size uint64) uint64 {
	near := q[min(1, len(q)):min(1+maxPrologue, len(q))]
	body := 0
	if !q[0].body {
		body = slices.IndexFunc(near, func(r registers) bool { return r.body }) + 1
		if body == 0 {
			body = slices.IndexFunc(near, func(r registers) bool { return r.line != q[0].line }) + 1
		}
		if body == 0 {
			body = min(1, len(q)-1) // the end of the first row
		}
	}
	inside := func(r registers) bool { return r.address > address && r.address < address+size }
	out := address
	if inside(q[body]) {
		out = q[body].address
	}
	for _, r := range q[body:] {
		switch {
		case r.address >= address+size:
			return out
		case r.line != 0:
			if inside(r) {
				return r.address
			}
			return out
		}
	}
	return out
}
