package startup

import "testing"

// What LLDB 19 and 22 print of main's place, and of a stack.
const (
	mainSymbol = `      Address: envoy[0x000000000207e0f0] (envoy.PT_LOAD[1]..text + 240)
      Summary: envoy` + "`" + `___lldb_unnamed_symbol1883
       Module: file = "/usr/local/bin/envoy", arch = "x86_64"
       Symbol: id = {0x0000075b}, range = [0x00005634ee4e80f0-0x00005634ee4e81a0), name="___lldb_unnamed_symbol1883"
`
	elsewhere = 0x7f6d3c5038d9
)

func TestWhetherAThreadIsInsideAFunction(t *testing.T) {
	for name, test := range map[string]struct {
		pc    uint64
		stack string
		want  bool
	}{
		"in a function that it has called": {elsewhere, "0x7ffc8bab6b88: 0x00007f6d3c50393d 0x00005634ee4e811c\n0x7ffc8bab6b98: 0x0 0x1\n", true},
		"in its last call":                 {elsewhere, "0x7ffc8bab6b88: 0x0000000000000000 0x00005634ee4e81a0\n", true},
		"in it":                            {0x5634ee4e8150, "", true},
		"at its first instruction":         {0x5634ee4e80f0, "", true},
		"behind it":                        {0x5634ee4e81a0, "", false},
		"not called yet":                   {elsewhere, "0x7ffc8bab6b88: 0x00005634ee4e80f0 0x0000000000000010\n", false},
		"called by another":                {elsewhere, "0x7ffc8bab6b88: 0x00005634ee4e80ef 0x00005634ee4e81a1\n", false},
		"no stack":                         {elsewhere, "error: memory read failed for 0x0", false},
		"the address of the words":         {elsewhere, "0x5634ee4e8150: 0x0000000000000000 0x0000000000000000\n", false},
	} {
		if got := isInside(mainSymbol, test.pc, test.stack); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if isInside("error: no symbol", 0, "0x10: 0x00005634ee4e811c") {
		t.Error("a thread is inside a function without bounds")
	}
}

func TestWhatLLDBPrintsIsRead(t *testing.T) {
	registers := "(lldb) register read pc sp\n     rip = 0x00007f6d3c5038d9  libc.so.6`__clone3 + 25\n     rsp = 0x00007ffc8bab6b88\n"
	region := "(lldb) memory region 0x7ffc8bab6b88\n[0x00007ffc8ba97000-0x00007ffc8bab8000) rw- [stack]\n"
	if pc, sp, end := parseHex(pcRegister, registers), parseHex(spRegister, registers), parseHex(regionEnd, region); pc != 0x7f6d3c5038d9 ||
		sp != 0x7ffc8bab6b88 || end != 0x7ffc8bab8000 {
		t.Errorf("pc %#x, sp %#x, end %#x", pc, sp, end)
	}
	if got := parseHex(spRegister, "error: invalid"); got != 0 {
		t.Errorf("no register, but %#x", got)
	}
}
