package gdbremote

import (
	"bytes"
	"strconv"
	"strings"
)

// cache is what the debug server has said of a process that stands still, and that it
// would say again: regions of the address space until the process runs, and with a
// companion every answer until something is written as well.
type cache struct {
	regions []region
	answers map[string]string // by the question; nil without a companion
	written bool              // something was since the stop, so that answers were dropped
	before  []uint64          // where regions began that were dropped by it
}

// region is a part of the process's address space, as the debug server has told it.
type region struct {
	start, size uint64
	executable  bool
	reply       string
}

// regionQuery is how a client asks for the region around an address.
const regionQuery = "qMemoryRegionInfo:"

// maxAnswers bounds the answers that are kept. A client that reads that many different
// things at one stop asks for the rest itself.
const maxAnswers = 4096

// parseRegion reads the answer to qMemoryRegionInfo ("Extensions to the GDB Remote
// Protocol" in LLDB's documentation). It accepts only a region that is mapped, because
// what a debug server says of a gap may begin at the address that was asked for.
func parseRegion(reply string) (region, bool) {
	r := region{reply: reply}
	var mapped bool
	for field := range strings.SplitSeq(reply, ";") {
		name, value, _ := strings.Cut(field, ":")
		var err error
		switch name {
		case "start":
			r.start, err = strconv.ParseUint(value, 16, 64)
		case "size":
			r.size, err = strconv.ParseUint(value, 16, 64)
		case "permissions":
			mapped, r.executable = value != "", strings.Contains(value, "x")
		case "error":
			return region{}, false
		}
		if err != nil {
			return region{}, false
		}
	}
	return r, mapped && r.size > 0
}

// answer is the known answer to a question.
func (k *cache) answer(question []byte) (reply string, known bool) {
	if reply, known = k.answers[string(question)]; known {
		return reply, true
	}
	at, ok := bytes.CutPrefix(question, []byte(regionQuery))
	if !ok {
		return "", false
	}
	r, known := k.regionAt(string(at))
	return r.reply, known
}

// regionAt is the known region around an address in hex.
func (k *cache) regionAt(hex string) (region, bool) {
	at, err := strconv.ParseUint(hex, 16, 64)
	if err != nil {
		return region{}, false
	}
	for _, r := range k.regions {
		if r.start <= at && at-r.start < r.size {
			return r, true
		}
	}
	return region{}, false
}

// keep notes an answer of the debug server's.
func (k *cache) keep(question, reply string) {
	if strings.HasPrefix(question, regionQuery) {
		if r, ok := parseRegion(reply); ok {
			if _, known := k.regionAt(strings.TrimPrefix(question, regionQuery)); !known {
				k.regions = append(k.regions, r)
			}
			return
		}
	}
	if k.answers != nil && len(k.answers) < maxAnswers {
		k.answers[question] = reply
	}
}

// forget drops everything: the process may have run.
func (k *cache) forget() {
	k.regions, k.written, k.before = nil, false, nil
	clear(k.answers)
}

// sent drops what is not certain any more once the debug server has a packet. It knows
// those that LLDB sends at a stop and that leave the address space as it is; _M, for one,
// is not among them. Breakpoints change nothing that can be asked for: lldb-server shows
// memory without them.
func (k *cache) sent(payload []byte) {
	var first byte
	if len(payload) > 0 {
		first = payload[0]
	}
	switch {
	case bytes.IndexByte([]byte("xmZzpgHqj"), first) >= 0, bytes.HasPrefix(payload, []byte("QSaveRegisterState")):
	case bytes.IndexByte([]byte("MXPG"), first) >= 0, bytes.HasPrefix(payload, []byte("QRestoreRegisterState")):
		clear(k.answers)
		k.written = true
	case first == '_': // _M and _m map and unmap memory
		before := k.before
		for _, r := range k.regions {
			before = append(before, r.start)
		}
		k.forget()
		k.written, k.before = true, before
	default:
		k.forget()
	}
}

// isQuestion says of a client's packet that its answer stays true while the process
// stands still and nothing is written, whatever else is asked. p and g without a thread
// are not among them: they mean the one that H has chosen.
func isQuestion(payload []byte) bool {
	for _, prefix := range []string{regionQuery, "jThreadsInfo", "qShlibInfoAddr", "qXfer:libraries-svr4:read:", "qXfer:auxv:read:",
		"qXfer:features:read:", "qProcessInfo", "qOffsets", "qStructuredDataPlugins", "qSymbol::", "jThreadExtendedInfo:"} {
		if bytes.HasPrefix(payload, []byte(prefix)) {
			return !bytes.HasPrefix(payload, []byte("qProcessInfoPID"))
		}
	}
	switch {
	case len(payload) == 0:
		return false
	case payload[0] == 'x', payload[0] == 'm' && !bytes.HasPrefix(payload, []byte("memory")):
		return true
	case payload[0] == 'p':
		return bytes.Contains(payload, []byte(";thread:"))
	}
	return false
}
