package gdbremote

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// conversation is what the relay knows of one connection: the requests that are
// not answered yet, and the process that is debugged. It does no I/O: for each
// frame it says what is to be done (a step), and the link does it.
//
// The server answers requests in their order, so the oldest pending request says
// what a packet from the server means:
//
//	oldest request    answer              what the relay does
//	other, read       any packet          passes it on
//	run               T, S                passes it on; if it is the attach's own
//	                                      late SIGSTOP, resumes again instead
//	run, status       W, X                tells Exited, passes it on
//	awaited           E, see isEnding     asks again: the process has ended during the attach
//	awaited, skip     T, S before exec    with SkipToExec: resumes (skip)
//	                  T, S, else          asks Admit, then answers with it (neutral) or sends D (release)
//	                  E, W, X, other      tells Attached with an error, passes it on
//	release           any packet          tells Attached with an error, answers E01
//	threads           any packet          passes it on, neutral while the process stands at the attach
//	a question        any packet          passes it on; answers with it until it may have changed (cache.go)
//	launch            pid, socket_name    listens there itself, answers with its socket
//	detach            E                   the process is still held
//	none              W, X                tells Exited, passes it on
//
// With a companion it also says what is to be told to it, and reads what it tells: see
// ahead.go.
type conversation struct {
	// claim asks whether an attach to this name is the session's own; settle
	// says how it ended. Both are the relay's.
	claim      func(name string) bool
	settle     func(attached bool)
	skipToExec bool

	mu      sync.Mutex
	pending []request // oldest first
	noAck   bool
	ownAcks int // acks of the relay's own packets still to come
	lastOwn []byte
	inPart  bool // the server is in the middle of a long packet

	// wait is the packet of the session's own attach; zombies counts the refusals that
	// may have been processes at their end.
	wait    string
	zombies int
	skipped []string
	refused Attached
	// idle: no process is debugged any more, because it has ended, was let go,
	// or the attach failed, and the client knows. The server may then end the
	// connection.
	idle bool
	// ours: the session's own process is debugged here.
	ours bool
	pid  int // its id; 0 when unknown
	// attachPCs are where the threads stood at the attach, until the process has
	// been resumed and has stopped; resume is the packet that resumed it.
	attachPCs string
	resume    string
	// attachStop is the stop reply that answered the session's own attach; with
	// inPlace it answers the next resume, too.
	attachStop string
	inPlace    bool
	// taken: the client's next detach is not the server's to do.
	taken bool
	// attachReason is why the server says the process stopped at the session's own
	// attach, while it stands there: see neutral.
	attachReason string
	// known is what the server has said since the process has last stopped. In non-stop
	// mode it may change at any time. asking is the only request that is not answered yet.
	known   cache
	asking  string
	nonStop bool

	// With a companion at the other end: what it is told to ask, the last stop reply, the
	// breakpoints that are in the process (ADDRESS,KIND) and those that were refused after
	// the client had been told otherwise, and of these the ones that nobody was told of.
	far      bool
	waits    bool       // the client waits for an answer that pairs may come before
	host     *constants // nil but for a platform
	features [2]string  // the client's qSupported and the answer
	ownOK    bool       // the client's acknowledgement of an OK of the relay's is to come
	habits   habits
	lastStop string
	planted  map[string]bool
	absent   map[string]bool
	undone   []Refused
}

// accompany is for a connection with a companion at its other end. host is nil but for a
// platform.
func (c *conversation) accompany(host *constants) {
	c.far, c.host, c.known.answers = true, host, map[string]string{}
	c.planted, c.absent = map[string]bool{}, map[string]bool{}
}

// maxPending bounds the requests without an answer. LLDB has one, or two after a
// timeout.
const maxPending = 1000

var errTooManyRequests = errors.New("the client has sent 1000 requests without waiting for an answer")

