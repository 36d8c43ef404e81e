package elfinfo

import (
	"debug/elf"
	"fmt"

	"github.com/envoydbg/envoydbg/internal/elffile"
)

// ErrNotELF is wrapped by every error that says the file itself is at fault:
// no ELF, a truncated one, or one whose headers contradict each other. Errors
// of opening or reading the file are not wrapped in it.
var ErrNotELF = elffile.ErrNotELF

// Info describes an ELF file.
type Info struct {
	Size    int64  // bytes
	BuildID string // lower-case hex; empty when the file has none
	Machine string // GOARCH name; for others the ELF name, e.g. "EM_SPARC"
	Symbols bool   // has .symtab
	DWARF   bool   // has .debug_info or .debug_line, also compressed
}

// Read describes the ELF at path, following symbolic links.
func Read(path string) (Info, error) {
	f, err := elffile.Open(path)
	if err != nil {
		return Info{}, err
	}
	defer f.Close()
	info, err := describe(f)
	if err != nil {
		return Info{}, fmt.Errorf("%s: %w", path, err)
	}
	return info, nil
}

func describe(f *elffile.File) (info Info, err error) {
	info = Info{Size: int64(f.Size), Machine: machineName(f.Machine)}
	if info.BuildID, err = f.BuildID(); err != nil {
		return Info{}, err
	}
	err = f.Sections(func(s elffile.Section) error {
		switch {
		case s.Type == elf.SHT_NOBITS: // no contents in this file
			return nil
		case s.Type == elf.SHT_SYMTAB:
			info.Symbols = true
			return nil
		case s.Type == elf.SHT_NOTE || info.DWARF:
			return nil
		}
		name, err := f.Name(s)
		switch name {
		case ".debug_info", ".debug_line", ".zdebug_info", ".zdebug_line":
			info.DWARF = true
		}
		return err
	})
	if err != nil {
		return Info{}, err
	}
	return info, nil
}

func machineName(m elf.Machine) string {
	switch m {
	case elf.EM_X86_64:
		return "amd64"
	case elf.EM_AARCH64:
		return "arm64"
	case elf.EM_386:
		return "386"
	case elf.EM_ARM:
		return "arm"
	case elf.EM_RISCV:
		return "riscv64"
	case elf.EM_S390:
		return "s390x"
	case elf.EM_PPC64:
		return "ppc64"
	}
	return m.String()
}
