package gdbremote

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A connection at whose other end, beside the debug server, a companion sits
// (adapter/helper/companion) takes no round trip for what can be asked there. Relay and
// companion speak by notifications in the stream of packets, which neither LLDB nor the
// debug server sees:
//
//	relay → companion
//	%Ahead:QUESTION|QUESTION…   what to ask at each stop from now on, besides what
//	                            the companion knows of itself; none for nothing at all.
//	                            A * in it is the thread that has stopped
//	%Now:QUESTION|QUESTION…     ask this now
//	%Do:PACKET                  have this done: its answer is to be OK
//
//	companion → relay
//	%Pair:LENGTH,QUESTIONANSWER before the stop, or the answer, that follows; LENGTH
//	                            of the question in hex
//	%Refused:LENGTH,PACKETANSWER  what was to be done was not
//	%Held                       answers a resume: it was not passed on, because something
//	                            before it was refused
//
// Questions and answers are packets without their frame, escaped as they were.
const (
	MarkAhead   = "Ahead:"
	MarkNow     = "Now:"
	MarkDo      = "Do:"
	MarkPair    = "Pair:"
	MarkRefused = "Refused:"
	MarkHeld    = "Held"
)

// noAckMode ends the acknowledgements of packets. The client need not wait for it, because
// lldb-server knows it; from a debug server that does not, the companion parts.
const noAckMode = "QStartNoAckMode"

// Accompanied is a [Conn] to a companion.
type Accompanied interface {
	Conn
	// Accompanied does nothing; it tells this connection from others.
	Accompanied()
}

// Notification frames a payload that needs no escaping as a notification.
func Notification(payload string) []byte {
	return fmt.Appendf(nil, "%%%s#%02x", payload, checksum([]byte(payload)))
}

// Pair is the notification of an answer; mark is MarkPair or MarkRefused.
func Pair(mark, question, answer string) []byte {
	return Notification(mark + strconv.FormatInt(int64(len(question)), 16) + "," + question + answer)
}

// parsePair reads what follows the mark.
func parsePair(text string) (question, answer string, ok bool) {
	length, rest, ok := strings.Cut(text, ",")
	n, err := strconv.ParseUint(length, 16, 31)
	if !ok || err != nil || n > uint64(len(rest)) {
		return "", "", false
	}
	return rest[:n], rest[n:], true
}

// separator is between questions. A question that contains it is not asked ahead.
const separator = "|"

// Questions are those of MarkAhead or MarkNow.
func Questions(text string) []string {
	return slices.DeleteFunc(strings.Split(text, separator), func(q string) bool { return q == "" })
}

// Resumes says of a client's packet that a stop answers it.
func Resumes(payload []byte) bool {
	kind, _ := classify(payload)
	return kind == requestRun || kind == requestAttach
}

// greeting is what LLDB 19 and 22 send to a debug server, one after the other, when they
// have said qSupported and before they attach.
var greeting = []string{"QThreadSuffixSupported", "QListThreadsInStopReply", "qHostInfo", "vCont?", "qVAttachOrWaitSupported",
	"QEnableErrorStrings", "qProcessInfo", "qC", "qfThreadInfo", "QSetDetachOnError:1"}

// greeter begins the qSupported of such an LLDB.
const greeter = "qSupported:xmlRegisters=i386,arm,mips,arc;multiprocess+"

// once is what both ask about the process that they have attached to, and then never
// again; acquaintance is all that they ask then.
var (
	once = []string{"qProcessInfo", "qXfer:features:read:target.xml:0,131071", "qOffsets", "qStructuredDataPlugins",
		"qXfer:auxv:read::0,131071", "x0,0", "qSymbol::"}
	acquaintance = append(slices.Clone(once), "qShlibInfoAddr", "qXfer:libraries-svr4:read::0,131071", "jThreadsInfo",
		"jThreadExtendedInfo:", "p0;thread:*;")
)

// habits are what the client asks at its stops, the latest last.
type habits struct {
	all  []habit
	told string // the list that the companion has
}

type habit struct {
	question string
	age      int // resumes since it was asked
}

// threadsQuery is asked at every stop, however many threads there are.
const threadsQuery = "jThreadsInfo"

// Bounds of habits. LLDB stops twice and more for one step of the user's, and asks other
// things at each of these stops.
const (
	habitAge    = 8
	habitMax    = 24
	habitAnswer = 8 << 10 // bytes; a longer answer is asked for when it is wanted
)

// asked notes a question and its answer.
func (h *habits) asked(question, answer string) {
	if len(answer) > habitAnswer && question != threadsQuery || strings.Contains(question, separator) || slices.Contains(once, question) {
		return
	}
	h.all = slices.DeleteFunc(h.all, func(old habit) bool { return old.question == question })
	if h.all = append(h.all, habit{question: question}); len(h.all) > habitMax {
		h.all = h.all[1:]
	}
}

// resumed is what to tell the companion before a resume; nil for nothing.
func (h *habits) resumed() []byte {
	questions := make([]string, len(h.all))
	for i, one := range h.all {
		questions[i] = one.question
	}
	for i := range h.all {
		h.all[i].age++
	}
	h.all = slices.DeleteFunc(h.all, func(one habit) bool { return one.age > habitAge })
	return h.tell(questions)
}

// tell is the notification of what to ask; nil if the companion knows it.
func (h *habits) tell(questions []string) []byte {
	list := MarkAhead + strings.Join(questions, separator)
	if list == h.told {
		return nil
	}
	h.told = list
	return Notification(list)
}