// step is what is to be done with a frame: tell the observer, then write.
type step struct {
	exited   *Exit
	attached *Attached
	arming   *Arming // told after the write
	refused  []Refused

	notice   []byte    // for the companion; written before all else
	pass     bool      // the frame goes on as it came
	redirect bool      // the answer to qLaunchGDBServer goes on with another socket
	answer   string    // this packet goes to the client instead …
	empty    bool      // … even if it is empty: a request that is not known
	acked    bool      // … after an acknowledgement of the request
	own      string    // this packet goes to the server …
	kind     request   // … as this request
	resend   []byte    // these bytes of the relay's go to the server once more
	admit    *Attached // ask whether this process is wanted, then call admitted
	take     bool      // call what lets go of the process, and answer with how that went
}

var passOn = step{pass: true}

const (
	sigtrap = 5
	sigstop = 19
)

// interpretable reports whether the receiver will take the packet: without
// acknowledgements neither LLDB nor lldb-server looks at the checksum.
func (c *conversation) interpretable(f Frame) bool { return f.Valid || c.noAck }

// fromClient is called in the order in which the frames are written to the
// server; of a long packet with its first part only.
func (c *conversation) fromClient(f Frame) (step, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.Kind == KindPart {
		c.known.forget()
		c.asking = ""
		return passOn, c.push(requestOther)
	}
	if f.Kind == KindAck && c.ownOK {
		c.ownOK = false
		return step{}, nil
	}
	if f.Kind == KindInterrupt {
		// The next SIGSTOP is the client's own, wherever the process stands: one that waits
		// in epoll_wait stands where it stood at the attach.
		c.attachPCs = ""
	}
	if f.Kind != KindPacket || !c.interpretable(f) {
		return passOn, nil
	}
	s := passOn
	c.waits = false
	kind, arming := classify(f.Payload)
	if reply, known := c.known.answer(f.Payload); known && len(c.pending) == 0 {
		return step{answer: c.again(kind, string(f.Payload), reply), empty: true}, nil
	}
	if reply, known := c.always(string(f.Payload)); known && len(c.pending) == 0 {
		return step{answer: reply, empty: true}, nil
	}
	c.known.sent(f.Payload)
	c.host.sent(string(f.Payload))
	if s, ok := c.promise(f.Payload); ok {
		return s, nil
	}
	switch kind {
	case requestNonStop:
		c.nonStop = true
	case requestNoAck:
		if c.far && !c.noAck && len(c.pending) == 0 {
			c.noAck, c.ownOK = true, true
			return step{notice: Notification(MarkDo + noAckMode), acked: true, answer: "OK"}, nil
		}
	case requestAttach:
		c.idle, c.ours, c.pid, c.attachPCs = false, false, 0, ""
		if arming.Name != "" && c.claim(arming.Name) {
			kind, c.skipped, c.wait = requestAwaited, nil, string(f.Payload)
			s.arming = &arming
			if c.far && c.noAck && !c.skipToExec {
				s.notice = c.habits.tell(acquaintance)
			}
			c.waits = true
		}
	case requestRun:
		if c.inPlace && c.ours && c.noAck {
			c.inPlace = false
			return step{answer: c.attachStop}, nil
		}
		c.idle, c.attachReason = false, ""
		if c.attachPCs != "" {
			c.resume = string(f.Payload)
		}
		if c.far && c.ours && c.noAck {
			s.notice = c.habits.resumed()
		}
		c.waits = true
	case requestDetach, requestKill:
		_, pid, _ := bytes.Cut(f.Payload, []byte{';'})
		c.idle = c.idle || c.isDebugged(parsePID(string(pid)))
		if kind == requestDetach && c.taken && c.ours && c.noAck && c.idle {
			c.taken, c.ours = false, false
			if c.far { // what the client believes done is to be done by then
				c.pending = append(c.pending, requestSettle)
				return step{notice: Encode("qC")}, nil
			}
			return step{take: true}, nil
		}
		if string(f.Payload) == "k" {
			return s, nil // nobody has to answer it; what comes is the end of the process
		}
	case requestOther:
		switch {
		case !c.far, !c.noAck, len(c.pending) > 0:
		case bytes.HasPrefix(f.Payload, []byte(greeter)) && c.host == nil && c.pid == 0:
			s.notice = Notification(MarkNow + strings.Join(greeting, separator))
			c.waits = true
		default:
			s.notice = c.host.unknown(string(f.Payload))
		}
	}
	if list := c.takeAlong(f.Payload); list != nil {
		s.notice, c.waits = list, true
	}
	return s, c.ask(kind, f.Payload)
}

