package gdbremote

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// link is one connection between a client and a debug server: two pumps that
// share what they know of the conversation.
type link struct {
	relay     *Relay
	name      string
	client    net.Conn
	server    Conn
	serverPID int

	serverMu sync.Mutex // serialises the client's packets with the relay's own

	mu    sync.Mutex
	phase phase
	// open is the client's request that has not been answered; gdb-remote has
	// one at a time.
	open    request
	noAck   bool
	ownAcks int // acks of the relay's own packets still to come
	skipped []string
	refused Attached
	// idle: no process is debugged any more, because it has ended, was let go,
	// or the attach failed. The server may then end the connection.
	idle       bool
	clientLeft bool
}

// request is a request whose answer, or whose sending, means something here.
type request int

const (
	requestOther        request = iota
	requestRun                  // answered by a stop reply, after any console output
	requestDetach               // D
	requestLaunchServer         // qLaunchGDBServer
	requestNoAck                // QStartNoAckMode
)

type phase int

const (
	phaseQuiet     phase = iota // before any attach, and after its reply
	phaseAttach                 // the attach packet is on its way
	phaseSkipping               // attached; running to the exec
	phaseReleasing              // not admitted; the server is letting go
)

func (k *link) close() {
	_ = k.client.Close()
	_ = k.server.Close()
}

// errClientLeft ends a pump for which the client is no more.
var errClientLeft = errors.New("the client has left")

// run returns when both directions have ended. It calls ended when the first
// sign of it is seen, while the client's connection is still open if it was not
// the client who left, so that whoever is told knows the cause before the
// consequence shows. The error is that of the server's side.
func (k *link) run(ended func(error)) {
	up := make(chan struct{})
	go func() {
		defer close(up)
		if err := k.pump(k.client, false); errors.Is(err, errClientLeft) {
			// Noted before the server can answer it by leaving, too.
			k.mu.Lock()
			k.clientLeft = true
			k.mu.Unlock()
		}
		_ = k.server.CloseWrite()
	}()
	err := k.pump(k.server, true)
	k.mu.Lock()
	if k.idle || k.clientLeft || errors.Is(err, errClientLeft) {
		err = nil
	}
	k.mu.Unlock()
	ended(err)
	k.close()
	<-up
}

// pump carries the frames of one side until an error, which is never nil.
func (k *link) pump(from io.Reader, fromServer bool) error {
	r := NewReader(from)
	handle := k.fromClient
	if fromServer {
		handle = k.fromServer
	}
	for {
		f, err := r.Next()
		if err != nil {
			if !fromServer {
				return errClientLeft
			}
			return err
		}
		k.relay.cfg.Observer.Packet(k.name, fromServer, f)
		if err := handle(f); err != nil {
			return err
		}
	}
}

func (k *link) toServer(b []byte) error {
	k.serverMu.Lock()
	defer k.serverMu.Unlock()
	_, err := k.server.Write(b)
	return err
}

func (k *link) toClient(b []byte) error {
	if _, err := k.client.Write(b); err != nil {
		return errClientLeft
	}
	return nil
}

func (k *link) fromClient(f Frame) error {
	if f.Kind != KindPacket || !f.Valid {
		return k.toServer(f.Raw)
	}
	arming, isAttach := parseAttach(f.Payload)
	k.mu.Lock()
	k.open = classify(f.Payload)
	switch {
	case isAttach:
		k.phase, k.open, k.idle, k.skipped = phaseAttach, requestRun, false, nil
	case k.open == requestDetach, isKill(f.Payload):
		k.idle = true
	}
	k.mu.Unlock()
	if err := k.toServer(f.Raw); err != nil {
		return err
	}
	if isAttach {
		arming.Time, arming.ServerPID = time.Now(), k.serverPID
		k.relay.cfg.Observer.Arming(arming)
	}
	return nil
}

// classify reads the kind of a request (GDB manual, appendix E.2 "Packets").
func classify(payload []byte) request {
	has := func(prefix string) bool { return bytes.HasPrefix(payload, []byte(prefix)) }
	switch {
	case has("vCont;"), has("c"), has("C"), has("s"), has("S"):
		return requestRun
	case has("D"):
		return requestDetach
	case has("qLaunchGDBServer"):
		return requestLaunchServer
	case string(payload) == "QStartNoAckMode":
		return requestNoAck
	}
	return requestOther
}

func isKill(payload []byte) bool {
	return string(payload) == "k" || bytes.HasPrefix(payload, []byte("vKill"))
}

