package elffile

import (
	"bytes"
	"context"
	"debug/elf"
	"errors"
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
	table, names, err := f.symbols(elf.SHT_SYMTAB, elf.SHT_DYNSYM)
	if errors.Is(err, ErrNoSymbols) {
		return false, nil
	}
	if err != nil {
		return true, err
	}
	offsets, err := f.functions(ctx, table)
	if err != nil {
		return true, err
	}
	slices.Sort(offsets)
	return true, f.strings(ctx, names, slices.Compact(offsets), fn)
}

// functions are where the names of the functions of a symbol table lie.
func (f *File) functions(ctx context.Context, table Section) (offsets []uint32, err error) {
	err = f.eachSymbol(ctx, table, func(b []byte) error {
		if s, ok := f.function(b); ok {
			offsets = append(offsets, uint32(s.name))
		}
		return nil
	})
	return offsets, err
}

// symbols are the first of these kinds of symbol tables that the file has, with their
// names, or ErrNoSymbols.
func (f *File) symbols(kinds ...elf.SectionType) (table, names Section, err error) {
	number, strings, tables := uint32(0), map[uint32]Section{}, map[elf.SectionType]Section{}
	err = f.each(f.shoff, f.shnum, f.shsize, "section headers", func(b []byte) error {
		switch s := f.section(b); s.Type {
		case elf.SHT_STRTAB:
			strings[number] = s
		case elf.SHT_SYMTAB, elf.SHT_DYNSYM:
			tables[s.Type] = s
		}
		number++
		return nil
	})
	if err != nil {
		return table, names, err
	}
	for _, kind := range kinds {
		table, ok := tables[kind]
		if !ok {
			continue
		}
		if names, ok = strings[table.link]; !ok || !f.Inside(names) || !f.Inside(table) {
			return table, names, bad("the symbols have no names")
		}
		return table, names, nil
	}
	return table, names, ErrNoSymbols
}

// eachSymbol calls fn with every entry of a symbol table.
func (f *File) eachSymbol(ctx context.Context, table Section, fn func(b []byte) error) error {
	size := uint64(16)
	if f.Is64() {
		size = 24
	}
	n := table.Size / size
	if n > maxSymbols {
		return bad("it claims %d symbols", n)
	}
	const batch = 16 << 10
	for i := uint64(0); i < n; i += batch {
		if err := ctx.Err(); err != nil {
			return err
		}
		b, err := f.At(table.Off+i*size, min(batch, n-i)*size, "the symbols")
		if err != nil {
			return err
		}
		for ; len(b) > 0; b = b[size:] {
			if err := fn(b[:size]); err != nil {
				return err
			}
		}
	}
	return nil
}

// entry is what a symbol table says of a function.
type entry struct{ name, address, size uint64 }

// function decodes an entry of a symbol table; not ok if it is no function of this file.
func (f *File) function(b []byte) (e entry, ok bool) {
	o := f.Order
	info, section := b[4:], b[6:]
	if f.Is64() {
		e = entry{uint64(o.Uint32(b)), o.Uint64(b[8:]), o.Uint64(b[16:])}
	} else {
		e = entry{uint64(o.Uint32(b)), uint64(o.Uint32(b[4:])), uint64(o.Uint32(b[8:]))}
		info, section = b[12:], b[14:]
	}
	kind := elf.ST_TYPE(info[0])
	return e, (kind == elf.STT_FUNC || kind == elf.STT_GNU_IFUNC) && elf.SectionIndex(o.Uint16(section)) != elf.SHN_UNDEF
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
