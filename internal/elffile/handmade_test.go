package elffile

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// image is an ELF made by hand: notes in segments, and sections.
type image struct {
	is64     bool
	order    binary.ByteOrder
	segments []note
	sections []section
	// extended says to write the counts into section 0, as files with too many
	// for 16 bits have them.
	extended bool
	// change is made to the header at last.
	change func(h *elf.Header64)
}

type note struct {
	data  []byte
	align uint64
}

type section struct {
	name  string
	kind  elf.SectionType
	data  []byte
	align uint64
}

// bytes lays the file out: header, program headers, section headers, contents.
func (i image) bytes(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	write := func(v any) {
		if err := binary.Write(&out, i.order, v); err != nil {
			t.Fatal(err)
		}
	}
	headSize, phSize, shSize := 52, 32, 40
	if i.is64 {
		headSize, phSize, shSize = 64, 56, 64
	}
	names := []byte{0}
	sections := append([]section{{}}, i.sections...)
	sections = append(sections, section{name: ".shstrtab", kind: elf.SHT_STRTAB})
	for _, s := range sections {
		names = append(append(names, s.name...), 0)
	}
	sections[len(sections)-1].data = names
	h := elf.Header64{Type: uint16(elf.ET_DYN), Machine: uint16(elf.EM_S390), Version: 1, Phoff: uint64(headSize), Phentsize: uint16(phSize),
		Phnum: uint16(len(i.segments)), Shoff: uint64(headSize + phSize*len(i.segments)), Shentsize: uint16(shSize),
		Shnum: uint16(len(sections)), Shstrndx: uint16(len(sections) - 1)}
	first := elf.Section64{}
	if i.extended {
		first.Size, first.Link, first.Info = uint64(h.Shnum), uint32(h.Shstrndx), uint32(h.Phnum)
		h.Shnum, h.Shstrndx, h.Phnum = 0, 0xffff, 0xffff
	}
	copy(h.Ident[:], elf.ELFMAG)
	h.Ident[elf.EI_CLASS], h.Ident[elf.EI_DATA] = byte(elf.ELFCLASS32), byte(elf.ELFDATA2LSB)
	if i.is64 {
		h.Ident[elf.EI_CLASS] = byte(elf.ELFCLASS64)
	}
	if i.order == binary.BigEndian {
		h.Ident[elf.EI_DATA] = byte(elf.ELFDATA2MSB)
	}
	if i.change != nil {
		i.change(&h)
	}
	if i.is64 {
		write(h)
	} else {
		write(elf.Header32{Ident: h.Ident, Type: h.Type, Machine: h.Machine, Version: h.Version, Phoff: uint32(h.Phoff), Shoff: uint32(h.Shoff),
			Phentsize: h.Phentsize, Phnum: h.Phnum, Shentsize: h.Shentsize, Shnum: h.Shnum, Shstrndx: h.Shstrndx})
	}
	at := uint64(headSize + phSize*len(i.segments) + shSize*len(sections))
	for _, n := range i.segments {
		p := elf.Prog64{Type: uint32(elf.PT_NOTE), Off: at, Filesz: uint64(len(n.data)), Align: n.align}
		at += p.Filesz
		if i.is64 {
			write(p)
		} else {
			write(elf.Prog32{Type: p.Type, Off: uint32(p.Off), Filesz: uint32(p.Filesz), Align: uint32(p.Align)})
		}
	}
	nameAt := 1 // behind the NUL that begins them
	for n, s := range sections {
		v := first
		if n > 0 {
			v = elf.Section64{Name: uint32(nameAt), Type: uint32(s.kind), Flags: uint64(n), Off: at, Size: uint64(len(s.data)), Addralign: s.align}
			if s.kind != elf.SHT_NOBITS {
				at += v.Size
			}
		}
		nameAt += len(s.name) + 1
		if i.is64 {
			write(v)
		} else {
			write(elf.Section32{Name: v.Name, Type: v.Type, Flags: uint32(v.Flags), Off: uint32(v.Off), Size: uint32(v.Size), Link: v.Link, Info: v.Info, Addralign: uint32(v.Addralign)})
		}
	}
	for _, n := range i.segments {
		out.Write(n.data)
	}
	for _, s := range sections {
		if s.kind != elf.SHT_NOBITS {
			out.Write(s.data)
		}
	}
	return out.Bytes()
}

// noteOf encodes one note, both parts filled up to align.
func noteOf(order binary.ByteOrder, name string, kind uint32, desc string, align int) []byte {
	b := make([]byte, 12)
	for i, v := range []uint32{uint32(len(name)), uint32(len(desc)), kind} {
		order.PutUint32(b[4*i:], v)
	}
	for _, part := range []string{name, desc} {
		b = append(b, part...)
		for len(b)%align != 0 {
			b = append(b, 0)
		}
	}
	return b
}

