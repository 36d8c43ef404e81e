package companion

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"runtime"
	"slices"
	"strings"

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
	c.top, _ = gdbremote.Register(stop, stack)
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
		add(strings.Replace(question, "*", thread(stop), 1))
	}
	return all
}

// thread is the one that has stopped, as LLDB writes it.
func thread(stop []byte) string {
	s, _ := gdbremote.ParseStop(stop)
	_, id, found := strings.Cut(s.Thread, ".") // pPROCESS.THREAD
	if !found {
		id = s.Thread
	}
	return strings.Repeat("0", max(0, 4-len(id))) + id
}

// auxiliary begins the question for a process's auxiliary vector, which LLDB asks for when
// it has attached.
const auxiliary = "qXfer:auxv:read::0,"

// Entries of the auxiliary vector (getauxval(3)): where the loader is, where the program
// begins, and the page with which the kernel helps it.
const (
	atBase        = 7
	atEntry       = 9
	atSysinfoEHDR = 33
)

// vdso is that page's name, in hex.
const vdso = "name:5b7664736f5d;"

// follow are the questions to which an answer leads LLDB: from the auxiliary vector to
// what is mapped where, and from the top of the stack, which may be a return address, to
// what it points to.
func (c *Companion) follow(question string, answer []byte) (next []string) {
	top := c.top % line
	switch {
	case question == fmt.Sprintf("x%x,%x", c.top-top, line):
		if b := unescape(answer); len(b) == line && top+8 <= line {
			next = []string{fmt.Sprintf("qMemoryRegionInfo:%x", binary.LittleEndian.Uint64(b[top:]))}
		}
	case strings.HasPrefix(question, auxiliary) && len(answer) > 0 && answer[0] == 'l':
		entries := unescape(answer[1:])
		for ; len(entries) >= 16; entries = entries[16:] {
			switch binary.LittleEndian.Uint64(entries) {
			case atBase, atEntry, atSysinfoEHDR:
				next = append(next, fmt.Sprintf("qMemoryRegionInfo:%x", binary.LittleEndian.Uint64(entries[8:])))
			}
		}
	case bytes.Contains(answer, []byte(vdso)) && strings.HasPrefix(question, "qMemoryRegionInfo:"):
		var start, size uint64
		if _, err := fmt.Sscanf(string(answer), "start:%x;size:%x;", &start, &size); err == nil {
			next = []string{fmt.Sprintf("x%x,%x", start, size)}
		}
	}
	return next
}

// unescape gives the bytes of a binary answer (GDB manual, "Binary Data").
func unescape(answer []byte) []byte {
	var b []byte
	for i := 0; i < len(answer); i++ {
		if answer[i] == '}' && i+1 < len(answer) {
			i++
			b = append(b, answer[i]^0x20)
			continue
		}
		b = append(b, answer[i])
	}
	return b
}
