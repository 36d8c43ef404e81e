package elffile

import (
	"bytes"
	"cmp"
	"context"
	"debug/elf"
	"errors"
	"slices"
)

// ErrNoSymbols is that of a file without .symtab.
var ErrNoSymbols = errors.New("no symbols")

// Symbol is a function that the file defines.
type Symbol struct {
	Name    string // as the linker left it: mangled
	Address uint64 // of its first instruction, in the file
	Size    uint64 // bytes
}

// Named are the functions of .symtab whose names contain one of the texts, by their
// addresses. The end of a name is a NUL: "main\x00" are names that end with main. Names
// are not looked at one after another: the texts are searched in all names at once, which
// takes a tenth of a second for a program with a million.
func (f *File) Named(ctx context.Context, texts ...string) ([]Symbol, error) {
	table, names, err := f.symbols(elf.SHT_SYMTAB)
	if err != nil {
		return nil, err
	}
	where, err := f.search(ctx, names, texts)
	if err != nil || len(where) == 0 {
		return nil, err
	}
	var found []Symbol
	err = f.eachSymbol(ctx, table, func(b []byte) error {
		at, ok := f.function(b)
		if !ok || !within(where, at.name) {
			return nil
		}
		name, err := f.At(names.Off+at.name, min(maxSymbol, names.Size-at.name), "a symbol's name")
		if err != nil {
			return err
		}
		if end := bytes.IndexByte(name, 0); end >= 0 {
			found = append(found, Symbol{Name: string(name[:end]), Address: at.address, Size: at.size})
		}
		return nil
	})
	slices.SortStableFunc(found, func(a, b Symbol) int { return cmp.Compare(a.Address, b.Address) })
	return found, err
}

// span are offsets of names: a symbol whose name begins in one contains a text.
type span struct{ from, to uint64 }

// within reports whether a name begins in one of the spans, which ascend.
func within(spans []span, at uint64) bool {
	i, _ := slices.BinarySearchFunc(spans, at, func(s span, at uint64) int { return cmp.Compare(s.to, at) })
	return i < len(spans) && at >= spans[i].from
}

// search finds the texts among the names. A linker lets the name "main" lie at the end
// of "domain": so a name that has the text may begin anywhere before it.
func (f *File) search(ctx context.Context, names Section, texts []string) ([]span, error) {
	var found []span
	for off := uint64(0); off < names.Size; off += namesStep {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		// A name that begins before this piece, and one that goes on behind it, too.
		from := off - min(off, maxSymbol)
		to := min(off+namesStep+maxSymbol, names.Size)
		b, err := f.At(names.Off+from, to-from, "the names of symbols")
		if err != nil {
			return nil, err
		}
		piece := min(off+namesStep, names.Size) - from // what is behind is the next piece's
		for _, text := range texts {
			for at := off - from; at < piece; at++ {
				i := bytes.Index(b[at:], []byte(text))
				if i < 0 || at+uint64(i) >= piece {
					break
				}
				at += uint64(i)
				found = append(found, span{from + uint64(bytes.LastIndexByte(b[:at], 0)+1), from + at})
			}
		}
	}
	slices.SortFunc(found, func(a, b span) int { return cmp.Compare(a.to, b.to) })
	return found, nil
}
