package bundle

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"io"
	"os"
)

// Offsets in a 64-bit program header (ELF specification, "Program Header").
const (
	headerOffset = 8  // p_offset
	headerSize   = 32 // p_filesz
)

// setInterpreter makes a 64-bit, little-endian ELF ask for another loader. The new path
// goes to the end of the file, where the kernel finds it by the program header. (By the
// loader's own command line the program would run as well, but be called like the
// loader in /proc/self/exe, which lldb-server 22 starts again for each connection.)
func setInterpreter(f *os.File, path string) error {
	var ident [64]byte
	if _, err := f.ReadAt(ident[:], 0); err != nil {
		return err
	}
	if string(ident[:4]) != elf.ELFMAG || ident[elf.EI_CLASS] != byte(elf.ELFCLASS64) || ident[elf.EI_DATA] != byte(elf.ELFDATA2LSB) {
		return errors.New("not a 64-bit, little-endian ELF")
	}
	le := binary.LittleEndian
	table, size, count := int64(le.Uint64(ident[32:])), int64(le.Uint16(ident[54:])), int64(le.Uint16(ident[56:]))
	for i := range count {
		var kind [4]byte
		at := table + i*size
		if _, err := f.ReadAt(kind[:], at); err != nil {
			return err
		}
		if elf.ProgType(le.Uint32(kind[:])) != elf.PT_INTERP {
			continue
		}
		end, err := f.Seek(0, io.SeekEnd)
		if err != nil {
			return err
		}
		if _, err := f.WriteAt(append([]byte(path), 0), end); err != nil {
			return err
		}
		if _, err := f.WriteAt(le.AppendUint64(nil, uint64(end)), at+headerOffset); err != nil {
			return err
		}
		_, err = f.WriteAt(le.AppendUint64(nil, uint64(len(path)+1)), at+headerSize)
		return err
	}
	return errors.New("it asks for no loader")
}
