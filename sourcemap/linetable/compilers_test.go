package linetable

import (
	"bytes"
	"crypto/md5"
	"debug/elf"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/test/support/checkout"
)

const (
	gcc   = "g++"
	clang = "clang++-19"
)

// tree makes the sources that all programs here are made of, with names that
// take ways round, and returns their folder.
func tree(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"src/a.cc":          "#include \"../inc/h.h\"\n#include \"inc/deep/../g.h\"\n#include <vector>\nint b(int);\nint main(int argc, char**) { std::vector<int> v(argc); return h(b(argc)) + g(v[0]); }\n",
		"src/b.cc":          "#include <inc/h.h>\nint b(int x) { return h(x); }\n",
		"src/c.S":           ".text\n.globl c\nc: ret\n.section .note.GNU-stack\n",
		"inc/h.h":           "#pragma once\nstruct H { int x; int get() const { return x + 1; } };\ninline int h(int x) { return H{x}.get(); }\n",
		"inc/g.h":           "inline int g(int x) {\n  return x + 2;\n}\n",
		"inc/deep/nothing":  "",
		"elsewhere/nothing": "",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// run runs a program in a folder, and returns its output.
func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, stderr.String())
	}
	return string(out)
}

// compile makes the program "program" of a.cc, b.cc and c.S.
func compile(t *testing.T, dir, compiler string, flags ...string) string {
	t.Helper()
	run(t, dir, compiler, append(flags, "-I.", "-I./", "src/a.cc", "./src/b.cc", "src/c.S", "-o", "program")...)
	return filepath.Join(dir, "program")
}

// peers are other readers.
type peers int

const (
	// LLDB 19 and 22 read no unit in the 64-bit format.
	lldbCannot peers = 1 << iota
	// LLVM and LLDB left .zdebug sections to the past; binutils still writes them.
	llvmCannot
)