// again is a known answer as the client is to see it.
func (c *conversation) again(kind request, question, reply string) string {
	c.habit(question, reply)
	if kind == requestThreads {
		return neutral(reply, c.attachReason)
	}
	return reply
}

// always is the known answer to a question that has always the same.
func (c *conversation) always(question string) (reply string, known bool) {
	if c.features[0] != "" && question == c.features[0] {
		return c.features[1], true
	}
	return c.host.answer(question)
}

// habit notes what the client has asked and may ask again at the next stop.
func (c *conversation) habit(question, reply string) {
	if c.far && c.ours {
		c.habits.asked(question, reply)
	}
}

// ask notes a request that is passed on.
func (c *conversation) ask(kind request, payload []byte) error {
	if c.asking = ""; len(c.pending) == 0 && (c.far || bytes.HasPrefix(payload, []byte(regionQuery))) {
		c.asking = string(payload)
	}
	return c.push(kind)
}

func (c *conversation) push(kind request) error {
	if len(c.pending) == maxPending {
		return errTooManyRequests
	}
	c.pending = append(c.pending, kind)
	return nil
}

func (c *conversation) pop() { c.pending = c.pending[:copy(c.pending, c.pending[1:])] }

// isDebugged reports whether pid may be the debugged process; 0 is any.
func (c *conversation) isDebugged(pid int) bool { return pid == 0 || c.pid == 0 || pid == c.pid }

// request notes a request of the relay's own, which is about to be written, and
// returns its bytes. In acknowledged mode they also acknowledge the packet that
// the client does not see.
func (c *conversation) request(packet string, kind request) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	raw := Encode(packet)
	c.known.forget()
	c.asking = ""
	c.pending = append(c.pending, kind)
	if c.noAck {
		if c.far && kind == requestSkip {
			return append(c.habits.tell(acquaintance), raw...)
		}
		return raw
	}
	c.ownAcks++
	c.lastOwn = raw
	return append([]byte("+"), raw...)
}

// fromServer is called for each frame of the server's.
func (c *conversation) fromServer(f Frame) step {
	c.mu.Lock()
	defer c.mu.Unlock()
	firstPart := f.Kind == KindPart && !c.inPart
	c.inPart = f.Kind == KindPart && f.More
	switch f.Kind {
	case KindAck:
		if c.ownAcks > 0 {
			c.ownAcks--
			return step{}
		}
	case KindNack:
		if c.ownAcks > 0 {
			return step{resend: c.lastOwn}
		}
		if n := len(c.pending); n > 0 { // the client will repeat it
			c.pending = c.pending[:n-1]
		}
	case KindNotification:
		if s, ok := c.fromCompanion(f.Payload); ok {
			return s
		}
		if reply, ok := bytes.CutPrefix(f.Payload, []byte("Stop:")); ok && c.interpretable(f) {
			stop, _ := ParseStop(reply)
			return step{pass: true, exited: c.exit(stop)}
		}
	case KindPart: // too long for an answer that means something here
		if firstPart && len(c.pending) > 0 && !c.pending[0].waitsForStop() && c.pending[0] != requestRelease {
			c.pop()
		}
	case KindPacket:
		if c.interpretable(f) {
			return c.packet(f.Payload)
		}
	}
	return passOn
}

