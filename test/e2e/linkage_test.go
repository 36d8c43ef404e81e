package e2e

import (
	"debug/elf"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

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
