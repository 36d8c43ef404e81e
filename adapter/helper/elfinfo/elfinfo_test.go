package elfinfo

import (
	"bytes"
	"debug/elf"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/envoydbg/envoydbg/internal/elffile"
)

// The test binary is an ELF of this machine made by the Go linker: with
// .symtab, and with (compressed) DWARF unless run by `go test` stripped.
func TestOwnExecutableAgreesWithDebugELF(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	info, err := Read(exe)
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.Open(exe)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if info.Machine != runtime.GOARCH {
		t.Errorf("machine %q, want %q", info.Machine, runtime.GOARCH)
	}
	if got, want := info.Symbols, f.Section(".symtab") != nil; got != want {
		t.Errorf("symbols %v, want %v", got, want)
	}
	if got, want := info.DWARF, f.Section(".debug_info") != nil || f.Section(".zdebug_info") != nil; got != want {
		t.Errorf("DWARF %v, want %v", got, want)
	}
	want := ""
	if s := f.Section(".note.gnu.build-id"); s != nil {
		b, err := s.Data()
		if err != nil {
			t.Fatal(err)
		}
		want = hex.EncodeToString(b[16:])
	}
	if info.BuildID != want {
		t.Errorf("build-id %q, want %q", info.BuildID, want)
	}
}

// read describes an ELF that is no file.
func read(b []byte) (Info, error) {
	f, err := elffile.New(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return Info{}, err
	}
	return describe(f)
}

func TestSmallImages(t *testing.T) {
	for _, c := range []struct {
		name string
		data []byte
		want Info
		bad  bool
	}{
		{name: "build-id in a program header", data: image(false, 0), want: Info{BuildID: "0102030405060708", Machine: "amd64"}},
		{name: "build-id in a section, .symtab, .debug_line", data: image(true, 0),
			want: Info{BuildID: "0102030405060708", Machine: "amd64", Symbols: true, DWARF: true}},
		{name: "empty", bad: true},
		{name: "script", data: []byte("#!/bin/sh\nexec true\n"), bad: true},
		{name: "magic only", data: []byte("\x7fELF"), bad: true},
		{name: "cut in the section headers", data: image(true, 70), bad: true},
		{name: "cut in the ELF header", data: image(true, 0)[:40], bad: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := read(c.data)
			if c.bad {
				if !errors.Is(err, ErrNotELF) {
					t.Fatalf("error %v, want ErrNotELF", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			c.want.Size = int64(len(c.data))
			if got != c.want {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestWhatIsNoFile(t *testing.T) {
	if _, err := Read(t.TempDir()); !errors.Is(err, ErrNotELF) {
		t.Errorf("a folder: %v, want ErrNotELF", err)
	}
	if _, err := Read(filepath.Join(t.TempDir(), "absent")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an absent file: %v, want ErrNotExist", err)
	}
}

// FuzzRead proves that no file makes the reader panic, and that what is wrong
// with a file held in memory is always reported as ErrNotELF.
func FuzzRead(f *testing.F) {
	f.Add(image(false, 0))
	f.Add(image(true, 0))
	f.Add(image(true, 70))
	f.Add([]byte("\x7fELF\x01\x02"))
	huge := image(true, 0)
	for i := 40; i < 48; i++ {
		huge[i] = 0xff // e_shoff
	}
	f.Add(huge)
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := read(b); err != nil && !errors.Is(err, ErrNotELF) {
			t.Fatalf("%v", err)
		}
	})
}
