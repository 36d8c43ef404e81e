package gdbremote

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// Stop is a parsed stop reply (GDB manual, appendix E.3 "Stop Reply Packets",
// with the keys of "Extensions to the GDB Remote Protocol" in LLDB's documentation).
type Stop struct {
	// Signal is the number after T or S; 0 for an exit.
	Signal int
	// Reason is LLDB's reason key: "signal", "exec", "trap", "breakpoint", …
	Reason string
	// Thread is the thread the stop is about, as the server spells it.
	Thread string
	// PCs are the program counters of all threads, as the server spells them;
	// empty unless the client has asked for them (QListThreadsInStopReply).
	PCs string
	// Exit is set for W and X.
	Exit *Exit
	// Err is the text of an E reply.
	Err string
}

// Exit is how a process ended: by exit (W) or by a signal (X).
type Exit struct {
	Signalled bool
	Status    int // exit status, or the signal's number
	PID       int // 0 when the server does not say
}

// String says it for an error or a trace.
func (e Exit) String() string {
	if e.Signalled {
		return fmt.Sprintf("signal %d", e.Status)
	}
	return fmt.Sprintf("exit status %d", e.Status)
}

// ParseStop reads a stop reply or an error reply; ok is false for any other packet.
func ParseStop(payload []byte) (s Stop, ok bool) {
	if len(payload) < 3 {
		return s, false
	}
	if text, ok := bytes.CutPrefix(payload, []byte("E.")); ok { // GDB's form
		return Stop{Err: strings.TrimSpace(string(text))}, true
	}
	code, err := strconv.ParseUint(string(payload[1:3]), 16, 8)
	if err != nil {
		return s, false
	}
	rest := payload[3:]
	switch payload[0] {
	case 'T', 'S':
		s.Signal = int(code)
		s.Reason, _ = field(rest, "reason")
		s.Thread, _ = field(rest, "thread")
		s.PCs, _ = field(rest, "thread-pcs")
		return s, true
	case 'W', 'X':
		pid, hasPID := bytes.CutPrefix(rest, []byte(";process:"))
		if !hasPID && len(rest) > 0 {
			return s, false
		}
		s.Exit = &Exit{Signalled: payload[0] == 'X', Status: int(code), PID: parsePID(string(pid))}
		return s, true
	case 'E':
		if len(rest) > 0 && rest[0] != ';' {
			return s, false
		}
		s.Err = fmt.Sprintf("E%02x", code)
		// QEnableErrorStrings: the text follows in hex.
		if len(rest) > 0 {
			if b, err := hex.DecodeString(string(rest[1:])); err == nil {
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
	return parsePID(t)
}

// parsePID reads a process id in hex; 0 for none, and for -1, which stands for all.
func parsePID(s string) int {
	n, err := strconv.ParseInt(s, 16, 32)
	if err != nil || n < 0 {
		return 0
	}
	return int(n)
}

// Register is the value of a register that a stop reply of a little-endian machine has,
// by the debug server's number of it.
func Register(stop []byte, number int) (uint64, bool) {
	if len(stop) < 3 {
		return 0, false
	}
	text, ok := field(stop[3:], fmt.Sprintf("%02x", number))
	if !ok {
		return 0, false
	}
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != 8 {
		return 0, false
	}
	return binary.LittleEndian.Uint64(b), true
}