// packet reads a packet of the server's by the request that it answers.
func (c *conversation) packet(payload []byte) step {
	stop, isStop := ParseStop(payload)
	if len(c.pending) == 0 {
		return step{pass: true, exited: c.exit(stop)}
	}
	oldest := c.pending[0]
	switch {
	case oldest == requestRelease:
		c.pop()
		if stop.Err != "" {
			c.refused.Err = fmt.Errorf("%w; and the debug server did not let go of it: %s", c.refused.Err, stop.Err)
		}
		return step{attached: &c.refused, answer: "E01"}
	case oldest.waitsForStop() && isOutput(payload):
		return passOn
	case oldest == requestAwaited, oldest == requestSkip:
		c.pop()
		if !isStop {
			stop.Err = fmt.Sprintf("the debug server answers %.100q", payload)
		}
		c.attachStop = string(payload)
		return c.attachAnswer(oldest, stop)
	case oldest.waitsForStop():
		c.pop()
		if c.far && stop.Signal != 0 {
			c.lastStop = string(payload)
		}
		if oldest == requestRun {
			late := c.isAttachsStop(stop)
			c.attachPCs = ""
			if late {
				return step{own: c.resume, kind: requestRun}
			}
		}
		if oldest == requestAttach && stop.Err != "" || stop.Exit != nil && c.isDebugged(stop.Exit.PID) {
			c.idle = true
		}
		return step{pass: true, exited: c.exit(stop)}
	case stop.Exit != nil && oldest != requestRead:
		return step{pass: true, exited: c.exit(stop)} // not an answer: it comes in between
	}
	c.pop()
	if stop.Exit == nil { // an answer, whatever was asked
		c.keep(payload)
	}
	s := passOn
	switch oldest {
	case requestSettle:
		return step{take: true}
	case requestNoAck:
		// The client still acknowledges this OK; from then on nobody does.
		c.noAck = c.noAck || string(payload) == "OK"
	case requestDetach:
		c.idle = c.idle && stop.Err == "" // refused: it is still held
	case requestLaunchServer:
		if stop.Err == "" {
			s = step{redirect: true}
		}
	case requestThreads:
		if text := neutral(string(payload), c.attachReason); text != string(payload) {
			s = step{answer: text}
		}
	}
	return s
}

// keep notes the answer to a question, unless something was sent after it.
func (c *conversation) keep(payload []byte) {
	question := c.asking
	c.asking = ""
	if question == "" || !c.noAck || c.nonStop || len(c.pending) > 0 {
		return
	}
	c.host.keep(question, string(payload))
	if c.far && strings.HasPrefix(question, "qSupported:") {
		c.features = [2]string{question, string(payload)}
	}
	if !c.ours {
		return
	}
	if at, isInsert := strings.CutPrefix(question, "Z0,"); isInsert && c.far && string(payload) == "OK" {
		c.planted[at] = true
		delete(c.absent, at)
	}
	if at, isRemove := strings.CutPrefix(question, "z0,"); isRemove {
		delete(c.planted, at)
	}
	if !isQuestion([]byte(question)) {
		return
	}
	c.known.keep(question, string(payload))
	c.habit(question, string(payload))
}

// neutral gives the stop at the attach a reason that no setting of LLDB's skips.
// LLDB goes on by itself after an exec if target.process.stop-on-exec is off, and
// after a signal if the user does not want to stop at it; it then has let Envoy run
// before there is a breakpoint. It also loads all modules again after an exec that
// it has not seen begin. An exception is only a stop (LLDB 19 and 22).
func neutral(payload, reason string) string {
	if reason == "" {
		return payload
	}
	payload = strings.Replace(payload, "reason:"+reason+";", "reason:exception;", 1)
	return strings.Replace(payload, `"reason":"`+reason+`"`, `"reason":"exception"`, 1)
}

// isOutput recognises console output of the process.
func isOutput(payload []byte) bool {
	return len(payload) > 0 && payload[0] == 'O' && string(payload) != "OK"
}

// exit returns the end of the session's own process, once.
func (c *conversation) exit(stop Stop) *Exit {
	if stop.Exit == nil || !c.isDebugged(stop.Exit.PID) {
		return nil
	}
	if !c.ours {
		return nil
	}
	c.ours = false
	return stop.Exit
}

