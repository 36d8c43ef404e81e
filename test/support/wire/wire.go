package wire

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// said is one request of LLDB to its debug server.
type said struct {
	at   time.Duration // on the trace's clock
	kind string
}

// Wire is what a session's trace has of the connections to the debug server, and when
// DAP messages that divide it passed.
type Wire struct {
	requests []said
	dap      []dapAt
}

type dapAt struct {
	at         time.Duration
	fromClient bool
	text       string
}

// traced matches a line of the trace: its time, who, and what.
var traced = regexp.MustCompile(`^\d\d:\d\d:\d\d +([0-9.]+) ms  (client|gdb \S+) +(→|←) +(.*)$`)

// Read reads a trace. A request that the next one of its connection follows without
// an answer of the debug server's was not sent to it: the relay has answered.
func Read(path string) (*Wire, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	w := &Wire{}
	asked := map[string]said{} // by connection
	for line := range strings.Lines(string(text)) {
		m := traced.FindStringSubmatch(strings.TrimRight(line, "\n"))
		if m == nil {
			continue
		}
		millis, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			return nil, err
		}
		at := time.Duration(millis * float64(time.Millisecond))
		if m[2] == "client" {
			w.dap = append(w.dap, dapAt{at, m[3] == "→", m[4]})
			continue
		}
		if strings.HasPrefix(m[4], `"%`) { // between the relay and its companion
			continue
		}
		if m[3] == "→" {
			delete(asked, m[2])
			if kind := kindOf(m[4]); kind != "" {
				asked[m[2]] = said{at, kind}
			}
		} else if request, ok := asked[m[2]]; ok {
			delete(asked, m[2])
			w.requests = append(w.requests, request)
		}
	}
	if len(w.requests) == 0 {
		return nil, fmt.Errorf("%s has no packets", path)
	}
	return w, nil
}

// kinds with a name after a colon that tells what they do.
var kinds = regexp.MustCompile(`^(qXfer:[a-z0-9-]+|vFile:[a-z]+|vCont;[a-zA-Z]|[Zz]\d|[xmMpP]|_M|_m|[A-Za-z]+)`)

// kindOf is the name of a packet in a line of the trace, without its arguments; empty
// for what is no packet.
func kindOf(quoted string) string {
	packet, err := strconv.Unquote(quoted)
	if err != nil || !strings.HasPrefix(packet, "$") {
		return ""
	}
	packet = packet[1:]
	switch {
	case strings.HasPrefix(packet, "vCont?"), strings.HasPrefix(packet, "?"):
		return packet[:strings.Index(packet, "?")+1]
	case packet[0] == 'x' || packet[0] == 'm' && !strings.HasPrefix(packet, "memory") || packet[0] == 'M':
		return packet[:1]
	case packet[0] == 'p' || packet[0] == 'P' || packet[0] == 'H':
		return packet[:1]
	}
	return kinds.FindString(packet)
}

// During are the requests of that time, by their kinds.
func (w *Wire) During(from, to time.Duration) map[string]int {
	n := map[string]int{}
	for _, r := range w.requests {
		if from <= r.at && r.at <= to {
			n[r.kind]++
		}
	}
	return n
}

// First is the time of the first DAP message after from that contains all of the texts.
func (w *Wire) First(from time.Duration, fromClient bool, texts ...string) (time.Duration, bool) {
	for _, m := range w.dap {
		if m.at < from || m.fromClient != fromClient {
			continue
		}
		if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(m.text, text) }) {
			return m.at, true
		}
	}
	return 0, false
}

// Total is the number of all.
func Total(n map[string]int) (sum int) {
	for _, count := range n {
		sum += count
	}
	return sum
}

// ByCount lists kinds and their numbers, the most frequent first.
func ByCount(n map[string]int) string {
	kinds := slices.SortedFunc(maps.Keys(n), func(a, b string) int {
		if n[a] != n[b] {
			return n[b] - n[a]
		}
		return strings.Compare(a, b)
	})
	var parts []string
	for _, kind := range kinds {
		parts = append(parts, fmt.Sprintf("%d %s", n[kind], kind))
	}
	return strings.Join(parts, ", ")
}