// takeAlong is for a question that goes to the server after something was written: what
// the client is in the habit of asking is asked as well, so that its answers come first.
func (c *conversation) takeAlong(payload []byte) []byte {
	if !c.far || !c.ours || !c.noAck || c.nonStop || !c.known.written || len(c.pending) > 0 || !isQuestion(payload) {
		return nil
	}
	var questions []string
	for _, start := range c.known.before {
		questions = append(questions, fmt.Sprintf("%s%x", regionQuery, start))
	}
	c.known.written, c.known.before = false, nil
	for _, one := range c.habits.all {
		if _, known := c.known.answer([]byte(one.question)); !known && one.question != string(payload) {
			questions = append(questions, one.question)
		}
	}
	if questions == nil {
		return nil
	}
	return Notification(MarkNow + strings.Join(questions, separator))
}

// fromCompanion reads a notification of the companion's; ok is false for one of the
// debug server's.
func (c *conversation) fromCompanion(payload []byte) (s step, ok bool) {
	if !c.far {
		return s, false
	}
	if text, is := bytes.CutPrefix(payload, []byte(MarkPair)); is {
		if question, answer, ok := parsePair(string(text)); ok && c.host != nil {
			c.host.keep(question, answer)
		} else if ok && c.waits && !c.nonStop {
			c.known.keep(question, answer)
		}
		return s, true
	}
	if text, is := bytes.CutPrefix(payload, []byte(MarkRefused)); is {
		packet, answer, _ := parsePair(string(text))
		if at, isInsert := strings.CutPrefix(packet, "Z0,"); isInsert {
			delete(c.planted, at)
			c.absent[at] = true
		}
		refused, _ := ParseStop([]byte(answer))
		c.undone = append(c.undone, Refused{inWords(packet), refused.Err})
		return s, true
	}
	if string(payload) == MarkHeld {
		return c.held(), true
	}
	return s, false
}

// Refused is what the debug server did not do after the client had been told that it
// would.
type Refused struct {
	// What it is, in words that begin a sentence.
	What string
	// Err is what the debug server answered.
	Err string
}

// inWords is what a packet of [MarkDo] does.
func inWords(packet string) string {
	at, _, _ := strings.Cut(packet[min(3, len(packet)):], ",")
	switch {
	case strings.HasPrefix(packet, "Z"):
		return "Setting the breakpoint at 0x" + at
	case strings.HasPrefix(packet, "z"):
		return "Removing the breakpoint at 0x" + at
	case strings.HasPrefix(packet, "M"):
		at, _, _ := strings.Cut(packet[1:], ",")
		return "Writing the memory at 0x" + at
	}
	if strings.HasPrefix(packet, "QPassSignals") {
		return "Passing signals on"
	}
	return "Writing a register"
}

// held answers a resume that was not passed on with where the process still stands. An
// exception is a stop that LLDB always shows, with its description.
func (c *conversation) held() step {
	undone := c.undone
	if len(c.pending) == 0 || c.pending[0] != requestRun || len(undone) == 0 {
		return step{}
	}
	c.undone = nil
	c.pop()
	stop, _ := ParseStop([]byte(c.lastStop))
	c.attachReason = stop.Reason
	reason := "reason:" + stop.Reason + ";"
	text := hex.EncodeToString([]byte(undone[0].What + " has failed"))
	return step{answer: strings.Replace(c.lastStop, reason, "reason:exception;description:"+text+";", 1), refused: undone}
}

// promise handles a client's packet that need not wait for its answer, which is OK: a
// breakpoint in code that is known to be mapped, or one that is known to be there;
// memory that is known to be mapped, and registers. The companion sees to it that all of
// it has been done before the process is resumed.
func (c *conversation) promise(payload []byte) (s step, ok bool) {
	if !c.far || !c.ours || !c.noAck || c.nonStop || c.taken || len(c.pending) > 0 {
		return s, false
	}
	packet := string(payload)
	switch {
	case strings.HasPrefix(packet, "Z0,") && !strings.Contains(packet, ";"): // without a condition
		at := packet[3:]
		address, _, _ := strings.Cut(at, ",")
		if r, known := c.known.regionAt(address); !known || !r.executable {
			c.habits.asked(regionQuery+address, "")
			return s, false
		}
		c.planted[at] = true
		delete(c.absent, at)
	case strings.HasPrefix(packet, "z0,"):
		at := packet[3:]
		if c.absent[at] {
			delete(c.absent, at)
			return step{answer: "OK"}, true
		}
		if !c.planted[at] {
			return s, false
		}
		delete(c.planted, at)
	case strings.HasPrefix(packet, "M"):
		address, rest, _ := strings.Cut(packet[1:], ",")
		size, _, _ := strings.Cut(rest, ":")
		n, err := strconv.ParseUint(size, 16, 64)
		at, err2 := strconv.ParseUint(address, 16, 64)
		r, known := c.known.regionAt(address)
		if err != nil || err2 != nil || !known || n > r.size-(at-r.start) {
			return s, false
		}
	case strings.HasPrefix(packet, "P") && strings.Contains(packet, ";thread:"), strings.HasPrefix(packet, "QPassSignals:"):
	default:
		return s, false
	}
	return step{notice: Notification(MarkDo + packet), answer: "OK"}, true
}
