package elffile

import (
	"bytes"
	"context"
	"debug/elf"
	"slices"
)

const (
	// maxSymbols bounds the names that are looked at, some ten times those of Envoy.
	maxSymbols = 16 << 20
	// maxSymbol bounds the length of a name that is reported; templates make names
	// longer than any that a person types.
	maxSymbol = 4 << 10
	// namesStep is how much of the names is read at once.
	namesStep = 256 << 10
)

// Functions calls fn with the name of each function that the file defines, mangled
// as the linker left it: those of .symtab, or of .dynsym where there is no other.
// The name is valid during the call. ok is false where there is neither table. It
// reads the names in the order in which they lie in the file, and stops with the
// error of ctx.
func (f *File) Functions(ctx context.Context, fn func(name []byte)) (ok bool, err error) {
	var table Section
	number, found := uint32(0), map[uint32]Section{}
	err = f.each(f.shoff, f.shnum, f.shsize, "section headers", func(b []byte) error {
		s := f.section(b)
		if s.Type == elf.SHT_STRTAB {
			found[number] = s
		}
		if s.Type == elf.SHT_SYMTAB || s.Type == elf.SHT_DYNSYM && table.Type != elf.SHT_SYMTAB {
			table = s
		}
		number++
		return nil
	})
	if err != nil || table.Type == elf.SHT_NULL {
		return false, err
	}
	names, ok := found[table.link]
	if !ok || !f.Inside(names) || !f.Inside(table) {
		return true, bad("the symbols have no names")
	}
	offsets, err := f.functions(ctx, table)
	if err != nil {
		return true, err
	}
	slices.Sort(offsets)
	return true, f.strings(ctx, names, slices.Compact(offsets), fn)
}

// functions are where the names of the functions of a symbol table lie.
func (f *File) functions(ctx context.Context, table Section) ([]uint32, error) {
	size, infoAt, shndxAt := uint64(16), 12, 14
	if f.Is64() {
		size, infoAt, shndxAt = 24, 4, 6
	}
	n := table.Size / size
	if n > maxSymbols {
		return nil, bad("it claims %d symbols", n)
	}
	var offsets []uint32
	const batch = 16 << 10
	for i := uint64(0); i < n; i += batch {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b, err := f.At(table.Off+i*size, min(batch, n-i)*size, "the symbols")
		if err != nil {
			return nil, err
		}
		for ; len(b) > 0; b = b[size:] {
			kind := elf.ST_TYPE(b[infoAt])
			if kind != elf.STT_FUNC && kind != elf.STT_GNU_IFUNC || elf.SectionIndex(f.Order.Uint16(b[shndxAt:])) == elf.SHN_UNDEF {
				continue
			}
			offsets = append(offsets, f.Order.Uint32(b))
		}
	}
	return offsets, nil
}

// strings calls fn with the strings at these offsets of a section, which ascend.
func (f *File) strings(ctx context.Context, s Section, offsets []uint32, fn func([]byte)) error {
	var window []byte
	start := uint64(0)
	for _, off := range offsets {
		at := uint64(off)
		if at >= s.Size {
			return bad("a symbol's name lies at %d, beyond the %d bytes of names", at, s.Size)
		}
		if end := min(at+maxSymbol, s.Size); window == nil || end > start+uint64(len(window)) {
			if err := ctx.Err(); err != nil {
				return err
			}
			var err error
			if window, err = f.At(s.Off+at, min(namesStep, s.Size-at), "the names of symbols"); err != nil {
				return err
			}
			start = at
		}
		name := window[at-start:]
		if end := bytes.IndexByte(name[:min(len(name), maxSymbol)], 0); end > 0 {
			fn(name[:end])
		}
	}
	return nil
}
