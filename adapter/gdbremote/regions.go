package gdbremote

import (
	"bytes"
	"strconv"
	"strings"
)

// region is a part of the process's address space, as the debug server has told it.
type region struct {
	start, size uint64
	reply       string
}

// regionQuery is how a client asks for the region around an address.
const regionQuery = "qMemoryRegionInfo:"

// parseRegion reads the answer to qMemoryRegionInfo ("Extensions to the GDB Remote
// Protocol" in LLDB's documentation). It accepts only a region that is mapped, because
// what a debug server says of a gap may begin at the address that was asked for.
func parseRegion(reply []byte) (region, bool) {
	r := region{reply: string(reply)}
	var mapped bool
	for field := range strings.SplitSeq(r.reply, ";") {
		name, value, _ := strings.Cut(field, ":")
		var err error
		switch name {
		case "start":
			r.start, err = strconv.ParseUint(value, 16, 64)
		case "size":
			r.size, err = strconv.ParseUint(value, 16, 64)
		case "permissions":
			mapped = value != ""
		case "error":
			return region{}, false
		}
		if err != nil {
			return region{}, false
		}
	}
	return r, mapped && r.size > 0
}

// regionOf answers a client's question for a region from those that are known.
func (c *conversation) regionOf(payload []byte) (reply string, known bool) {
	at, err := strconv.ParseUint(strings.TrimPrefix(string(payload), regionQuery), 16, 64)
	if err != nil {
		return "", false
	}
	for _, r := range c.regions {
		if r.start <= at && at-r.start < r.size {
			return r.reply, true
		}
	}
	return "", false
}

// keepRegion notes the answer to qMemoryRegionInfo, unless something was sent after the
// question, which may have changed the address space.
func (c *conversation) keepRegion(reply []byte) {
	if !c.ours || !c.noAck || c.nonStop || len(c.pending) > 0 {
		return
	}
	if r, ok := parseRegion(reply); ok {
		c.regions = append(c.regions, r)
	}
}

// leavesRegions says of a client's packet that the process goes on standing still, in
// the same address space. It knows those that LLDB sends at a stop; _M, for one, is not
// among them.
func leavesRegions(payload []byte) bool {
	switch payload[0] {
	case 'x', 'm', 'M', 'X', 'Z', 'z', 'p', 'P', 'g', 'G', 'H', 'q', 'j':
		return true
	}
	return bytes.HasPrefix(payload, []byte("QSaveRegisterState")) || bytes.HasPrefix(payload, []byte("QRestoreRegisterState"))
}
