package gdbremote

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

// FuzzReader reads arbitrary bytes: nothing may be lost or changed, and only the
// bytes of a packet that the stream cuts off are not returned.
func FuzzReader(f *testing.F) {
	for _, stream := range []string{
		"", "+$qSupported:xmlRegisters=i386#12+$QStartNoAckMode#b0", "$OK#9a", "%Stop:T05#00", "\x03", "-x$", "$OK#9",
		"$X1000,4:}\x03}\x04}]\x00#b0", "$" + strings.Repeat("a", 200) + "#zz", "$$#$#24",
	} {
		f.Add([]byte(stream))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		r := NewReader(bytes.NewReader(stream))
		var joined []byte
		for {
			fr, err := r.Next()
			if err != nil {
				rest := stream[len(joined):]
				switch {
				case errors.Is(err, io.ErrUnexpectedEOF) && len(rest) > 0 && (rest[0] == '$' || rest[0] == '%'):
				case err == io.EOF && len(rest) == 0:
				default:
					t.Fatalf("%v with %q left of %q", err, rest, stream)
				}
				break
			}
			joined = append(joined, fr.Raw...)
			if !bytes.HasPrefix(stream, joined) {
				t.Fatalf("%q became %q", stream, joined)
			}
			if fr.Kind == KindPacket && fr.Valid && string(fr.Raw[:len(fr.Raw)-2]) != string(Encode(string(fr.Payload))[:len(fr.Raw)-2]) {
				t.Fatalf("%q is not how %q is framed", fr.Raw, fr.Payload)
			}
		}
	})
}

// FuzzParseStop reads arbitrary payloads as all that a payload may be.
func FuzzParseStop(f *testing.F) {
	for _, payload := range []string{
		"T05thread:126b;threads:126b;reason:exec;", "T13thread:p126b.126b;", "S0f", "W03;process:126b", "X09", "E08", "Eff;6e6f",
		"O68690a", "OK", "vAttachOrWait;656e766f79", "vCont;c", "pid:77;port:0;socket_name:2f78;", "T05thread:-1;",
	} {
		f.Add([]byte(payload))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		s, isStop := ParseStop(payload)
		if !isStop && s != (Stop{}) {
			t.Fatalf("%q: no stop, but %+v", payload, s)
		}
		if s.PID() < 0 || s.Signal < 0 || s.Signal > 255 {
			t.Fatalf("%q: %+v, process %d", payload, s, s.PID())
		}
		if e := s.Exit; e != nil && (e.Status < 0 || e.Status > 255 || e.PID < 0 || s.Signal != 0) {
			t.Fatalf("%q: %+v %+v", payload, s, *e)
		}
		if isStop && !strings.ContainsRune("TSWXE", rune(payload[0])) {
			t.Fatalf("%q is a stop: %+v", payload, s)
		}
		if a, ok := parseAttach(payload); ok && (a.Packet == "" || isStop) {
			t.Fatalf("%q: %+v", payload, a)
		}
		classify(payload)
		field(payload, "socket_name")
	})
}

// FuzzConversation lets both sides say anything, in any order: each line of the
// script is a frame of the client's ('>') or of the server's ('<').
func FuzzConversation(f *testing.F) {
	for _, script := range []string{
		">$vAttachOrWait;656e766f79#db\n<$" + attached + "#00\n<$" + exec + "#00\n>$vCont;c#a8\n<$W00#b7",
		">$QStartNoAckMode#b0\n<$OK#9a\n>$x1000,3#00\n<$W00#b7\n<%Stop:X09#00\n<+\n<-\n>-\n>\x03",
		">$QStartNoAckMode#b0\n<$OK#9a\n>$vAttachOrWait;656e766f79#db\n<$" + exec + "#00\n>$qMemoryRegionInfo:1010#00\n" +
			"<$start:1000;size:100;permissions:rx;#00\n>$qMemoryRegionInfo:1020#00\n>$_M1000,r#00\n<$2000#00",
		">$QStartNoAckMode#b0\n>+\n>$vAttachOrWait;656e766f79#db\n<$" + exec + "#00\n>$Z0,1000,1#00\n>$vCont;c#a8\n<%Refused:9,Z0,1000,1E09#00\n<%Held#00\n" +
			"<%Pair:d,x1000,200#00\n<$" + exec + "#00\n>$x1000,200#00\n>$D#44",
		">$##6b\n>$D;126b#00\n<$E01#a6\n>$k#6b\n<$X09#c1\n>$qLaunchGDBServer#00\n<$pid:1;socket_name:2f78;#00",
	} {
		f.Add(script, true, true, true)
		f.Add(script, false, false, false)
	}
	f.Fuzz(func(t *testing.T, script string, skip, admit, far bool) {
		claims := 0
		c := &conversation{skipToExec: skip,
			claim: func(name string) bool {
				if name != "envoy" || claims != 0 {
					return false
				}
				claims++
				return true
			},
			settle: func(bool) { claims-- }}
		if far {
			c.accompany(nil)
		}
		for line := range strings.SplitSeq(script, "\n") {
			if line == "" {
				continue
			}
			frame, err := NewReader(strings.NewReader(line[1:])).Next()
			if err != nil {
				continue
			}
			frame.Valid = true // a checksum is hard to guess
			if line[0] == '>' {
				s, err := c.fromClient(frame)
				answered := s.answer != "" || s.empty
				// With a companion the relay waits by itself, or swallows an acknowledgement.
				silent := far && (s.notice != nil || frame.Kind == KindAck)
				if err == nil && (s.pass && answered || !s.pass && !answered && !silent) {
					t.Fatalf("%q: %+v", line, s)
				}
				continue
			}
			s := c.fromServer(frame)
			if s.admit != nil {
				var refused error
				if !admit {
					refused = errors.New("a stranger")
				}
				s = c.admitted(*s.admit, refused)
			}
			deeds := 0
			for _, deed := range []bool{s.pass, s.redirect, s.answer != "", s.own != "", s.resend != nil} {
				if deed {
					deeds++
				}
			}
			told := far && (frame.Kind == KindNotification || s.take)
			if deeds > 1 || deeds == 0 && frame.Kind != KindAck && !told {
				t.Fatalf("%q: %+v", line, s)
			}
			if s.own != "" {
				c.request(s.own, s.kind)
			}
			if s.exited != nil && s.attached != nil {
				t.Fatalf("%q: attached and exited: %+v", line, s)
			}
		}
		c.end()
		if claims < 0 || len(c.pending) > maxPending+1 {
			t.Fatalf("%d claims, %d pending", claims, len(c.pending))
		}
	})
}
