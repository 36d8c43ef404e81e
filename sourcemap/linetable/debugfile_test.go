package linetable

import (
	"context"
	"debug/elf"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/envoydbg/envoydbg/internal/regular"
)

// It is LLDB's: a file of another build is found there, too, and is refused there, too.
func TestDebugFilesAreTriedInLLDBsOrder(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "bin/program"), nil)
	alias := filepath.Join(dir, "alias")
	if err := os.Symlink(filepath.Join(dir, "bin/program"), alias); err != nil {
		t.Fatal(err)
	}
	var byID, byLink, both []string
	for _, in := range []string{"/s", "/t", dir + "/bin", "/usr/lib/debug"} {
		id, links := in+"/.build-id/ab/cdef.debug", []string{in + "/p.debug", in + "/.debug/p.debug", in + dir + "/bin/p.debug"}
		byID, byLink, both = append(byID, id), append(byLink, links...), append(append(both, id), links...)
	}
	for _, c := range []struct {
		what, path, buildID, link string
		want                      []string
	}{
		{"both", dir + "/bin/program", "abcdef", "p.debug", both},
		{"by a link to the program", alias, "abcdef", "p.debug", both},
		{"no build-id", dir + "/bin/program", "", "p.debug", byLink},
		{"a build-id of one byte", dir + "/bin/program", "ab", "p.debug", byLink},
		{"no link", dir + "/bin/program", "abcdef", "", byID},
	} {
		if got := candidates(c.path, c.buildID, c.link, []string{"/s", "/t"}); !slices.Equal(got, c.want) {
			t.Errorf("%s:\ngot  %q\nwant %q", c.what, got, c.want)
		}
	}
}