// dumped is the set of source files as llvm-dwarfdump has it, normalised.
func dumped(t *testing.T, path string) []string {
	t.Helper()
	var all []string
	for line := range strings.Lines(run(t, "", "llvm-dwarfdump-19", "--show-sources", path)) {
		all = append(all, filepath.Clean(strings.TrimSuffix(line, "\n")))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func paths(t *Table) []string {
	var all []string
	for _, f := range t.Files {
		all = append(all, f.Path)
	}
	return slices.Compact(all)
}

func mustRead(t *testing.T, path string) *Table {
	t.Helper()
	table, err := Read(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// programs are ways to compile and link the tree; each leaves "program".
var programs = []struct {
	name     string
	build    func(t *testing.T, dir string)
	versions []int
	packed   bool
	peers    peers // that cannot read it
}{
	{"gcc, version 4", with(gcc, "-gdwarf-4"), []int{4}, false, 0},
	{"gcc, version 5", with(gcc, "-gdwarf-5"), []int{5}, false, 0},
	{"clang, version 4", with(clang, "-gdwarf-4"), []int{4}, false, 0},
	{"clang, version 5", with(clang, "-gdwarf-5"), []int{5}, false, 0},
	{"gcc, 64-bit format", with(gcc, "-gdwarf-5", "-gdwarf64"), []int{5}, false, lldbCannot},
	{"clang, 64-bit format", with(clang, "-gdwarf-4", "-gdwarf64"), []int{4}, false, lldbCannot},
	{"gcc, zlib, 4", with(gcc, "-gdwarf-4", "-gz=zlib"), []int{4}, true, 0},
	{"gcc, zlib, 5", with(gcc, "-gdwarf-5", "-gz=zlib"), []int{5}, true, 0},
	{"gcc, .zdebug", with(gcc, "-gdwarf-4", "-gz=zlib-gnu"), []int{4}, true, lldbCannot | llvmCannot},
	{"gcc, zstd, 4", then(with(gcc, "-gdwarf-4"), "llvm-objcopy-19", "--compress-debug-sections=zstd", "program"), []int{4}, true, 0},
	{"clang, zstd, 5", then(with(clang, "-gdwarf-5"), "llvm-objcopy-19", "--compress-debug-sections=zstd", "program"), []int{5}, true, 0},
	{"gcc, split, 4", with(gcc, "-gdwarf-4", "-gsplit-dwarf"), []int{4}, false, 0},
	{"gcc, split, 5", with(gcc, "-gdwarf-5", "-gsplit-dwarf"), []int{5}, false, 0},
	{"clang, split, 4", with(clang, "-gdwarf-4", "-gsplit-dwarf"), []int{4}, false, 0},
	{"clang, split, 5", with(clang, "-gdwarf-5", "-gsplit-dwarf"), []int{5}, false, 0},
	{"gcc, type units, 4", with(gcc, "-gdwarf-4", "-fdebug-types-section"), []int{4}, false, 0},
	{"gcc, type units, 5", with(gcc, "-gdwarf-5", "-fdebug-types-section"), []int{5}, false, 0},
	{"clang, type units, 5", with(clang, "-gdwarf-5", "-fdebug-types-section"), []int{5}, false, 0},
	{"gcc, link-time optimisation", with(gcc, "-gdwarf-5", "-flto"), []int{5}, false, 0},
	{"static", with(gcc, "-gdwarf-5", "-static"), []int{5}, false, 0},
	{"static-pie", with(gcc, "-gdwarf-5", "-static-pie"), []int{5}, false, 0},
	{"no-pie, version 4", with(gcc, "-gdwarf-4", "-no-pie"), []int{4}, false, 0},
	{"gcc, relocations kept, 4", with(gcc, "-gdwarf-4", "-Wl,--emit-relocs"), []int{4}, false, 0},
	{"clang, relocations kept, 5", with(clang, "-gdwarf-5", "-Wl,--emit-relocs"), []int{5}, false, 0},
	{"clang, comp_dir .", with(clang, "-gdwarf-5", "-fdebug-compilation-dir=."), []int{5}, false, 0},
	{"clang, comp_dir ., 4", with(clang, "-gdwarf-4", "-fdebug-compilation-dir=."), []int{4}, false, 0},
	{"clang, comp_dir ../x", with(clang, "-gdwarf-5", "-fdebug-compilation-dir=../x"), []int{5}, false, 0},
	{"clang, comp_dir /proc/self/cwd/../x", with(clang, "-gdwarf-4", "-fdebug-compilation-dir=/proc/self/cwd/../x"), []int{4}, false, 0},
	{"mixed compilers, versions and formats", func(t *testing.T, dir string) {
		run(t, dir, gcc, "-gdwarf-4", "-I.", "-fdebug-prefix-map="+dir+"=/proc/self/cwd", "-c", "src/a.cc", "-o", "a.o")
		run(t, filepath.Join(dir, "elsewhere"), clang, "-gdwarf-5", "-I..", "-c", "../src/b.cc", "-o", "../b.o")
		run(t, dir, gcc, "-gdwarf-4", "-gdwarf64", "-c", "src/c.S", "-o", "c.o")
		run(t, dir, gcc, "a.o", "b.o", "c.o", "-o", "program")
	}, []int{4, 5}, false, 0},
}

// with compiles with these flags, as Bazel does below /proc/self/cwd unless a
// flag says where.
func with(compiler string, flags ...string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		all := slices.Clone(flags)
		if !strings.Contains(strings.Join(flags, " "), "-dir=") {
			all = append(all, "-fdebug-prefix-map="+dir+"=/proc/self/cwd")
		}
		compile(t, dir, compiler, all...)
	}
}

func then(build func(*testing.T, string), name string, args ...string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		build(t, dir)
		run(t, dir, name, args...)
	}
}

// Whatever made the program, the files are those that LLVM's own reader finds,
// and spelled as LLDB spells them.
func TestProgramsOfCompilers(t *testing.T) {
	for _, p := range programs {
		t.Run(p.name, func(t *testing.T) {
			dir := tree(t)
			p.build(t, dir)
			program := filepath.Join(dir, "program")
			table := mustRead(t, program)
			peer := program
			if p.peers&llvmCannot != 0 {
				peer += ".plain"
				run(t, dir, "objcopy", "--decompress-debug-sections", program, peer)
			}
			if got, want := paths(table), dumped(t, peer); !slices.Equal(got, want) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
			if s := table.Sources; !slices.Equal(s.Versions, p.versions) || s.Compressed != p.packed {
				t.Errorf("sources %+v, want versions %v, compressed %v", s, p.versions, p.packed)
			}
			if table.BuildID == "" || table.Path != program {
				t.Errorf("%q, build-id %q", table.Path, table.BuildID)
			}
			if p.peers&lldbCannot == 0 {
				shownByLLDB(t, dir, "lldb-19", paths(table))
				shownByLLDB(t, dir, "lldb-22", paths(table))
			}
		})
	}
}

var lldbRow = regexp.MustCompile(`(?m)^0x[0-9a-f]+: (.*?)(:[0-9]+)*(, .*)?$`)

// shownByLLDB checks that every path which LLDB shows for an address is known,
// letter by letter.
func shownByLLDB(t *testing.T, dir, lldb string, known []string) {
	t.Helper()
	out := run(t, dir, checkout.Path(t, "bin/tools", lldb, "bin/lldb"), "--no-lldbinit", "--batch",
		"-o", "target create program",
		"-o", "target modules dump line-table --verbose a.cc b.cc c.S <artificial>")
	shown := map[string]bool{}
	for _, row := range lldbRow.FindAllStringSubmatch(out, -1) {
		shown[filepath.Base(row[1])] = true
		if !slices.Contains(known, row[1]) {
			t.Errorf("%s shows %q, not in %q", lldb, row[1], known)
		}
	}
	for _, name := range []string{"a.cc", "g.h", "h.h"} {
		if !shown[name] {
			t.Errorf("%s shows no line of %s\n%s", lldb, name, out)
		}
	}
}

// Cut at every boundary of a section and with bytes changed all over, programs
// of compilers are no danger either.
func TestDamagedPrograms(t *testing.T) {
	dir := tree(t)
	random := rand.New(rand.NewPCG(4, 2))
	for _, build := range []func(*testing.T, string){
		with(gcc, "-gdwarf-4"), with(clang, "-gdwarf-5"), with(gcc, "-gdwarf-4", "-gz=zlib"),
		then(with(clang, "-gdwarf-5"), "llvm-objcopy-19", "--compress-debug-sections=zstd", "program"),
	} {
		build(t, dir)
		program, err := os.ReadFile(filepath.Join(dir, "program"))
		if err != nil {
			t.Fatal(err)
		}
		f, err := elf.NewFile(bytes.NewReader(program))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range f.Sections {
			for _, end := range []uint64{s.Offset, s.Offset + s.FileSize/2, s.Offset + s.FileSize} {
				if end < uint64(len(program)) {
					check(t, program[:end])
				}
			}
			if !strings.HasPrefix(s.Name, ".debug_") || s.FileSize == 0 {
				continue
			}
			for range 100 {
				damaged := slices.Clone(program)
				for range 1 + random.IntN(8) {
					damaged[s.Offset+random.Uint64N(s.FileSize)] = byte(random.Uint32())
				}
				check(t, damaged)
			}
		}
	}
}

// clang writes the MD5 of each file, in version 5; gcc 12 writes none.
func TestMD5IsThatOfTheSource(t *testing.T) {
	dir := tree(t)
	// Not a.cc: a unit with a header of libstdc++ has no MD5 (see doc.go).
	run(t, dir, clang, "-gdwarf-5", "-I.", "-c", "src/b.cc", "-o", "clang.o")
	run(t, dir, gcc, "-gdwarf-5", "-I.", "src/a.cc", "clang.o", "-o", "program")
	withMD5 := map[string]bool{}
	for _, f := range mustRead(t, filepath.Join(dir, "program")).Files {
		if !f.HasMD5 {
			continue
		}
		text, err := os.ReadFile(f.Path)
		if err != nil {
			t.Fatal(err)
		}
		if f.MD5 != md5.Sum(text) {
			t.Errorf("%s: MD5 %x, want %x", f.Path, f.MD5, md5.Sum(text))
		}
		withMD5[strings.TrimPrefix(f.Path, dir)] = true
	}
	if !withMD5["/src/b.cc"] || !withMD5["/inc/h.h"] || len(withMD5) != 2 {
		t.Errorf("MD5s of %v", withMD5)
	}
}

// A package beside the program adds files of type units, and no path that is
// not whole.
func TestPackageBesideTheProgram(t *testing.T) {
	for _, compiler := range []string{gcc, clang} {
		for _, version := range []string{"-gdwarf-4", "-gdwarf-5"} {
			dir := tree(t)
			program := compile(t, dir, compiler, version, "-gsplit-dwarf", "-fdebug-types-section")
			before := mustRead(t, program)
			run(t, dir, "llvm-dwp-19", "-e", "program", "-o", "program.dwp")
			after := mustRead(t, program)
			if before.Sources.DWP != "" || after.Sources.DWP != program+".dwp" || after.Sources.Units <= before.Sources.Units {
				t.Errorf("%s %s: %+v, then %+v", compiler, version, before.Sources, after.Sources)
			}
			for _, path := range paths(before) {
				if !slices.Contains(paths(after), path) {
					t.Errorf("%s %s: %s is gone", compiler, version, path)
				}
			}
			for _, path := range paths(after) {
				if !filepath.IsAbs(path) {
					t.Errorf("%s %s: %s is not whole", compiler, version, path)
				}
			}
		}
	}
}

// Each place where the debug file of a stripped program may be.
func TestSeparateDebugFiles(t *testing.T) {
	dir := tree(t)
	for _, id := range []string{"sha1", "none"} {
		program := compile(t, dir, gcc, "-gdwarf-5", "-Wl,--build-id="+id)
		want := paths(mustRead(t, program))
		run(t, dir, "objcopy", "--only-keep-debug", "program", "program.debug")
		run(t, dir, "objcopy", "--strip-all", "--add-gnu-debuglink=program.debug", "program", "stripped")
		debug, err := os.ReadFile(filepath.Join(dir, "program.debug"))
		if err != nil {
			t.Fatal(err)
		}
		stripped := filepath.Join(dir, "stripped")
		table := mustRead(t, stripped)
		buildID := table.BuildID
		if !slices.Equal(paths(table), want) || table.Path != filepath.Join(dir, "program.debug") {
			t.Errorf("%s: beside: %s, %q", id, table.Path, paths(table))
		}
		symbols := filepath.Join(dir, "symbols-"+id)
		places := []string{dir + "/.debug/program.debug", symbols + "/program.debug", symbols + dir + "/program.debug"}
		if buildID != "" {
			places = append(places, symbols+"/.build-id/"+buildID[:2]+"/"+buildID[2:]+".debug")
		}
		at := filepath.Join(dir, "program.debug")
		for _, place := range places {
			if err := os.MkdirAll(filepath.Dir(place), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(at, place); err != nil {
				t.Fatal(err)
			}
			at = place
			table, err := (&input{ctx: t.Context()}).read(stripped, symbols)
			if err != nil || table.Path != place {
				t.Errorf("%s: %v, read %+v, want %s", id, err, table, place)
			}
		}
		// One of another build is not taken, nor is one that is damaged.
		other := compile(t, dir, gcc, "-gdwarf-5", "-O1", "-Wl,--build-id="+id)
		if err := os.Rename(other, at); err != nil {
			t.Fatal(err)
		}
		wrong := map[string]string{"sha1": " instead of " + buildID, "none": "not the file whose checksum"}[id]
		_, err = (&input{ctx: t.Context()}).read(stripped, symbols)
		if !errors.Is(err, ErrNoLineTables) || !strings.Contains(err.Error(), at+" (") || !strings.Contains(err.Error(), wrong) {
			t.Errorf("%s: of another build: %v, want %q", id, err, wrong)
		}
		if err := os.WriteFile(at, debug[:len(debug)/2], 0o644); err != nil {
			t.Fatal(err)
		}
		_, err = (&input{ctx: t.Context()}).read(stripped, symbols)
		if !errors.Is(err, ErrNoLineTables) || !strings.Contains(err.Error(), "beyond the end of the file") {
			t.Errorf("%s: damaged: %v", id, err)
		}
	}
}
