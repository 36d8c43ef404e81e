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
	client    *net.UnixConn
	server    Conn
	serverPID int

	// serverW serialises the client's packets with the relay's own.
	serverW sync.Mutex

	mu    sync.Mutex
	phase phase
	// asked is the name of the client's last request that has a reply the
	// relay must see; gdb-remote has one request open at a time.
	asked   string
	noAck   bool
	ownAcks int // acks of the relay's own packets still to come
	skipped []string
	refused Attached
}

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

// run returns when both directions have ended. The error is that of the
// server's side: a client may leave whenever it wants.
func (k *link) run() error {
	defer k.close()
	up := make(chan struct{})
	go func() {
		defer close(up)
		_ = k.pump(k.client, false)
		_ = k.server.CloseWrite()
	}()
	err := k.pump(k.server, true)
	clientLeft := false
	select {
	case <-up:
		clientLeft = true
	default:
	}
	// The client learns of the server's end by the end of its own stream.
	_ = k.client.Close()
	<-up
	if clientLeft {
		return nil
	}
	if err == nil {
		err = io.EOF
	}
	return err
}

func (k *link) pump(from io.Reader, fromServer bool) error {
	r := NewReader(from)
	handle := k.fromClient
	if fromServer {
		handle = k.fromServer
	}
	for {
		f, err := r.Next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil
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
	k.serverW.Lock()
	defer k.serverW.Unlock()
	_, err := k.server.Write(b)
	return err
}

func (k *link) toClient(b []byte) error {
	_, err := k.client.Write(b)
	return err
}

func (k *link) fromClient(f Frame) error {
	if f.Kind != KindPacket || !f.Valid {
		return k.toServer(f.Raw)
	}
	arming, isAttach := parseAttach(f.Payload)
	k.mu.Lock()
	switch {
	case isAttach:
		k.phase = phaseAttach
	case bytes.HasPrefix(f.Payload, []byte("qLaunchGDBServer")):
		k.asked = "qLaunchGDBServer"
	case bytes.Equal(f.Payload, []byte("QStartNoAckMode")):
		k.asked = "QStartNoAckMode"
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
	k.mu.Lock()
	asked, ph := k.asked, k.phase
	k.asked = ""
	if asked == "QStartNoAckMode" && bytes.Equal(f.Payload, []byte("OK")) {
		// The client still acknowledges this OK; from then on nobody does.
		k.noAck = true
	}
	k.mu.Unlock()

	if asked == "qLaunchGDBServer" && !bytes.HasPrefix(f.Payload, []byte("E")) {
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
	k.phase = phaseQuiet
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
		k.phase, k.refused = phaseReleasing, out
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
