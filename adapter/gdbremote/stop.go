package gdbremote

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// Stop is a parsed stop reply (GDB manual, appendix E.3 "Stop Reply Packets",
// with LLDB's `reason` key, lldb/docs/resources/lldbgdbremote.md).
type Stop struct {
	// Signal is the number after T or S; 0 for an exit.
	Signal int
	// Reason is LLDB's reason key: "signal", "exec", "trap", "breakpoint", …
	Reason string
	// Thread is the thread the stop is about, as the server spells it.
	Thread string
	// Exited is set for W (exit status) and X (signal); Status then holds
	// the number.
	Exited, Signalled bool
	Status            int
	// Err is the text of an E reply.
	Err string
}

// ParseStop reads a stop reply or an error reply; ok is false for any other packet.
func ParseStop(payload []byte) (s Stop, ok bool) {
	if len(payload) < 3 {
		return s, false
	}
	code, err := strconv.ParseUint(string(payload[1:3]), 16, 8)
	if err != nil {
		return s, false
	}
	switch payload[0] {
	case 'T', 'S':
		s.Signal = int(code)
		rest := payload[3:]
		s.Reason, _ = field(rest, "reason")
		s.Thread, _ = field(rest, "thread")
		return s, true
	case 'W', 'X':
		s.Exited, s.Signalled, s.Status = true, payload[0] == 'X', int(code)
		return s, true
	case 'E':
		s.Err = fmt.Sprintf("E%02x", code)
		// QEnableErrorStrings: the text follows in hex.
		if _, text, found := bytes.Cut(payload, []byte{';'}); found {
			if b, err := hex.DecodeString(string(text)); err == nil {
				s.Err = strings.TrimSpace(string(b))
			}
		}
		return s, true
	}
	return s, false
}

// PID is the process of the stop: LLDB's thread ids are kernel thread ids and
// the first thread of a process has the id of the process. 0 when unknown.
func (s Stop) PID() int {
	t := s.Thread
	if p, ok := strings.CutPrefix(t, "p"); ok { // multiprocess syntax pPID.TID
		t, _, _ = strings.Cut(p, ".")
	}
	n, err := strconv.ParseInt(t, 16, 32)
	if err != nil || n < 0 { // -1 stands for all threads
		return 0
	}
	return int(n)
}
