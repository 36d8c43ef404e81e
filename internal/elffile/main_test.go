package elffile

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The address is that of the symbol, whether the program has symbols or not.
func TestMainIsFoundWithoutSymbols(t *testing.T) {
	for name, flags := range map[string][]string{
		"position-independent": {"-pie", "-fPIE"},
		"at a fixed address":   {"-no-pie", "-fno-pie"},
		"static":               {"-static", "-no-pie", "-fno-pie"},
		"static, independent":  {"-static-pie", "-fPIE"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			source, program := filepath.Join(dir, "a.c"), filepath.Join(dir, "a")
			if err := os.WriteFile(source, []byte("int main(void) { return 0; }\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command("cc", append(flags, "-o", program, source)...).CombinedOutput(); err != nil {
				t.Fatalf("cc: %v\n%s", err, out)
			}
			want := symbol(t, program, "main")
			if out, err := exec.Command("strip", program).CombinedOutput(); err != nil {
				t.Fatalf("strip: %v\n%s", err, out)
			}
			if got, ok, err := Main(program); got != want || !ok || err != nil {
				t.Errorf("main is at %#x, %v, %v; want %#x", got, ok, err, want)
			}
		})
	}
}

func symbol(t *testing.T, path, name string) uint64 {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	symbols, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range symbols {
		if s.Name == name {
			return s.Value
		}
	}
	t.Fatalf("%s has no symbol %s", path, name)
	return 0
}

// Programs of another kind, and files that are none.
func TestAProgramWithoutKnownStartUpCode(t *testing.T) {
	dir := t.TempDir()
	source, program := filepath.Join(dir, "a.s"), filepath.Join(dir, "a")
	for name, code := range map[string]string{
		"no call":            "xor %edi, %edi\nmov $60, %eax\nsyscall",
		"main is no code":    "lea data(%rip), %rdi\ncall f\nf: ret\n.data\ndata: .quad 0",
		"after the call":     "call f\nlea f(%rip), %rdi\nf: ret",
		"another argument":   "lea f(%rip), %rsi\ncall f\nf: ret",
		"nothing but a call": "call f\nf: ret",
	} {
		if err := os.WriteFile(source, []byte(".globl _start\n_start: "+code+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("cc", "-nostdlib", "-static", "-o", program, source).CombinedOutput(); err != nil {
			t.Fatalf("%s: cc: %v\n%s", name, err, out)
		}
		if got, ok, err := Main(program); ok || err != nil {
			t.Errorf("%s: main is at %#x, %v", name, got, err)
		}
	}
	if _, ok, err := Main(source); ok || err == nil {
		t.Errorf("a text: %v, %v", ok, err)
	}
	if _, ok, err := Main(filepath.Join(dir, "none")); ok || !os.IsNotExist(err) {
		t.Errorf("no file: %v, %v", ok, err)
	}
}
