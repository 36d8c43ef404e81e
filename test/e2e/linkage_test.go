package e2e

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/adapter/helper/elfinfo"
	"github.com/envoydbg/envoydbg/test/support/harness"
)

// main has no name in a stripped program, and a static one has no libc that is
// told where it is.
func TestThePresetMainFindsMainHoweverAProgramIsLinked(t *testing.T) {
	for _, linkage := range []string{"-pie", "-no-pie", "-static", "-static-pie"} {
		for _, stripped := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, stripped %v", linkage, stripped), func(t *testing.T) {
				harness.Each(t, func(t *testing.T, s *harness.Story) {
					program := compile(s, programs(), "linkage", linkage, "linkage.cc")
					main := address(t, program, "main")
					if stripped {
						run(s, s.Dir, "strip", "-o", program+".stripped", program)
						program += ".stripped"
					}
					c := s.Start()
					c.Initialize()
					c.Attach(s.Of(program).With("breakpointPresets", []string{"main"}))
					c.Configure()
					if d := c.Phase("breakpoints", "end").Get("body.detail").Str; d != "1 of 1 verified" {
						t.Errorf("the phase says %q", d)
					}
					stop := c.Stopped(0)
					if !stripped {
						if stop.Frames[0].Name != "main" {
							t.Errorf("stopped in %v", names(stop))
						}
					} else if said, want := c.Command("target modules lookup --address $pc"), fmt.Sprintf("%s[0x%016x]", filepath.Base(program), main); !strings.Contains(said, want) {
						t.Errorf("stopped at %s, want %s", said, want)
					}
					c.Disconnect()
				})
			})
		}
	}
}

// What is stripped may have its symbols and lines in a file that its mark leads to, and
// what is split has its types in a package beside it.
func TestThePresetMainStopsBehindThePrologueWhereverTheDebugInformationIs(t *testing.T) {
	for name, variant := range map[string]struct {
		compiler string
		flags    []string
		after    [][]string
	}{
		"a debug file by its link": {"g++", []string{"-gdwarf-5"}, [][]string{
			{"objcopy", "--only-keep-debug", "envoy", "envoy.debug"}, {"objcopy", "--strip-all", "--add-gnu-debuglink=envoy.debug", "envoy"}}},
		"compressed":         {"g++", []string{"-gdwarf-5", "-gz=zlib"}, nil},
		"a package":          {"g++", []string{"-gdwarf-4", "-gsplit-dwarf"}, [][]string{{"dwp", "-e", "envoy", "-o", "envoy.dwp"}}},
		"a package by clang": {"clang++-19", []string{"-gdwarf-5", "-gsplit-dwarf"}, [][]string{{"llvm-dwp-19", "-e", "envoy", "-o", "envoy.dwp"}}},
		"an index for gdb":   {"g++", []string{"-gdwarf-5", "-fuse-ld=gold", "-Wl,--gdb-index", "-ggnu-pubnames"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			harness.Each(t, func(t *testing.T, s *harness.Story) {
				program := compileBy(s, variant.compiler, programs(), "envoy", append(variant.flags, "linkage.cc")...)
				for _, command := range variant.after {
					run(s, s.Dir, command[0], command[1:]...)
				}
				// The second session has the lldb-dap that stands by.
				a := s.Of(program).With("breakpointPresets", []string{"main"})
				w := s.Serve()
				for range 2 {
					from := w.Lines()
					c := traced(w)
					c.Attach(a)
					c.Configure()
					isBehindThePrologue(t, c)
					c.Disconnect()
					w.Ready(from)
				}
				w.End()
			})
		})
	}
}

// isBehindThePrologue waits for the stop in main of linkage.cc, and reads its argument there.
func isBehindThePrologue(t *testing.T, c *harness.Session) {
	t.Helper()
	stop := c.Stopped(0)
	if f := stop.Frames[0]; f.Name != "main" || filepath.Base(f.Source.Path) != "linkage.cc" {
		t.Errorf("stopped in %v", stop.Frames)
	}
	arguments, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", c.Seen(0, "process").Get("body.systemProcessId").Int()))
	if err != nil {
		t.Fatal(err)
	}
	if said, want := c.Command("frame variable argc"), fmt.Sprintf("argc = %d\n", bytes.Count(arguments, []byte{0})); !strings.Contains(said, want) {
		t.Errorf("LLDB says %q, want %q", said, want)
	}
}

// LLDB finds these debug files because the user tells it where; nothing else leads to them.
func TestADebugFileIsFoundInTheFoldersThatLLDBIsTold(t *testing.T) {
	const link = "envoy.debug"
	for name, row := range map[string]struct {
		below string // where the file is, below the folder; "" for its place by the build-id
		// command is the user's, in one of the places; DIR is the folder.
		place, command string
		// root is lldb-dap's working folder, below the folder.
		root string
	}{
		"by build-id":             {"", inInit, `?settings append target.debug-file-search-paths /nowhere "DIR/debug files"`, ""},
		"by its name":             {"debug files/" + link, inInit, `!settings insert-before target.debug-file-search-paths 0 'DIR/debug files' /nowhere`, ""},
		"by the program's folder": {"debug files/DIR/" + link, inInit, `settings append target.debug-file-search-paths "~/debug files"`, ""},
		"in lldb-dap's folder":    {"root/" + link, inInit, "", "root"},
		"as ~/.lldbinit says":     {"debug files/" + link, inLLDBInit, `settings set target.debug-file-search-paths DIR/debug\ files`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			harness.Each(t, func(t *testing.T, s *harness.Story) {
				program := compile(s, programs(), "envoy", "-gdwarf-5", "linkage.cc")
				info, err := elfinfo.Read(program)
				if err != nil {
					t.Fatal(err)
				}
				debug := filepath.Join(s.Dir, strings.ReplaceAll(row.below, "DIR", s.Dir))
				if row.below == "" {
					debug = filepath.Join(s.Dir, "debug files/.build-id", info.BuildID[:2], info.BuildID[2:]+".debug")
				}
				if err := os.MkdirAll(filepath.Dir(debug), 0o755); err != nil {
					t.Fatal(err)
				}
				run(s, s.Dir, "objcopy", "--only-keep-debug", "envoy", link)
				run(s, s.Dir, "objcopy", "--strip-all", "--add-gnu-debuglink="+link, "envoy")
				if err := os.Rename(filepath.Join(s.Dir, link), debug); err != nil {
					t.Fatal(err)
				}
				s.Variables = append(s.Variables, "HOME="+s.Dir)
				a := s.Of(program).With("breakpointPresets", []string{"main"})
				if row.root != "" {
					a = a.With("debuggerRoot", filepath.Join(s.Dir, row.root))
				}
				c, a := user(s, a, row.place, strings.ReplaceAll(row.command, "DIR", s.Dir))
				c.Initialize()
				c.Attach(a)
				c.Seen(0, "initialized")
				isWhy(t, "another name", set(t, c, "linkge.cc", breakpoint{"line": 1})[0],
					"failed: Nothing is compiled from a file that ends with linkge.cc. Nearest: linkage.cc (line table of envoy).")
				c.Do("configurationDone", nil, nil)
				isBehindThePrologue(t, c)
				c.Disconnect()
			})
		})
	}
}

// address is where a symbol is, as the file has it.
func address(t *testing.T, program, name string) uint64 {
	t.Helper()
	f, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	symbols, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, symbol := range symbols {
		if symbol.Name == name {
			return symbol.Value
		}
	}
	t.Fatalf("%s has no symbol %s", program, name)
	return 0
}
