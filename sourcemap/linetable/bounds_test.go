package linetable

import (
	"bytes"
	"compress/zlib"
	"debug/elf"
	"fmt"
	"strings"
	"testing"
)

// oneName is a line table of version 3 with one file.
func oneName(name string) []byte { return lineOf(3, false, oldLists(nil, oldFile(name, 0))) }

func mustFail(t *testing.T, what, want string, program []byte) *Table {
	t.Helper()
	table, err := readBytes(t, program)
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%s: %v, want %q", what, err, want)
	}
	return table
}

func mustBe(t *testing.T, what string, files int, program []byte) {
	t.Helper()
	table, err := readBytes(t, program)
	if err != nil || len(table.Files) != files {
		t.Errorf("%s: %v, want %d files of %+v", what, err, files, table)
	}
}

func TestANameHasABound(t *testing.T) {
	fits, not := "/"+strings.Repeat("n", maxName-1), "/"+strings.Repeat("n", maxName)
	mustBe(t, "in the header", 1, makeELF(part{name: ".debug_line", data: oneName(fits)}))
	mustFail(t, "in the header", "names of 65537 and", makeELF(part{name: ".debug_line", data: oneName(not)}))
	// In a section of strings; and one that does not end at all.
	lines := lineOf(5, false, newLists(false, []int{0}, newFile("a.cc", 0, 1)))
	in := func(str []byte) []byte {
		return makeELF(part{name: ".debug_line", data: lines}, part{name: ".debug_line_str", data: str})
	}
	mustBe(t, "in a section", 1, in(raw(fits)))
	mustBe(t, "in a section, more behind it", 1, in(raw(fits, not)))
	for _, str := range [][]byte{raw(not), []byte("no end"), raw(not, "more")} {
		if table := mustFail(t, "in a section", ".debug_line_str at offset 0x0: a name that does not end", in(str)); len(table.Files) != 0 {
			t.Errorf("a file in a folder that has no name: %+v", table.Files)
		}
	}
}

// Many short references to one long string are many names.
func TestAllNamesTogetherHaveABound(t *testing.T) {
	str := strings.Repeat("n", maxName)
	program := func(n int) []byte {
		at := raw(u8(1), u8(lnctPath), u8(formString), u8(1), "/", u8(1), u8(lnctPath), u8(formLineStrp), uleb(n))
		for i := range n {
			at = append(at, offsetOf(false, i)...)
		}
		return makeELF(part{name: ".debug_line", data: lineOf(5, false, at)}, part{name: ".debug_line_str", data: raw(str)})
	}
	const fit = maxNames / maxName // and some more, since they become shorter
	mustBe(t, "so many", fit, program(fit))
	table := mustFail(t, "too many", "more than 67108864 bytes of names in all", program(fit+100))
	if n := len(table.Files); n < fit || n >= fit+100 {
		t.Errorf("%d files, want some more than %d", n, fit)
	}
}

