package elfinfo

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
)

// image builds a tiny amd64 ELF with a build-id note: described by a program
// header alone, or (sections) by section headers along with .symtab and
// .debug_line. cut bytes are missing at its end.
func image(sections bool, cut int) []byte {
	le := binary.LittleEndian
	note := append([]byte{4, 0, 0, 0, 8, 0, 0, 0, 3, 0, 0, 0}, "GNU\x00\x01\x02\x03\x04\x05\x06\x07\x08"...)
	names := "\x00.note.gnu.build-id\x00.symtab\x00.debug_line\x00.shstrtab\x00"
	nameAt := func(s string) uint32 { return uint32(bytes.Index([]byte(names), []byte(s))) }

	h := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: 1,
		Ehsize: 64, Phentsize: 56, Shentsize: 64}
	copy(h.Ident[:], "\x7fELF\x02\x01\x01")
	var body bytes.Buffer
	var tail any
	if sections {
		h.Shoff = uint64(64 + len(note) + len(names))
		h.Shnum, h.Shstrndx = 5, 4
		body.Write(note)
		body.WriteString(names)
		at := uint64(64)
		tail = []elf.Section64{
			{},
			{Name: nameAt(".note"), Type: uint32(elf.SHT_NOTE), Off: at, Size: uint64(len(note)), Addralign: 4},
			{Name: nameAt(".symtab"), Type: uint32(elf.SHT_SYMTAB), Off: at},
			{Name: nameAt(".debug_line"), Type: uint32(elf.SHT_PROGBITS), Off: at},
			{Name: nameAt(".shstrtab"), Type: uint32(elf.SHT_STRTAB), Off: at + uint64(len(note)), Size: uint64(len(names))},
		}
	} else {
		h.Phoff, h.Phnum = 64, 1
		_ = binary.Write(&body, le, elf.Prog64{Type: uint32(elf.PT_NOTE), Off: 64 + 56, Filesz: uint64(len(note)), Align: 4})
		tail = note
	}
	var out bytes.Buffer
	_ = binary.Write(&out, le, h)
	out.Write(body.Bytes())
	_ = binary.Write(&out, le, tail)
	return out.Bytes()[:out.Len()-cut]
}