func (k *link) fromServer(f Frame) error {
	if f.Kind == KindAck {
		k.mu.Lock()
		mine := k.ownAcks > 0
		if mine {
			k.ownAcks--
		}
		k.mu.Unlock()
		if mine {
			return nil
		}
	}
	if f.Kind != KindPacket || !f.Valid {
		return k.toClient(f.Raw)
	}
	open, ph := k.answered(f.Payload)
	if open == requestLaunchServer && !bytes.HasPrefix(f.Payload, []byte("E")) {
		reply, err := k.relay.redirect(f.Payload)
		if err != nil {
			return err
		}
		return k.toClient(Encode(string(reply)))
	}
	if ph == phaseQuiet {
		return k.toClient(f.Raw)
	}
	if ph == phaseReleasing {
		return k.released()
	}
	return k.attachReply(f, ph)
}

// answered notes what a packet of the server's means for the open request, and
// returns the request and the phase as they were.
func (k *link) answered(payload []byte) (request, phase) {
	k.mu.Lock()
	defer k.mu.Unlock()
	open := k.open
	stop, isStop := ParseStop(payload)
	if open == requestRun {
		// While the process runs, its console output comes as packets, too. Only
		// here is W or X an exit: a reply that is memory may begin like one.
		if !isStop {
			return open, k.phase
		}
		k.idle = stop.Exited
	}
	switch {
	case open == requestNoAck && string(payload) == "OK":
		// The client still acknowledges this OK; from then on nobody does.
		k.noAck = true
	case open == requestDetach && isStop && stop.Err != "":
		k.idle = false // refused: it is still held
	}
	if k.phase == phaseQuiet {
		k.open = requestOther
	}
	return open, k.phase
}

// attachReply handles what the server says between the attach packet and the
// stop the client is to see.
func (k *link) attachReply(f Frame, ph phase) error {
	stop, ok := ParseStop(f.Payload)
	if !ok { // console output and the like
		return k.toClient(f.Raw)
	}
	failed := stop.Err != "" || stop.Exited
	if k.relay.cfg.SkipToExec && !failed && stop.Reason != "exec" {
		k.mu.Lock()
		k.phase = phaseSkipping
		k.skipped = append(k.skipped, fmt.Sprintf("T%02x %s", stop.Signal, stop.Reason))
		k.mu.Unlock()
		return k.resume(stop, ph)
	}
	k.mu.Lock()
	k.phase, k.open = phaseQuiet, requestOther
	k.idle = failed
	skipped := k.skipped
	k.mu.Unlock()

	out := Attached{Time: time.Now(), PID: stop.PID(), Skipped: skipped}
	switch {
	case stop.Err != "":
		out.Err = errors.New(stop.Err)
	case stop.Signalled:
		out.Err = fmt.Errorf("%w: signal %d", ErrEnded, stop.Status)
	case stop.Exited:
		out.Err = fmt.Errorf("%w: exit status %d", ErrEnded, stop.Status)
	case k.relay.cfg.Admit != nil:
		out.Err = k.relay.cfg.Admit(k.relay.ctx, out.PID)
	}
	if out.Err != nil && !failed {
		k.mu.Lock()
		k.phase, k.refused, k.idle = phaseReleasing, out, true
		k.mu.Unlock()
		return k.own("D")
	}
	k.relay.cfg.Observer.Attached(out)
	return k.toClient(f.Raw)
}

// released is called when the server has let go of a process that was not
// admitted: only then is it true to say that nothing happened to it.
func (k *link) released() error {
	k.mu.Lock()
	k.phase = phaseQuiet
	out := k.refused
	k.mu.Unlock()
	k.relay.cfg.Observer.Attached(out)
	return k.toClient(Encode("E01"))
}

// resume lets the process run on towards its exec. The stop of the attach
// itself is not passed to the process, nor are traps; any other signal is one
// the process would have received without a debugger.
func (k *link) resume(stop Stop, ph phase) error {
	const sigtrap, sigstop = 5, 19
	packet := "vCont;c"
	if ph == phaseSkipping && stop.Signal != sigtrap && stop.Signal != sigstop && stop.Thread != "" {
		packet = fmt.Sprintf("vCont;C%02x:%s;c", stop.Signal, stop.Thread)
	}
	return k.own(packet)
}

// own sends a packet of the relay's in reply to a stop that the client is not
// to see.
func (k *link) own(packet string) error {
	raw := Encode(packet)
	k.mu.Lock()
	if !k.noAck {
		raw = append([]byte("+"), raw...)
		k.ownAcks++
	}
	k.mu.Unlock()
	return k.toServer(raw)
}

// parseAttach recognises the attach packets (lldb/docs/resources/lldbgdbremote.md).
func parseAttach(payload []byte) (Arming, bool) {
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