// uleb encodes a LEB128.
func uleb(n int) []byte {
	var b []byte
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

// In the headers themselves names take room; packed, not even that.
func TestNamesInHeadersHaveABoundTogether(t *testing.T) {
	var lines bytes.Buffer
	for i := range maxNames/maxName + 20 {
		lines.Write(oneName(fmt.Sprintf("/%05d%s", i, strings.Repeat("n", maxName-10))))
	}
	var packed bytes.Buffer
	w := zlib.NewWriter(&packed)
	_, _ = w.Write(lines.Bytes())
	_ = w.Close()
	program := makeELF(part{".debug_line", raw(u32(elf.COMPRESS_ZLIB), u32(0), u64(lines.Len()), u64(1), packed.Bytes()), elf.SHF_COMPRESSED})
	mustFail(t, "names in headers", " in all, more than any program has", program)
}

func TestAHeaderHasABound(t *testing.T) {
	// Without files, filled with what nobody reads.
	of := func(size int) []byte {
		head := len(raw(u8(1), []byte{1, 0xfb, 10, 13}, opcodeLengths))
		return makeELF(part{name: ".debug_line", data: slicesConcat(lineOf(3, false, make([]byte, size-head)), oneName("/a.cc"))})
	}
	mustBe(t, "as long as may be", 1, of(maxAt))
	mustFail(t, "one byte longer", "a header of 4194305 bytes, more than 4194304", of(maxAt+1))
}

func slicesConcat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// As if so many had been found before.
func TestDistinctFilesHaveABound(t *testing.T) {
	program := makeELF(part{name: ".debug_line", data: oneName("/a.cc")})
	img, err := parseImage("program", bytes.NewReader(program), int64(len(program)))
	if err != nil {
		t.Fatal(err)
	}
	lines, err := img.open(".debug_line", 512)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		files, dirs int
		full        bool
	}{
		{maxFiles - 1, 0, false},
		{maxFiles, 0, true},
		{1, maxFiles - 1, false},
		{1, maxFiles, true},
	} {
		names := newNames(img, "")
		tally := newTally(names)
		tally.files, tally.dirs = make([]fileAt, c.files), make([]dirAt, c.dirs)
		u := &unit{reader: newReader(t.Context()), lines: lines, names: names, tally: tally, comps: newCompDirs(img, "", names)}
		next, err := u.header(0)
		if full := err != nil && strings.Contains(err.Error(), "more than 1048576 distinct files"); full != c.full || (next == 0) != c.full {
			t.Errorf("%d files and %d folders: %v, next at %d", c.files, c.dirs, err, next)
		}
	}
}

// A section is read in steps, through a window; what is asked for is what is there.
func TestASectionGivesWhatItHas(t *testing.T) {
	data := make([]byte, 200<<10)
	for i := range data {
		data[i] = byte(i * 7 >> 3)
	}
	reads := 0
	s := &section{name: ".s", size: uint64(len(data)), step: 512, fill: func(off uint64, b []byte) error {
		reads++
		copy(b, data[off:])
		return nil
	}}
	for _, c := range []struct{ off, n, reads uint64 }{
		{0, 1, 1}, {100, 412, 0}, {100, 413, 1}, {600, 10, 0}, {150 << 10, 16, 1}, {10, 5, 1}, {0, 150 << 10, 3}, {uint64(len(data)) - 4, 4, 1}, {uint64(len(data)), 0, 0},
	} {
		reads = 0
		b, err := s.at(c.off, c.n)
		if err != nil || !bytes.HasPrefix(b, data[c.off:c.off+c.n]) || len(b) < int(c.n) {
			t.Errorf("%d bytes at %d: %v", c.n, c.off, err)
		}
		if reads != int(c.reads) {
			t.Errorf("%d bytes at %d: %d reads, want %d", c.n, c.off, reads, c.reads)
		}
	}
	for _, c := range []struct {
		off, n uint64
		want   string
	}{
		{uint64(len(data)) + 1, 0, "0 bytes are wanted, 0 are left"},
		{uint64(len(data)) - 4, 5, "5 bytes are wanted, 4 are left"},
		{1, ^uint64(0), "are wanted"},
	} {
		if _, err := s.at(c.off, c.n); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d bytes at %d: %v, want %q", c.n, c.off, err, c.want)
		}
	}
	s.size = 1 << 40
	if _, err := s.at(0, maxAt+1); err == nil || !strings.Contains(err.Error(), "in one piece, more than 4194304") {
		t.Errorf("too much at once: %v", err)
	}
	// After a failed read nothing stale is given.
	s.size, s.win = uint64(len(data)), nil
	fill := s.fill
	if _, err := s.at(0, 16); err != nil {
		t.Fatal(err)
	}
	s.fill = func(uint64, []byte) error { return s.corrupt(0, "torn") }
	if _, err := s.at(100<<10, 16); err == nil {
		t.Error("no error")
	}
	s.fill = fill
	if b, err := s.at(100<<10, 16); err != nil || !bytes.HasPrefix(b, data[100<<10:100<<10+16]) {
		t.Errorf("after a failed read: %v", err)
	}
}

func TestOnlySomeErrorsAreTold(t *testing.T) {
	bad := unitOf(false, u16(6), u64(0))
	for _, n := range []int{maxErrors, maxErrors + 3} {
		table, err := readBytes(t, makeELF(part{name: ".debug_line", data: slicesConcat(bytes.Repeat(bad, n), oneName("/a.cc"))}))
		if table == nil || brief(table.Files) != "/a.cc < \n" {
			t.Fatalf("%+v", table)
		}
		told := strings.Count(err.Error(), "a line table of version 6")
		if told != maxErrors || strings.Contains(err.Error(), "and 3 more errors") != (n > maxErrors) {
			t.Errorf("%d errors: %v", n, err)
		}
	}
}

