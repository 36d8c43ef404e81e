package startup

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

var (
	placeAddress = regexp.MustCompile(`address = 0x([0-9a-f]+)`)
	symbolRange  = regexp.MustCompile(`Symbol: .*range = \[0x([0-9a-f]+)-0x([0-9a-f]+)\)`)
	pcRegister   = regexp.MustCompile(`(?m)^ *(?:rip|pc) = 0x([0-9a-f]+)`)
	spRegister   = regexp.MustCompile(`(?m)^ *(?:rsp|sp) = 0x([0-9a-f]+)`)
	regionEnd    = regexp.MustCompile(`(?m)^\[0x[0-9a-f]+-0x([0-9a-f]+)\)`)
	stackWord    = regexp.MustCompile(`\b0x([0-9a-f]+)(?:\s|$)`) // and not the address before them
)

// maxStack bounds, in bytes, how much of a stack is looked at.
const maxStack = 128 << 10

// isPast reports whether the stopped thread, the main thread at an attach, is
// inside the functions of all places of breakpoints already, so that it will not
// come to them again. LLDB's backtrace cannot tell: it may end early, for example
// in a clone (LLDB 19). But what a function has called has left a return address
// into it on the stack.
func (s *Startup) isPast(ctx context.Context, ids []string) (bool, error) {
	list, err := s.command(ctx, "breakpoint list "+strings.Join(ids, " "))
	if err != nil {
		return false, err
	}
	registers, err := s.command(ctx, "register read pc sp")
	if err != nil {
		return false, err
	}
	pc, sp := parseHex(pcRegister, registers), parseHex(spRegister, registers)
	region, err := s.command(ctx, fmt.Sprintf("memory region %#x", sp))
	if err != nil {
		return false, err
	}
	end := parseHex(regionEnd, region)
	if sp == 0 || end <= sp {
		return false, nil
	}
	stack, err := s.command(ctx, fmt.Sprintf("memory read --force --format x --size 8 --count %d %#x", min(end-sp, maxStack)/8, sp))
	if err != nil {
		return false, err
	}
	places := placeAddress.FindAllStringSubmatch(list, -1)
	for _, place := range places {
		function, err := s.command(ctx, "image lookup --verbose --address 0x"+place[1])
		if err != nil || !isInside(function, pc, stack) {
			return false, err
		}
	}
	return len(places) > 0, nil
}

// isInside reports whether the thread with this program counter and these words
// on its stack is in a function, or in one that it has called. The address of the
// function itself is no sign of that: libc keeps main's on the stack to call it.
func isInside(function string, pc uint64, stack string) bool {
	bounds := symbolRange.FindStringSubmatch(function)
	if bounds == nil {
		return false
	}
	from, _ := strconv.ParseUint(bounds[1], 16, 64)
	to, _ := strconv.ParseUint(bounds[2], 16, 64)
	if pc >= from && pc < to {
		return true
	}
	for _, word := range stackWord.FindAllStringSubmatch(stack, -1) {
		if w, err := strconv.ParseUint(word[1], 16, 64); err == nil && w > from && w <= to {
			return true
		}
	}
	return false
}

// parseHex is the first group of what matches; 0 if nothing does.
func parseHex(pattern *regexp.Regexp, text string) uint64 {
	match := pattern.FindStringSubmatch(text)
	if match == nil {
		return 0
	}
	n, _ := strconv.ParseUint(match[1], 16, 64)
	return n
}
