package gdbremote

import (
	"bytes"
	"encoding/hex"
	"strings"
)

// request is a request of which the relay must know what its answer means.
type request int

const (
	requestOther        request = iota
	requestRead                 // x: answered by bytes of memory, which may look like anything
	requestRun                  // vCont and its like: answered by a stop reply, after any console output
	requestStatus               // ?, vStopped: answered by a stop reply
	requestAttach               // an attach that the relay only passes on: answered by a stop reply
	requestAwaited              // the session's own attach
	requestDetach               // D
	requestKill                 // k, vKill
	requestLaunchServer         // qLaunchGDBServer
	requestNoAck                // QStartNoAckMode
	requestNonStop              // QNonStop
	requestThreads              // jThreadsInfo, qThreadStopInfo: answered by why each thread stopped

	// The relay's own requests; the client does not see the answers.
	requestSkip    // vCont, on the way from the attach to the exec
	requestRelease // D, for a process that was not admitted
	requestSettle  // qC, after which all that came before it has been done
)

// waitsForStop reports whether a stop reply answers the request, and console
// output does not.
func (r request) waitsForStop() bool {
	switch r {
	case requestRun, requestStatus, requestAttach, requestAwaited, requestSkip:
		return true
	}
	return false
}

// classify reads a client's request (GDB manual, appendix E.2 "Packets", and
// E.4 "General Query Packets"). name is set for an attach by name.
func classify(payload []byte) (kind request, arming Arming) {
	has := func(prefix string) bool { return bytes.HasPrefix(payload, []byte(prefix)) }
	if arming, ok := parseAttach(payload); ok {
		return requestAttach, arming
	}
	switch {
	case has("vCont;"), has("vRun;"), has("c"), has("C"), has("s"), has("S"):
		return requestRun, arming
	case string(payload) == "?", string(payload) == "vStopped":
		return requestStatus, arming
	case has("D"):
		return requestDetach, arming
	case string(payload) == "k", has("vKill;"):
		return requestKill, arming
	case has("x"), has("jTraceGetBinaryData"), has("jLLDBTraceGetBinaryData"):
		return requestRead, arming
	case has("qLaunchGDBServer"):
		return requestLaunchServer, arming
	case has("QNonStop"):
		return requestNonStop, arming
	case has("jThreadsInfo"), has("qThreadStopInfo"):
		return requestThreads, arming
	case string(payload) == noAckMode:
		return requestNoAck, arming
	}
	return requestOther, arming
}

// parseAttach recognises the attach packets ("Extensions to the GDB Remote
// Protocol" in LLDB's documentation).
func parseAttach(payload []byte) (Arming, bool) {
	if len(payload) > maxAttach {
		return Arming{}, false
	}
	packet, arg, ok := strings.Cut(string(payload), ";")
	if !ok {
		return Arming{}, false
	}
	switch packet {
	case "vAttachWait", "vAttachOrWait", "vAttachName":
		name, err := hex.DecodeString(arg)
		if err != nil {
			return Arming{}, false
		}
		return Arming{Packet: packet, Name: string(name)}, true
	case "vAttach":
		return Arming{Packet: packet}, true
	}
	return Arming{}, false
}

// maxAttach bounds an attach packet: a name of NAME_MAX bytes in hex, and more.
const maxAttach = 8 << 10
