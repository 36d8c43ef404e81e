package linetable

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"slices"
)

// part is a section of an ELF made by hand.
type part struct {
	name  string
	data  []byte
	flags elf.SectionFlag
}

// makeELF makes an ELF of these sections.
func makeELF(parts ...part) []byte {
	parts = append(slices.Clone(parts), part{name: ".shstrtab"})
	names := []byte{0}
	headers := []elf.Section64{{}}
	at := uint64(64)
	var body bytes.Buffer
	for i := range parts {
		header := elf.Section64{Name: uint32(len(names)), Type: uint32(elf.SHT_PROGBITS), Flags: uint64(parts[i].flags), Off: at}
		if parts[i].name == ".note.gnu.build-id" {
			header.Type, header.Addralign = uint32(elf.SHT_NOTE), 4
		}
		names = append(append(names, parts[i].name...), 0)
		if i == len(parts)-1 {
			parts[i].data, header.Type = names, uint32(elf.SHT_STRTAB)
		}
		body.Write(parts[i].data)
		header.Size = uint64(len(parts[i].data))
		at += header.Size
		headers = append(headers, header)
	}
	h := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: 1, Ehsize: 64,
		Shentsize: 64, Shoff: at, Shnum: uint16(len(headers)), Shstrndx: uint16(len(headers) - 1)}
	copy(h.Ident[:], "\x7fELF\x02\x01\x01")
	return slices.Concat(raw(h), body.Bytes(), raw(headers))
}

// raw encodes values as they are: numbers by their size, strings with a NUL.
func raw(values ...any) []byte {
	var b bytes.Buffer
	for _, v := range values {
		switch v := v.(type) {
		case string:
			b.WriteString(v + "\x00")
		case []byte:
			b.Write(v)
		default:
			if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
				panic(fmt.Sprintf("%T: %v", v, err))
			}
		}
	}
	return b.Bytes()
}

type u8 = uint8
type u16 = uint16
type u32 = uint32
type u64 = uint64

// unitOf puts a unit's length before its body.
func unitOf(is64 bool, body ...any) []byte {
	b := raw(body...)
	if is64 {
		return raw(u32(0xffffffff), u64(len(b)), b)
	}
	return raw(u32(len(b)), b)
}

// offsetOf is an offset in either format.
func offsetOf(is64 bool, n int) []byte {
	if is64 {
		return raw(u64(n))
	}
	return raw(u32(n))
}

var opcodeLengths = []byte{0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1}

// lineOf makes a line table with some bytes of program.
func lineOf(version int, is64 bool, lists ...any) []byte {
	head := []any{u8(1)}
	if version >= 4 {
		head = append(head, u8(1))
	}
	head = append(head, []byte{1, 0xfb, 10, 13}, opcodeLengths)
	body := raw(append(head, lists...)...)
	before := raw(u16(version))
	if version == 5 {
		before = raw(before, u8(8), u8(0))
	}
	return unitOf(is64, before, offsetOf(is64, len(body)), body, []byte("the program, which nobody reads"))
}

// oldLists are those of versions 2 to 4.
func oldLists(dirs []string, files ...any) []byte {
	var b []byte
	for _, dir := range dirs {
		b = append(b, raw(dir)...)
	}
	return raw(b, u8(0), raw(files...), u8(0))
}

// oldFile is an entry of oldLists.
func oldFile(name string, dir int) []byte { return raw(name, u8(dir), u8(0), u8(0)) }

// abbrevsOf has the unit's abbreviation as number 7, after others, as GCC does.
func abbrevsOf(tag int) []byte {
	return []byte{
		1, 0x34, 0, 0x03, formString, 0x3a, formImplicitConst, 5, 0, 0,
		7, byte(tag), 1, 0x25, formString, 0x13, formData1, atCompDir, formStrp, 0x11, formAddr, atStmtList, formSecOffset, 0, 0,
		0}
}

// unitDIE is the first DIE for abbrevsOf.
func unitDIE(is64 bool, compDir, stmtList int) []byte {
	return raw(u8(7), "a producer", u8(4), offsetOf(is64, compDir), u64(0x1000), offsetOf(is64, stmtList))
}

// oldProgram has three line tables of versions 2 to 4, in both formats, whose
// units lie in another order among type units and skeletons.
func oldProgram() []byte {
	lists := oldLists([]string{"src", "/usr/include"}, oldFile("a.cc", 1), oldFile("stdio.h", 2), oldFile("../b.h", 0))
	l2, l3, l4 := lineOf(2, false, lists), lineOf(3, true, lists), lineOf(4, false, lists)
	str := raw("/yard/one", "/yard/two", "/yard/three")
	info := slices.Concat(
		unitOf(false, u16(4), u32(0), u8(8), unitDIE(false, 10, len(l2))),                  // l3: /yard/two
		unitOf(false, u16(5), u8(utType), u8(8), u32(0), u64(1), u32(30), u8(99)),          // skipped unread
		unitOf(false, u16(5), u8(utSkeleton), u8(8), u32(0), u64(1), unitDIE(false, 0, 0)), // l2: /yard/one
		unitOf(true, u16(3), u64(0), u8(8), unitDIE(true, 20, len(l2)+len(l3))),            // l4: /yard/three
	)
	return makeELF(
		part{name: ".debug_line", data: slices.Concat(l2, l3, l4)},
		part{name: ".debug_info", data: info},
		part{name: ".debug_abbrev", data: abbrevsOf(tagCompileUnit)},
		part{name: ".debug_str", data: str})
}

// newLists are those of version 5: directories in .debug_line_str, names in
// place, with an MD5 and an entry of a vendor.
func newLists(is64 bool, dirs []int, files ...any) []byte {
	b := raw(u8(1), u8(lnctPath), u8(formLineStrp), u8(len(dirs)))
	for _, dir := range dirs {
		b = append(b, offsetOf(is64, dir)...)
	}
	count := u8(len(files))
	return raw(b, u8(4), u8(lnctPath), u8(formString), u8(lnctDirectoryIndex), u8(formUdata),
		[]byte{0x81, 0x40, formBlock}, u8(lnctMD5), u8(formData16), count, raw(files...))
}

func newFile(name string, dir int, md5 byte) []byte {
	return raw(name, u8(dir), u8(3), []byte("etc"), bytes.Repeat([]byte{md5}, 16))
}

// newProgram has two line tables of version 5, one in each format, with a gap
// between them.
func newProgram() []byte {
	str := raw("/proc/self/cwd", "src", "/usr/include", "/proc/self/cwd/../other")
	return makeELF(
		part{name: ".note.gnu.build-id", data: raw(u32(4), u32(4), u32(3), "GNU", u32(0xefbeadde))},
		part{name: ".debug_line", data: slices.Concat(
			lineOf(5, false, newLists(false, []int{0, 15, 19}, newFile("src/a.cc", 0, 1), newFile("a.cc", 1, 1), newFile("stdio.h", 2, 2))),
			raw(u32(0)),
			lineOf(5, true, newLists(true, []int{32, 15}, newFile("./b.cc", 1, 3), newFile("/abs//c.cc", 1, 4), newFile("/usr/include/stdio.h", 0, 9))))},
		part{name: ".debug_line_str", data: str})
}
