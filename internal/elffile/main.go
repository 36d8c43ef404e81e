package elffile

import (
	"bytes"
	"debug/elf"
	"os"
)

// startBytes is how much of the start-up code is looked at; glibc's has 40 bytes.
const startBytes = 64

// Main finds the address of main() in the program at path by the code that the
// program begins with, so that it needs no symbols. glibc's start-up code loads
// the address into the first argument of __libc_start_main. It is the address in
// the file, before the program is loaded somewhere. ok is false where that code
// has another shape; only amd64's is known.
func Main(path string) (address uint64, ok bool, err error) {
	r, err := os.Open(path)
	if err != nil {
		return 0, false, err
	}
	defer r.Close()
	st, err := r.Stat()
	if err != nil {
		return 0, false, err
	}
	f, err := New(r, st.Size())
	if err != nil {
		return 0, false, err
	}
	return f.main()
}

func (f *File) main() (address uint64, ok bool, err error) {
	if f.Machine != elf.EM_X86_64 || !f.Is64() {
		return 0, false, nil
	}
	header, err := f.At(0, 64, "the ELF header")
	if err != nil {
		return 0, false, err
	}
	entry := f.Order.Uint64(header[24:])
	start, n, err := f.code(entry)
	if err != nil || n == 0 {
		return 0, false, err
	}
	code, err := f.At(start, min(n, startBytes), "the start-up code")
	if err != nil {
		return 0, false, err
	}
	for _, call := range [][]byte{{0xff, 0x15}, {0x67, 0xe8}, {0xe8}} { // call *m(%rip); addr32 call; call
		if before, _, found := bytes.Cut(code, call); found {
			code = before
		}
	}
	for i := range code {
		rest := code[i:]
		relative := func(b []byte) uint64 { return uint64(int64(int32(f.Order.Uint32(b)))) }
		switch {
		case len(rest) >= 7 && bytes.HasPrefix(rest, []byte{0x48, 0x8d, 0x3d}): // lea main(%rip), %rdi
			address = entry + uint64(i) + 7 + relative(rest[3:])
		case len(rest) >= 7 && bytes.HasPrefix(rest, []byte{0x48, 0xc7, 0xc7}): // mov $main, %rdi
			address = relative(rest[3:])
		default:
			continue
		}
		_, n, err := f.code(address)
		return address, n > 0, err
	}
	return 0, false, nil
}

// code is where in the file the instruction at an address lies, and how many
// bytes of its segment follow; 0 when that address is no code.
func (f *File) code(address uint64) (off, n uint64, err error) {
	err = f.each(f.phoff, f.phnum, f.phsize, "program headers", func(b []byte) error {
		o := f.Order
		at, from, size := o.Uint64(b[8:]), o.Uint64(b[16:]), o.Uint64(b[32:])
		if elf.ProgType(o.Uint32(b)) == elf.PT_LOAD && elf.ProgFlag(o.Uint32(b[4:]))&elf.PF_X != 0 && address >= from && address-from < size {
			off, n = at+(address-from), size-(address-from)
		}
		return nil
	})
	return off, n, err
}