func open(b []byte) (*File, error) { return New(bytes.NewReader(b), int64(len(b))) }

// Both classes, both byte orders, counts in the header and in section 0.
func TestEveryKindOfELF(t *testing.T) {
	for _, is64 := range []bool{true, false} {
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			for _, extended := range []bool{false, true} {
				long := ".debug_" + strings.Repeat("x", 40)
				img := image{is64: is64, order: order, extended: extended,
					segments: []note{{noteOf(order, "GNU\x00", 3, "\xde\xad", 4), 4}},
					sections: []section{{".text", elf.SHT_PROGBITS, []byte("code"), 16}, {".bss", elf.SHT_NOBITS, make([]byte, 1<<20), 8}, {long, elf.SHT_PROGBITS, nil, 1}}}
				f, err := open(img.bytes(t))
				if err != nil {
					t.Fatalf("%v %v %v: %v", is64, order, extended, err)
				}
				if f.Is64() != is64 || f.Order != order || f.Type != elf.ET_DYN || f.Machine != elf.EM_S390 {
					t.Errorf("%+v", f)
				}
				if id, err := f.BuildID(); id != "dead" || err != nil {
					t.Errorf("%v %v %v: build-id %q, %v", is64, order, extended, id, err)
				}
				var got []string
				if err := f.Sections(func(s Section) error {
					name, err := f.Name(s)
					got = append(got, name)
					want := img.sections[max(0, len(got)-1)%len(img.sections)]
					if len(got) <= len(img.sections) && (s.Type != want.kind || s.Size != uint64(len(want.data)) || s.Align != want.align || s.Flags != elf.SectionFlag(len(got)) || !f.Inside(s)) {
						t.Errorf("%s: %+v", name, s)
					}
					return err
				}); err != nil {
					t.Fatal(err)
				}
				if want := []string{".text", ".bss", long[:32], ".shstrtab"}; !slices.Equal(got, want) {
					t.Errorf("%v %v %v: sections %q, want %q", is64, order, extended, got, want)
				}
			}
		}
	}
}

func TestWhereABuildIDMayBe(t *testing.T) {
	le := binary.LittleEndian
	id := noteOf(le, "GNU\x00", 3, "\x01\x02", 4)
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	other := noteOf(le, "stapsdt\x00", 3, "probe", 4)
	for _, c := range []struct {
		what     string
		segments []note
		sections []section
		want     string
	}{
		{"a segment", []note{{id, 4}}, nil, "0102"},
		{"a section alone", nil, []section{{".note", elf.SHT_NOTE, id, 4}}, "0102"},
		{"the second segment", []note{{other, 4}, {id, 4}}, nil, "0102"},
		{"the first of two", []note{{id, 4}, {noteOf(le, "GNU\x00", 3, "\x09", 4), 4}}, nil, "0102"},
		{"a segment, before a section", []note{{id, 4}}, []section{{".note", elf.SHT_NOTE, noteOf(le, "GNU\x00", 3, "\x09", 4), 4}}, "0102"},
		{"behind another of GNU's", []note{{join(noteOf(le, "GNU\x00", 1, "abi", 4), id), 4}}, nil, "0102"},
		{"behind another vendor's", []note{{join(other, id), 4}}, nil, "0102"},
		{"aligned to 8", []note{{join(noteOf(le, "GNU\x00", 5, "property", 8), noteOf(le, "GNU\x00", 5, "odd", 8), noteOf(le, "GNU\x00", 3, "\x03", 8)), 8}}, nil, "03"},
		{"an alignment of 1 is 4", []note{{join(other, id), 1}}, nil, "0102"},
		{"not in a section of another type", nil, []section{{".note", elf.SHT_PROGBITS, id, 4}}, ""},
		{"empty", []note{{noteOf(le, "GNU\x00", 3, "", 4), 4}}, nil, ""},
		{"as long as may be", []note{{noteOf(le, "GNU\x00", 3, strings.Repeat("a", maxBuildID), 4), 4}}, nil, strings.Repeat("61", maxBuildID)},
		{"longer", []note{{noteOf(le, "GNU\x00", 3, strings.Repeat("a", maxBuildID+1), 4), 4}}, nil, ""},
		{"another's name", []note{{noteOf(le, "GNX\x00", 3, "ab", 4), 4}}, nil, ""},
		{"cut", []note{{id[:len(id)-4], 4}}, nil, ""},
		{"behind a cut one", []note{{join(le.AppendUint32(nil, 1<<31), id), 4}}, nil, ""},
		{"cut in its head", []note{{id[:11], 4}}, nil, ""},
		{"within what is looked at", []note{{join(noteOf(le, "x", 9, strings.Repeat("x", maxNotes-16-len(id)), 4), id), 4}}, nil, "0102"},
		{"beyond it", []note{{join(noteOf(le, "x", 9, strings.Repeat("x", maxNotes-12-len(id)), 4), id), 4}}, nil, ""},
		{"none", nil, nil, ""},
	} {
		f, err := open(image{is64: true, order: le, segments: c.segments, sections: c.sections}.bytes(t))
		if err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		if got, err := f.BuildID(); got != c.want || err != nil {
			t.Errorf("%s: %q, %v, want %q", c.what, got, err, c.want)
		}
	}
}

