package companion

import (
	"fmt"
	"runtime"
	"slices"

	"github.com/envoydbg/envoydbg/adapter/gdbremote"
)

// line is how much memory LLDB reads at a time, and to what it aligns the address
// (target.process's memory-cache-line-size).
const line = 512

// Numbers of registers in lldb-server's stop replies.
var frame, stack, counter = registers(runtime.GOARCH)

func registers(arch string) (frame, stack, counter int) {
	if arch == "arm64" {
		return 29, 31, 32 // x29, sp, pc
	}
	return 6, 7, 16 // rbp, rsp, rip
}

// questions are those for a stop, each once.
func (c *Companion) questions(stop []byte) []string {
	var all []string
	add := func(question string) {
		if !slices.Contains(all, question) {
			all = append(all, question)
		}
	}
	if pc, ok := gdbremote.Register(stop, counter); ok {
		add(fmt.Sprintf("qMemoryRegionInfo:%x", pc))
	}
	for _, register := range []int{stack, frame} {
		at, ok := gdbremote.Register(stop, register)
		at &^= line - 1
		if !ok || at == 0 {
			continue
		}
		for _, at := range []uint64{at, at + line} {
			add(fmt.Sprintf("x%x,%x", at, line))
		}
	}
	for _, question := range c.ahead {
		add(question)
	}
	return all
}
