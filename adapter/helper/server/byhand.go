//go:build linux

package server

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/envoydbg/envoydbg/adapter/gdbremote"
	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/internal/process"
)

// An lldb-server platform that somebody has started by hand, in place of the session's
// own. Its processes may have another user and are no descendants of this one: they are
// neither signalled nor looked at. What is asked of it is asked in gdb-remote, in the
// way that LLDB does.

// Bounds of the conversation with a platform that was started by hand.
const (
	dialBound = 5 * time.Second // a connection to it
	askBound  = 5 * time.Second // each answer
)

// platformConnect looks at the platform that listens at an address, and makes it the
// session's. It decides nothing: the adapter knows what fits.
func (s *session) platformConnect(ctx context.Context, p helper.PlatformConnectParams) (helper.PlatformConnectResult, error) {
	var r helper.PlatformConnectResult
	d := net.Dialer{Timeout: dialBound}
	conn, err := d.DialContext(ctx, "tcp", p.Address)
	if err != nil {
		return r, fail(helper.CodeUnreached, "%v", err)
	}
	defer conn.Close()
	q := &questions{conn: conn, in: gdbremote.NewReader(conn)}
	if answer, err := q.ask("QStartNoAckMode"); err != nil || answer != "OK" {
		return r, fail(helper.CodeNoPlatform, "it does not speak gdb-remote (%q, %v)", answer, err)
	}
	if _, err := io.WriteString(conn, "+"); err != nil { // for that answer, and no other
		return r, fail(helper.CodeNoPlatform, "%v", err)
	}
	// Only a platform has a word for the debug servers that it may start.
	if answer, err := q.ask("qQueryGDBServer"); err != nil || answer == "" {
		return r, fail(helper.CodeNoPlatform, "it is a debug server for one process (gdbserver) (%v)", err)
	}
	r.Machine = q.machine()
	r.Processes, r.Seen = q.seesProcesses()
	r.Files = q.seesFile(s.private())
	if r.Processes && r.Files {
		r.Version = q.version()
	}
	if q.err != nil {
		return r, fail(helper.CodeNoPlatform, "it does not answer: %v", q.err)
	}
	s.hand.Store(newByHand(p))
	return r, nil
}

// questions are asked one after the other; the first error ends them.
type questions struct {
	conn net.Conn
	in   *gdbremote.Reader
	err  error
}

// ask returns the answer to one packet.
func (q *questions) ask(packet string) (string, error) {
	if q.err == nil {
		q.err = q.conn.SetDeadline(time.Now().Add(askBound))
	}
	if q.err == nil {
		_, q.err = q.conn.Write(gdbremote.Encode(packet))
	}
	for q.err == nil {
		f, err := q.in.Next()
		if q.err = err; err == nil && f.Kind == gdbremote.KindPacket {
			return string(f.Payload), nil
		}
		if err == nil && f.Kind != gdbremote.KindAck {
			q.err = fmt.Errorf("%q is no answer", f.Raw)
		}
	}
	return "", q.err
}

// fieldOf is the value of `key:value;` in an answer.
func fieldOf(answer, key string) string {
	for part := range strings.SplitSeq(answer, ";") {
		if k, v, _ := strings.Cut(part, ":"); k == key {
			return v
		}
	}
	return ""
}

// unhex is a text that was sent as hex digits.
func unhex(s string) string {
	b, _ := hex.DecodeString(s)
	return string(b)
}

// machine is the GOARCH of the platform's machine; what is none is as LLDB calls it.
func (q *questions) machine() string {
	answer, _ := q.ask("qHostInfo")
	arch, _, _ := strings.Cut(unhex(fieldOf(answer, "triple")), "-")
	switch arch {
	case "x86_64":
		return "amd64"
	case "aarch64", "arm64":
		return "arm64"
	}
	return arch
}

// seesProcesses says whether the platform sees the processes of this PID namespace, by
// the program and the parent of this process, and is in that namespace itself: it may have
// its /proc alone. What it sees under this process id is the evidence.
func (q *questions) seesProcesses() (bool, string) {
	if !q.seesFile("/proc/self") {
		return false, "processes of a namespace that it is not in"
	}
	answer, _ := q.ask(fmt.Sprintf("qProcessInfoPID:%d", os.Getpid()))
	name, parent := unhex(fieldOf(answer, "name")), fieldOf(answer, "ppid")
	if parent == "" {
		return false, "no process"
	}
	self, err := process.Read(os.Getpid())
	return err == nil && name == exe(os.Getpid()) && parent == itoa(self.Parent), name
}

// seesFile says whether a path leads to something there.
func (q *questions) seesFile(path string) bool {
	answer, _ := q.ask("vFile:exists:" + hex.EncodeToString([]byte(path)))
	return answer == "F,1"
}

// Reading the platform's program.
const (
	readAtOnce = 64 << 10        // bytes
	readBound  = 5 * time.Second // all of it; Debian's has 4 MB
)

var programVersion = regexp.MustCompile(`lldb version (\d+(?:\.\d+)+)`)

// version reads the platform's program for its version, which no packet tells: lldb-server
// answers qGDBServerVersion with nothing, and those of LLDB 19 and 22 have the same
// features. It is empty where that is not found.
func (q *questions) version() string {
	answer, _ := q.ask("vFile:open:" + hex.EncodeToString([]byte("/proc/self/exe")) + ",0,0")
	fd, opened := strings.CutPrefix(answer, "F")
	if !opened || strings.HasPrefix(fd, "-1") {
		return ""
	}
	defer func() { _, _ = q.ask("vFile:close:" + fd) }()
	end := "" // of the piece before
	late := time.Now().Add(readBound)
	for at := int64(0); time.Now().Before(late); {
		answer, _ := q.ask(fmt.Sprintf("vFile:pread:%s,%x,%x", fd, readAtOnce, at))
		count, piece, _ := strings.Cut(strings.TrimPrefix(answer, "F"), ";")
		n, err := strconv.ParseInt(count, 16, 64)
		if err != nil || n <= 0 {
			return ""
		}
		if m := programVersion.FindStringSubmatch(end + piece); m != nil {
			return m[1]
		}
		end = piece[max(0, len(piece)-64):]
		at += n
	}
	return ""
}

// errStillWaits is for a debug server that cannot be made to end.
var errStillWaits = errors.New("a debug server of the lldb-server that was started by hand still waits for Envoy; end that lldb-server and its children")
