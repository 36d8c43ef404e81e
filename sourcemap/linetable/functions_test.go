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
	functions, err := (&input{ctx: t.Context()}).functions(program, isWhole, texts, filepath.Dir(program))
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

// All functions of code that is not optimized, where no function is inlined.
func TestBodiesBeginWhereLLDBStops(t *testing.T) {
	for _, compiler := range []string{gcc, clang} {
		for _, flags := range [][]string{{"-gdwarf-4"}, {"-gdwarf-5"}, {"-g", "-gz=zlib"}, {"-g", "-ffunction-sections", "-Wl,--gc-sections"}, {"-g", "-no-pie"}} {
			t.Run(compiler+" "+strings.Join(flags, " "), func(t *testing.T) {
				t.Parallel()
				program := sample(t, compiler, append(flags, "-O0")...)
				ours := stopsOfOurs(t, program, "5Envoy")
				if len(ours) < 100 {
					t.Fatalf("only %d functions", len(ours))
				}
				for _, lldb := range []string{"lldb-19", "lldb-22"} {
					if d := differ(ours, stopsOfLLDB(t, lldb, program, "breakpoint set --func-regex Envoy")); d != "" {
						t.Errorf("%s:\n%s", lldb, d)
					}
				}
			})
		}
	}
}

// The functions of the presets, however they are optimized and wherever their line tables
// are. LLDB 19 stops at the cold part of a function, too, which is behind an exception.
func TestBodiesOfThePresetsBeginWhereLLDBStops(t *testing.T) {
	for _, compiler := range []string{gcc, clang} {
		for _, flags := range []string{"-O1 -gdwarf-4", "-O2 -gdwarf-4", "-O2 -gdwarf-5", "-O3 -gdwarf-5 -ffunction-sections", "-O0 -gdwarf-5 -gsplit-dwarf", "-O2 -gdwarf-4 -gsplit-dwarf"} {
			for _, debug := range []string{"", ".gnu_debuglink", "build-id"} {
				t.Run(compiler+" "+flags+" "+debug, func(t *testing.T) {
					t.Parallel()
					program := separate(t, sample(t, compiler, strings.Fields(flags)...), debug)
					ours := stopsOfOurs(t, program, "10MainCommon4mainE", "14OsSysCallsImpl")
					if len(ours) != 7 {
						t.Fatalf("%d functions: %v", len(ours), ours)
					}
					for _, lldb := range []string{"lldb-19", "lldb-22"} {
						d := differ(ours, stopsOfLLDB(t, lldb, program, "breakpoint set --language c++ --name Envoy::MainCommon::main", "breakpoint set --func-regex .*OsSysCallsImpl.*"))
						if lldb == "lldb-22" && d != "" || strings.Contains(d, "ours alone") {
							t.Errorf("%s:\n%s", lldb, d)
						}
					}
				})
			}
		}
	}
}

// separate puts the symbols and the debug information of a program into a file that is
// found by one of its marks, or leaves them where they are.
func separate(t *testing.T, program, by string) string {
	t.Helper()
	if by == "" {
		return program
	}
	dir := filepath.Dir(program)
	debug := program + ".debug"
	if by == "build-id" {
		f, err := elffile.Open(program)
		if err != nil {
			t.Fatal(err)
		}
		id, err := f.BuildID()
		_ = f.Close()
		if err != nil {
			t.Fatal(err)
		}
		debug = filepath.Join(dir, ".build-id", id[:2], id[2:]+".debug")
		if err := os.MkdirAll(filepath.Dir(debug), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	run(t, dir, "objcopy", "--only-keep-debug", program, debug)
	run(t, dir, "objcopy", "--strip-all", program)
	if by != "build-id" {
		run(t, dir, "objcopy", "--add-gnu-debuglink="+debug, program)
	}
	return program
}

func TestAProgramWithoutSymbolsHasNoFunctions(t *testing.T) {
	dir := tree(t)
	program := compile(t, dir, gcc)
	run(t, dir, "strip", program)
	if all, err := Functions(t.Context(), program, func(string) bool { return true }, "main\x00"); !errors.Is(err, elffile.ErrNoSymbols) {
		t.Errorf("got %v, %v", all, err)
	}
}

func TestAFunctionWithoutALineTableBeginsWhereItBegins(t *testing.T) {
	dir := tree(t)
	program := compile(t, dir, gcc)
	all, err := Functions(t.Context(), program, func(name string) bool { return name == "main" }, "main\x00")
	if err != nil || len(all) != 1 || all[0].Body != all[0].Address || all[0].Size == 0 {
		t.Errorf("got %+v, %v", all, err)
	}
}
