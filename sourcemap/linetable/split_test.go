package linetable

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// A program with split debug information is told from one without, and its package is
// found beside it.
func TestSplitDebugInformationIsNoticed(t *testing.T) {
	for _, compiler := range []string{"gcc", "clang-19"} {
		for _, x := range []struct {
			flags []string
			split bool
		}{
			{[]string{"-gdwarf-4"}, false},
			{[]string{"-gdwarf-5"}, false},
			{[]string{"-gdwarf-5", "-gz"}, false},
			{[]string{"-gdwarf-4", "-gsplit-dwarf"}, true},
			{[]string{"-gdwarf-5", "-gsplit-dwarf"}, true},
			{[]string{"-gdwarf-5", "-gsplit-dwarf", "-gz"}, true},
			{[]string{"-g0"}, false},
		} {
			dir := t.TempDir()
			source, program := filepath.Join(dir, "a.c"), filepath.Join(dir, "a")
			if err := os.WriteFile(source, []byte("struct s { int a; } x;\nint main(void) { return x.a; }\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(compiler, append(x.flags, "-o", program, source)...)
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
			}
			split, packed, err := Split(t.Context(), program)
			if err != nil || split != x.split || packed != "" {
				t.Errorf("%s %v: %v, %q, %v", compiler, x.flags, split, packed, err)
			}
			if err := os.WriteFile(program+".dwp", nil, 0o600); err != nil {
				t.Fatal(err)
			}
			want := ""
			if x.split {
				want = program + ".dwp"
			}
			if _, packed, err := Split(t.Context(), program); err != nil || packed != want {
				t.Errorf("%s %v with a package: %q, %v", compiler, x.flags, packed, err)
			}
		}
	}
}
