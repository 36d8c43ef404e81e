package elffile

import (
	"debug/elf"
	"encoding/hex"
	"os"
	"testing"
)

// The test binary is an ELF of this machine made by the Go linker.
func TestOwnExecutableAgreesWithDebugELF(t *testing.T) {
	exe, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer exe.Close()
	st, err := exe.Stat()
	if err != nil {
		t.Fatal(err)
	}
	f, err := New(exe, st.Size())
	if err != nil {
		t.Fatal(err)
	}
	want, err := elf.NewFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	if f.Class != want.Class || f.Machine != want.Machine || f.Type != want.Type || f.Order != want.ByteOrder {
		t.Errorf("got %v %v %v, want %v %v %v", f.Class, f.Machine, f.Type, want.Class, want.Machine, want.Type)
	}
	n := 1 // debug/elf counts section 0
	if err := f.Sections(func(s Section) error {
		name, err := f.Name(s)
		if err != nil {
			return err
		}
		w := want.Sections[n]
		n++
		if name != w.Name[:min(len(w.Name), 32)] || s.Type != w.Type || s.Flags != w.Flags || s.Off != w.Offset ||
			s.Size != w.FileSize && s.Type != elf.SHT_NOBITS || s.Align != w.Addralign || !f.Inside(s) {
			t.Errorf("section %q: got %+v, want %+v", name, s, w.SectionHeader)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if n != len(want.Sections) {
		t.Errorf("%d sections, want %d", n, len(want.Sections))
	}
	id, err := f.BuildID()
	if err != nil {
		t.Fatal(err)
	}
	wantID := ""
	if s := want.Section(".note.gnu.build-id"); s != nil {
		b, err := s.Data()
		if err != nil {
			t.Fatal(err)
		}
		wantID = hex.EncodeToString(b[16:])
	}
	if id != wantID {
		t.Errorf("build-id %q, want %q", id, wantID)
	}
}