// objcopy --only-keep-debug leaves headers of segments whose contents are not there.
func TestSegmentsBeyondTheEndAreNoError(t *testing.T) {
	id := noteOf(binary.LittleEndian, "GNU\x00", 3, "\x01", 4)
	b := image{is64: true, order: binary.LittleEndian, segments: []note{{id, 4}}, sections: []section{{".note", elf.SHT_NOTE, id, 4}}}.bytes(t)
	for _, c := range []struct{ off, size uint64 }{{1 << 40, 20}, {uint64(len(b)) + 1, 0}, {uint64(len(b)), 1}, {64, 1 << 40}, {64, ^uint64(0)}} {
		binary.LittleEndian.PutUint64(b[64+8:], c.off)
		binary.LittleEndian.PutUint64(b[64+32:], c.size)
		f, err := open(b)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := f.BuildID(); got != "01" || err != nil {
			t.Errorf("%+v: %q, %v, want that of the section", c, got, err)
		}
	}
}

func TestHeadersThatContradictThemselves(t *testing.T) {
	valid := image{is64: true, order: binary.LittleEndian, segments: []note{{noteOf(binary.LittleEndian, "GNU\x00", 3, "\x01", 4), 4}}, sections: []section{{".a", elf.SHT_PROGBITS, []byte("a"), 1}}}
	all := func(b []byte) error {
		f, err := open(b)
		if err != nil {
			return err
		}
		if _, err := f.BuildID(); err != nil {
			return err
		}
		return f.Sections(func(s Section) error { _, err := f.Name(s); return err })
	}
	if err := all(valid.bytes(t)); err != nil {
		t.Fatal(err)
	}
	size := uint64(len(valid.bytes(t)))
	for _, c := range []struct {
		want   string
		change func(h *elf.Header64)
	}{
		{"it does not begin with", func(h *elf.Header64) { h.Ident[0] = 'x' }},
		{"unknown byte order 3", func(h *elf.Header64) { h.Ident[elf.EI_DATA] = 3 }},
		{"unknown class 0", func(h *elf.Header64) { h.Ident[elf.EI_CLASS] = 0 }},
		{"section headers of 40 bytes instead of 64", func(h *elf.Header64) { h.Shentsize = 40 }},
		{"program headers of 32 bytes instead of 56", func(h *elf.Header64) { h.Phentsize = 32 }},
		{"section header 0 lies beyond the end", func(h *elf.Header64) { h.Shoff, h.Shnum = size-63, 0 }},
		{"section header 0 lies beyond the end", func(h *elf.Header64) { h.Shoff, h.Phnum = size-63, 0xffff }},
		{"section header 0 lies beyond the end", func(h *elf.Header64) { h.Shoff, h.Shstrndx = size-63, 0xffff }},
		{"the program headers lie beyond the end", func(h *elf.Header64) { h.Phoff = size + 1 }},
		{"the program headers lie beyond the end", func(h *elf.Header64) { h.Phoff = size - 55 }},
		{"the section headers lie beyond the end", func(h *elf.Header64) { h.Shnum = 1000 }},
		{"the section of names is number 3 of 3", func(h *elf.Header64) { h.Shstrndx = 3 }},
		{"the header of the section of names lies beyond", func(h *elf.Header64) { h.Shnum, h.Shstrndx = 2000, 1999 }},
	} {
		img := valid
		img.change = c.change
		if err := all(img.bytes(t)); !errors.Is(err, ErrNotELF) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
	// No tables at all are no contradiction.
	for _, change := range []func(h *elf.Header64){
		func(h *elf.Header64) { h.Shoff, h.Shnum, h.Shentsize = 0, 7, 1 },
		func(h *elf.Header64) { h.Phoff, h.Phnum, h.Phentsize = 0, 7, 1 },
		func(h *elf.Header64) { h.Phnum, h.Phentsize = 0, 0 },
	} {
		img := valid
		img.change = change
		if err := all(img.bytes(t)); err != nil {
			t.Error(err)
		}
	}
	// Cut anywhere, and a claim of too many headers.
	whole := valid.bytes(t)
	for n := range whole {
		if err := all(whole[:n]); !errors.Is(err, ErrNotELF) {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
	for _, c := range []struct {
		count uint64
		want  string
	}{{maxHeaders, "the section headers lie beyond"}, {maxHeaders + 1, "it claims 1 program and 1048577 section headers"}} {
		img := valid
		img.extended = true
		img.change = func(h *elf.Header64) { h.Phnum, h.Shstrndx = 1, 2 }
		b := img.bytes(t)
		binary.LittleEndian.PutUint64(b[binary.LittleEndian.Uint64(b[40:])+32:], c.count)
		if err := all(b); !errors.Is(err, ErrNotELF) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d: %v, want %q", c.count, err, c.want)
		}
	}
}

func TestWhatASectionMayClaim(t *testing.T) {
	f := &File{Size: 100}
	for _, c := range []struct {
		s    Section
		want bool
	}{
		{Section{Off: 0, Size: 100}, true},
		{Section{Off: 100, Size: 0}, true},
		{Section{Off: 60, Size: 40}, true},
		{Section{Off: 60, Size: 41}, false},
		{Section{Off: 101, Size: 0}, false},
		{Section{Off: 1, Size: ^uint64(0)}, false},
		{Section{Type: elf.SHT_NOBITS, Off: 101, Size: 1 << 40}, true},
	} {
		if got := f.Inside(c.s); got != c.want {
			t.Errorf("%+v: %v", c.s, got)
		}
	}
}

// A name at the end of the names, beyond it, and names that are nowhere.
func TestNamesOfSections(t *testing.T) {
	b := []byte(strings.Repeat("n", 100))
	f := &File{Size: 100, r: bytes.NewReader(b), names: Section{Off: 50, Size: 40}}
	for at, want := range map[uint32]int{0: 32, 8: 32, 9: 31, 39: 1} {
		if got, err := f.Name(Section{name: at}); len(got) != want || err != nil {
			t.Errorf("at %d: %q, %v", at, got, err)
		}
	}
	if _, err := f.Name(Section{name: 40}); !errors.Is(err, ErrNotELF) {
		t.Errorf("beyond the names: %v", err)
	}
	for _, names := range []Section{{Off: 61, Size: 40}, {Type: elf.SHT_NOBITS, Off: 50, Size: 40}} {
		f.names = names
		if _, err := f.Name(Section{}); !errors.Is(err, ErrNotELF) || !strings.Contains(err.Error(), "beyond the end of the file") {
			t.Errorf("%+v: %v", names, err)
		}
	}
}

// failing is a disk that does.
type failing struct{ err error }

func (f failing) ReadAt([]byte, int64) (int, error) { return 0, f.err }

func TestAFailingDiskIsNotTheFilesFault(t *testing.T) {
	if _, err := New(failing{syscall.EIO}, 1000); !errors.Is(err, syscall.EIO) || errors.Is(err, ErrNotELF) {
		t.Errorf("%v", err)
	}
	// A file that has become shorter since its size was taken is.
	if _, err := New(bytes.NewReader(nil), 1000); !errors.Is(err, ErrNotELF) || !strings.Contains(err.Error(), "ended early") {
		t.Errorf("%v", err)
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	path, text := filepath.Join(dir, "program"), filepath.Join(dir, "text")
	b := image{is64: true, order: binary.LittleEndian, segments: []note{{noteOf(binary.LittleEndian, "GNU\x00", 3, "\x01", 4), 4}}}.bytes(t)
	for name, b := range map[string][]byte{path: b, text: []byte("#!/bin/sh\n")} {
		if err := os.WriteFile(name, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if id, err := f.BuildID(); id != "01" || err != nil || f.Size != uint64(len(b)) {
		t.Errorf("%q, %v, %d bytes", id, err, f.Size)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if _, err := f.BuildID(); err == nil {
		t.Error("read after Close")
	}
	if _, err := Open(text); !errors.Is(err, ErrNotELF) || !strings.HasPrefix(err.Error(), text+": ") {
		t.Errorf("a script: %v", err)
	}
	for _, name := range []string{dir, "/dev/zero"} {
		if _, err := Open(name); !errors.Is(err, ErrNotELF) || !strings.Contains(err.Error(), name+" is not a regular file") {
			t.Errorf("%v", err)
		}
	}
	if _, err := Open(filepath.Join(dir, "absent")); !errors.Is(err, os.ErrNotExist) || errors.Is(err, ErrNotELF) {
		t.Errorf("an absent file: %v", err)
	}
}