// isAttachsStop recognises the SIGSTOP of the attach when it comes late. An
// attach that falls into an execve is answered when the execve has ended, and
// the SIGSTOP that the kernel sends with each attach is still pending; it stops
// the process as soon as that is resumed, before it has run one instruction.
func (c *conversation) isAttachsStop(stop Stop) bool {
	return c.attachPCs != "" && stop.Signal == sigstop && stop.PCs == c.attachPCs
}

// attachAnswer handles the answer to the session's own attach, or a stop on the
// way from there to the exec.
func (c *conversation) attachAnswer(request request, stop Stop) step {
	if request == requestAwaited && c.isEnding(stop.Err) {
		return step{own: c.wait, kind: requestAwaited}
	}
	failed := stop.Err != "" || stop.Exit != nil
	if c.skipToExec && !failed && stop.Reason != "exec" {
		c.skipped = append(c.skipped, fmt.Sprintf("T%02x %s", stop.Signal, stop.Reason))
		return step{own: resumePacket(stop, request), kind: requestSkip}
	}
	out := Attached{Time: time.Now(), PID: stop.PID(), Skipped: c.skipped}
	switch {
	case stop.Err != "":
		out.Err = errors.New(stop.Err)
	case stop.Exit != nil:
		out.Err = fmt.Errorf("%w: %v", ErrEnded, stop.Exit)
	default:
		c.pid = out.PID
		if stop.Signal == sigstop {
			c.attachPCs = stop.PCs
		}
		return step{admit: &out}
	}
	c.idle = true
	c.settle(false)
	return step{pass: true, attached: &out}
}

// admitted continues after the question whether the attached process is wanted.
func (c *conversation) admitted(out Attached, err error) step {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		out.Err = err
		c.refused, c.idle, c.attachPCs = out, true, ""
		c.settle(false)
		return step{own: "D", kind: requestRelease}
	}
	c.ours = true
	c.settle(true)
	stop, _ := ParseStop([]byte(c.attachStop))
	c.attachReason = stop.Reason
	if c.far {
		c.lastStop = c.attachStop
	}
	c.attachStop = neutral(c.attachStop, c.attachReason)
	return step{answer: c.attachStop, attached: &out}
}

// What the debug server says, in the words of libc, of a process that it has found and
// that has ended before it could attach: ESRCH, or EPERM while the process is a zombie
// (Linux, ptrace_attach).
const (
	errNoProcess    = "No such process"
	errNotPermitted = "Operation not permitted"
)

// maxZombies is how many refusals in a row may have been zombies. Where ptrace is not
// permitted each attach is refused.
const maxZombies = 20

// isEnding says whether the attach has failed because the process was ending. Such a
// process was not the start, so the wait goes on.
func (c *conversation) isEnding(err string) bool {
	if strings.Contains(err, errNotPermitted) {
		c.zombies++
		return c.zombies <= maxZombies
	}
	c.zombies = 0
	return strings.Contains(err, errNoProcess)
}

// resumePacket lets the process run on towards its exec. The stop of the attach
// itself is not passed to the process, nor are traps; any other signal is one
// the process would have received without a debugger.
func resumePacket(stop Stop, request request) string {
	if request == requestAwaited || stop.Signal == sigtrap || stop.Signal == sigstop || stop.Thread == "" {
		return "vCont;c"
	}
	return fmt.Sprintf("vCont;C%02x:%s;c", stop.Signal, stop.Thread)
}

// stopInPlace is [Relay.StopInPlace] for this connection.
func (c *conversation) stopInPlace() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inPlace = c.ours
}

// takeDetach is [Relay.Detach] for this connection.
func (c *conversation) takeDetach() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.taken = c.ours
}

// isStopped is [Relay.Stopped] for this connection.
func (c *conversation) isStopped() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ours && !slices.ContainsFunc(c.pending, request.waitsForStop)
}

// isIdle reports whether no process is debugged here any more.
func (c *conversation) isIdle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.idle
}

// end gives up what the conversation has claimed.
func (c *conversation) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.pending {
		if r == requestAwaited || r == requestSkip {
			c.settle(false)
		}
	}
}
