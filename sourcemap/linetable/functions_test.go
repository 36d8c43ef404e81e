package linetable

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/internal/elffile"
	"github.com/envoydbg/envoydbg/test/support/checkout"
)

// sample compiles the sample Envoy in a folder of its own.
func sample(t *testing.T, compiler string, flags ...string) string {
	t.Helper()
	dir, from := t.TempDir(), checkout.Path(t, "test/sample")
	sources, err := filepath.Glob(filepath.Join(from, "source/*/*.cc"))
	more, err2 := filepath.Glob(filepath.Join(from, "source/*/*/*.cc"))
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	args := append(flags, "-std=c++17", "-iquote", from, "-pthread", "-Wl,--build-id=sha1", "-o", "program")
	run(t, dir, compiler, append(append(args, sources...), more...)...)
	return filepath.Join(dir, "program")
}

// lldbPlace is a place of a breakpoint.
var lldbPlace = regexp.MustCompile(`(?m)^ +\d+\.\d+: where = .*address = program\S*\[0x([0-9a-f]+)\]`)

// stopsOfLLDB are the addresses of the breakpoints that these commands set.
func stopsOfLLDB(t *testing.T, lldb, program string, commands ...string) map[uint64]bool {
	t.Helper()
	args := []string{"--no-lldbinit", "--batch", "--one-line", "settings append target.debug-file-search-paths " + filepath.Dir(program)}
	for _, command := range slices.Concat([]string{"target create " + program}, commands, []string{"breakpoint list --full"}) {
		args = append(args, "--one-line", command)
	}
	stops := map[uint64]bool{}
	for _, row := range lldbPlace.FindAllStringSubmatch(run(t, "", checkout.Path(t, "bin/tools", lldb, "bin/lldb"), args...), -1) {
		at, err := strconv.ParseUint(row[1], 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		stops[at] = true
	}
	return stops
}

// stopsOfOurs are the bodies of functions, with their names.
func stopsOfOurs(t *testing.T, program string, texts ...string) map[uint64]string {
	t.Helper()
	isWhole := func(name string) bool { return !strings.HasSuffix(name, ".cold") }
	functions, err := (&input{ctx: t.Context()}).functions(program, []string{filepath.Dir(program)}, isWhole, texts)
	if err != nil {
		t.Fatal(err)
	}
	ours := map[uint64]string{}
	for _, f := range functions {
		ours[f.Body] = f.Name
	}
	return ours
}

func differ(ours map[uint64]string, theirs map[uint64]bool) string {
	var all []string
	for at, name := range ours {
		if !theirs[at] {
			all = append(all, fmt.Sprintf("ours alone   %#x %s", at, name))
		}
	}
	for at := range theirs {
		if ours[at] == "" {
			all = append(all, fmt.Sprintf("LLDB's alone %#x", at))
		}
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// variants are builds of the sample; each takes seconds.
var variants = []struct{ compiler, flags string }{
	{gcc, "-O0 -gdwarf-5"},
	{gcc, "-O0 -gdwarf-4 -gz=zlib -ffunction-sections -Wl,--gc-sections -no-pie"},
	{gcc, "-O1 -gdwarf-4 -gsplit-dwarf"}, // with -O2 LLDB takes a function's cold part for its begin
	{gcc, "-O2 -gdwarf-4"},
	{clang, "-O0 -gdwarf-4 -gsplit-dwarf"},
	{clang, "-O0 -gdwarf-5 -ffunction-sections"},
	{clang, "-O2 -gdwarf-5"},
}

// Of code that is not optimized all functions; else those of the presets, because a
// place of LLDB's may then be one where a function was inlined. LLDB 19 stops at the cold
// part of a function, too.
func TestBodiesBeginWhereLLDBStops(t *testing.T) {
	for _, v := range variants {
		t.Run(v.compiler+" "+v.flags, func(t *testing.T) {
			program := sample(t, v.compiler, strings.Fields(v.flags)...)
			for _, by := range []string{"", "build-id", ".gnu_debuglink"} {
				separate(t, program, by)
				ours := stopsOfOurs(t, program, "10MainCommon4mainE", "14OsSysCallsImpl")
				if len(ours) != 7 {
					t.Errorf("%q: %d functions: %v", by, len(ours), ours)
				}
				for _, lldb := range []string{"lldb-19", "lldb-22"} {
					d := differ(ours, stopsOfLLDB(t, lldb, program, "breakpoint set --language c++ --name Envoy::MainCommon::main", "breakpoint set --func-regex .*OsSysCallsImpl.*"))
					if lldb == "lldb-22" && d != "" || strings.Contains(d, "ours alone") {
						t.Errorf("%q, %s:\n%s", by, lldb, d)
					}
					if by != "" || !strings.HasPrefix(v.flags, "-O0") {
						continue
					}
					if d := differ(stopsOfOurs(t, program, "5Envoy"), stopsOfLLDB(t, lldb, program, "breakpoint set --func-regex Envoy")); d != "" {
						t.Errorf("%s:\n%s", lldb, d)
					}
				}
			}
		})
	}
}

// separate puts the symbols and the debug information of a program into a file that is
// found by one of its marks, or leaves them where they are. It may do the one after the
// other.
func separate(t *testing.T, program, by string) {
	t.Helper()
	dir := filepath.Dir(program)
	switch by {
	case "build-id":
		f, err := elffile.Open(program)
		if err != nil {
			t.Fatal(err)
		}
		id, err := f.BuildID()
		_ = f.Close()
		debug := filepath.Join(dir, ".build-id", id[:2], id[2:]+".debug")
		if err := errors.Join(err, os.MkdirAll(filepath.Dir(debug), 0o755)); err != nil {
			t.Fatal(err)
		}
		run(t, dir, "objcopy", "--only-keep-debug", program, debug)
		run(t, dir, "objcopy", "--strip-all", program)
	case ".gnu_debuglink":
		debugs, err := filepath.Glob(filepath.Join(dir, ".build-id/*/*.debug"))
		if err != nil || len(debugs) != 1 {
			t.Fatal(debugs, err)
		}
		if err := os.Rename(debugs[0], program+".debug"); err != nil {
			t.Fatal(err)
		}
		run(t, dir, "objcopy", "--add-gnu-debuglink=program.debug", program)
	}
}

func TestAProgramWithoutSymbolsHasNoFunctions(t *testing.T) {
	dir := tree(t)
	program := compile(t, dir, gcc)
	run(t, dir, "strip", program)
	if all, err := Functions(t.Context(), program, nil, func(string) bool { return true }, "main\x00"); !errors.Is(err, elffile.ErrNoSymbols) {
		t.Errorf("got %v, %v", all, err)
	}
}

func TestAFunctionWithoutALineTableBeginsWhereItBegins(t *testing.T) {
	dir := tree(t)
	program := compile(t, dir, gcc)
	all, err := Functions(t.Context(), program, nil, func(name string) bool { return name == "main" }, "main\x00")
	if err != nil || len(all) != 1 || all[0].Body != all[0].Address || all[0].Size == 0 {
		t.Errorf("got %+v, %v", all, err)
	}
}