// A unit's first entry is read in pieces that grow, up to a bound.
func TestTheFirstEntryOfAUnitHasABound(t *testing.T) {
	of := func(producer int) []byte {
		info := unitOf(false, u16(4), u32(0), u8(8), u8(7), strings.Repeat("p", producer), u8(4), u32(0), u64(0x1000), u32(0))
		return makeELF(part{name: ".debug_line", data: lineOf(4, false, oldLists(nil, oldFile("a.cc", 0)))}, part{name: ".debug_info", data: info},
			part{name: ".debug_abbrev", data: abbrevsOf(tagCompileUnit)}, part{name: ".debug_str", data: raw("/yard")})
	}
	const rest = 1 + 1 + 1 + 4 + 8 + 4 // of the entry: code, NUL, and behind the producer
	for _, producer := range []int{0, 300, 5000, maxDIE - rest} {
		table, err := readBytes(t, of(producer))
		if err != nil || brief(table.Files) != "/yard/a.cc < /yard\n" {
			t.Errorf("%d bytes of producer: %v", producer, err)
		}
	}
	mustFail(t, "longer", ".debug_info at offset", of(maxDIE-rest+1))
}

// Packed sections are read forwards. What goes back and forth inflates anew each
// time, so that is bounded.
func TestPackedSectionsAreNotReadBackAndForth(t *testing.T) {
	const far = 64 << 10
	program := func(rounds int) []byte {
		var lines, info []byte
		for i := range rounds {
			at := []int{0, far}[i%2]
			info = append(info, unitOf(false, u16(4), u32(at), u8(8), unitDIE(false, 0, len(lines)))...)
			lines = append(lines, lineOf(4, false, oldLists(nil, oldFile("a.cc", 0)))...)
		}
		abbrevs := make([]byte, far)
		copy(abbrevs, abbrevsOf(tagCompileUnit))
		abbrevs = append(abbrevs, abbrevsOf(tagCompileUnit)...)
		var packed bytes.Buffer
		w := zlib.NewWriter(&packed)
		_, _ = w.Write(abbrevs)
		_ = w.Close()
		return makeELF(part{name: ".debug_line", data: lines}, part{name: ".debug_info", data: info}, part{name: ".debug_str", data: raw("/yard")},
			part{".debug_abbrev", raw(u32(elf.COMPRESS_ZLIB), u32(0), u64(len(abbrevs)), u64(1), packed.Bytes()), elf.SHF_COMPRESSED})
	}
	mustBe(t, "some", 1, program(2*maxRestarts))
	mustFail(t, "too often", "compressed, and wanted in too wild an order", program(2*maxRestarts+1))
}

// Deflate packs a thousand to one at best. Less than a MiB costs nothing.
func TestAPackedSectionMayClaimWhatDeflateCanDo(t *testing.T) {
	line := oneName("/a.cc")
	var packed bytes.Buffer
	w := zlib.NewWriter(&packed)
	_, _ = w.Write(line)
	_ = w.Close()
	body := append(packed.Bytes(), make([]byte, 4096)...)
	stored := uint64(24 + len(body))
	of := func(size uint64) []byte {
		return makeELF(part{".debug_line", raw(u32(elf.COMPRESS_ZLIB), u32(0), size, u64(1), body), elf.SHF_COMPRESSED})
	}
	mustBe(t, "its size", 1, of(uint64(len(line))))
	mustFail(t, "what may be", "cannot be decompressed", of(maxRatio*(stored+1)-1))
	mustFail(t, "what cannot be", "it claims to be", of(maxRatio*(stored+1)))
	small := makeELF(part{".debug_line", raw(u32(elf.COMPRESS_ZLIB), u32(0), u64(1<<20), u64(1), packed.Bytes()), elf.SHF_COMPRESSED})
	mustFail(t, "a small one that claims too much", "cannot be decompressed", small)
}