func writeFile(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// debugLink is the contents of .gnu_debuglink.
func debugLink(name string, sum uint32) []byte {
	b := raw(name)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return raw(b, sum)
}

// A name whose length with its NUL fills four bytes exactly, and all others.
func TestADebugLinkIsPaddedToFourBytes(t *testing.T) {
	line := lineOf(3, false, oldLists(nil, oldFile("/a.cc", 0)))
	debug := makeELF(part{name: ".debug_line", data: line})
	for _, name := range []string{"p", "pq", "pqr", "pqrs", "pqrst"} {
		dir := t.TempDir()
		writeFile(t, filepath.Join(dir, name), debug)
		program := filepath.Join(dir, "program")
		writeFile(t, program, makeELF(part{name: ".gnu_debuglink", data: debugLink(name, crc32.ChecksumIEEE(debug))}))
		table, err := Read(t.Context(), program)
		if err != nil || table.Path != filepath.Join(dir, name) || brief(table.Files) != "/a.cc < \n" {
			t.Errorf("%s: %+v, %v", name, table, err)
		}
		writeFile(t, program, makeELF(part{name: ".gnu_debuglink", data: debugLink(name, 1)}))
		if _, err := Read(t.Context(), program); !errors.Is(err, ErrNoLineTables) || !strings.Contains(err.Error(), "whose checksum") {
			t.Errorf("%s, another sum: %v", name, err)
		}
	}
}

func TestADebugLinkThatIsNone(t *testing.T) {
	long := strings.Repeat("x", maxName)
	for want, p := range map[string]part{
		"a link of 4 bytes":                    {data: raw(u32(1))},
		"a link of 65544 bytes":                {data: debugLink(long, 1)},
		"a link of 12 bytes":                   {data: debugLink("pq.debug", 1)[:12], flags: elf.SHF_COMPRESSED},
		"no file name and checksum":            {data: []byte("no NUL in it")},
		"no file name and checksum ":           {data: raw(u32(0), u32(1))},
		"no file name and checksum  ":          {data: debugLink("pqrstuv", 1)[:8]},
		`"/etc/p" is not the name of a file`:   {data: debugLink("/etc/p", 1)},
		`"../p" is not the name of a file`:     {data: debugLink("../p", 1)},
		"it has neither a build-id nor a .gnu": {name: ".text", data: debugLink("p", 1)},
	} {
		if p.name == "" {
			p.name = ".gnu_debuglink"
		}
		if _, err := readBytes(t, makeELF(p)); err == nil || !strings.Contains(err.Error(), strings.TrimRight(want, " ")) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// Nobody writes to the FIFOs: an open of one would wait for ever.
func TestDebugFilesMustBeRegularFiles(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "program")
	line := lineOf(3, false, oldLists(nil, oldFile("/a.cc", 0)))
	writeFile(t, program, makeELF(part{name: ".gnu_debuglink", data: debugLink("fifo", 1)}))
	for _, name := range []string{"fifo", "program.dwp"} {
		if err := syscall.Mkfifo(filepath.Join(dir, name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Read(t.Context(), program); !errors.Is(err, ErrNoLineTables) || !strings.Contains(err.Error(), filepath.Join(dir, "fifo")+" (not a regular file)") {
		t.Errorf("a FIFO for the debug file: %v", err)
	}
	writeFile(t, program, makeELF(part{name: ".debug_line", data: line}))
	table, err := Read(t.Context(), program)
	if !errors.Is(err, regular.ErrNot) || !strings.Contains(err.Error(), program+".dwp") || brief(table.Files) != "/a.cc < \n" {
		t.Errorf("a FIFO for the package: %+v, %v", table, err)
	}
	if _, err := Read(t.Context(), filepath.Join(dir, "fifo")); !errors.Is(err, regular.ErrNot) {
		t.Errorf("a FIFO for the program: %v", err)
	}
}

// The package may be beside the program or beside its debug file.
func TestAPackageBesideTheDebugFile(t *testing.T) {
	dir := t.TempDir()
	debug := makeELF(part{name: ".debug_line", data: lineOf(3, false, oldLists(nil, oldFile("/a.cc", 0)))})
	packed := func(name string) []byte {
		return makeELF(part{name: ".debug_line.dwo", data: lineOf(4, false, oldLists(nil, oldFile(name, 0), oldFile("relative.cc", 0)))})
	}
	program := filepath.Join(dir, "program")
	writeFile(t, program, makeELF(part{name: ".gnu_debuglink", data: debugLink("p.debug", crc32.ChecksumIEEE(debug))}))
	writeFile(t, filepath.Join(dir, "p.debug"), debug)
	writeFile(t, filepath.Join(dir, "p.debug.dwp"), packed("/late.cc"))
	for _, c := range []struct{ dwp, want string }{
		{"p.debug.dwp", "/a.cc < \n/late.cc < \n"},
		{"program.dwp", "/a.cc < \n/early.cc < \n"},
	} {
		if c.dwp == "program.dwp" {
			writeFile(t, program+".dwp", packed("/early.cc"))
		}
		table, err := Read(t.Context(), program)
		if err != nil || table.Sources.DWP != filepath.Join(dir, c.dwp) || brief(table.Files) != c.want || table.Sources.Units != 2 {
			t.Errorf("%s: %+v, %v", c.dwp, table, err)
		}
	}
}

// What is read counts, and nothing is read any more once the context has ended.
func TestReadingStopsWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "program")
	writeFile(t, path, oldProgram())
	ctx, cancel := context.WithCancel(t.Context())
	table, err := Read(ctx, path)
	if err != nil || table.Sources.BytesRead <= 64 {
		t.Fatalf("%+v, %v", table, err)
	}
	cancel()
	if table, err := Read(ctx, path); table != nil || err != context.Canceled { //nolint:errorlint // that error alone
		t.Errorf("%+v, %v", table, err)
	}
	in := &input{ctx: ctx}
	if n, err := (countedReader{strings.NewReader("text"), in}).ReadAt(make([]byte, 2), 0); n != 0 || !errors.Is(err, context.Canceled) || in.bytes != 0 {
		t.Errorf("a read: %d, %v, %d counted", n, err, in.bytes)
	}
	// Between two units, too: what is in memory already is not gone through.
	img, err := parseImage("program", strings.NewReader(string(oldProgram())), int64(len(oldProgram())))
	if err != nil {
		t.Fatal(err)
	}
	r := newReader(ctx)
	if r.read(img, ""); r.units != 0 {
		t.Errorf("%d units", r.units)
	}
}
