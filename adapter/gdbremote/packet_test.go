package gdbremote

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

func TestTheStreamIsSplitIntoFrames(t *testing.T) {
	type want struct {
		kind    Kind
		raw     string
		payload string
		valid   bool
	}
	for _, test := range []struct {
		name, stream string
		want         []want
	}{
		{"a packet", "$OK#9a", []want{{KindPacket, "$OK#9a", "OK", true}}},
		{"checksum in capitals", "$OK#9A", []want{{KindPacket, "$OK#9A", "OK", true}}},
		{"no payload", "$#00", []want{{KindPacket, "$#00", "", true}}},
		{"a wrong checksum", "$OK#9b", []want{{KindPacket, "$OK#9b", "OK", false}}},
		{"a checksum that is no number", "$OK#zz", []want{{KindPacket, "$OK#zz", "OK", false}}},
		{"a notification", "%Stop#af", []want{{KindNotification, "%Stop#af", "Stop", false}}},
		{"acks, interrupt and noise around", "+-\x03x$OK#9a+", []want{
			{KindAck, "+", "", true}, {KindNack, "-", "", true}, {KindInterrupt, "\x03", "", true}, {KindNoise, "x", "", false},
			{KindPacket, "$OK#9a", "OK", true}, {KindAck, "+", "", true}}},
		{"an escaped # stays escaped", "$}\x03#80", []want{{KindPacket, "$}\x03#80", "}\x03", true}}},
		{"$ within a packet", "$a$b#e7", []want{{KindPacket, "$a$b#e7", "a$b", true}}},
		{"two packets", "$OK#9a$OK#9a", []want{{KindPacket, "$OK#9a", "OK", true}, {KindPacket, "$OK#9a", "OK", true}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := NewReader(iotest.OneByteReader(strings.NewReader(test.stream)))
			for _, w := range test.want {
				f, err := r.Next()
				if err != nil {
					t.Fatal(err)
				}
				if f.Kind != w.kind || string(f.Raw) != w.raw || string(f.Payload) != w.payload || f.Valid != w.valid {
					t.Errorf("got %d %q %q %v, want %v", f.Kind, f.Raw, f.Payload, f.Valid, w)
				}
			}
			if f, err := r.Next(); err != io.EOF {
				t.Errorf("at the end: %q, %v", f.Raw, err)
			}
		})
	}
}

func TestAStreamThatEndsWithinAPacket(t *testing.T) {
	for _, stream := range []string{"$", "$O", "$OK#", "$OK#9"} {
		if f, err := NewReader(strings.NewReader(stream)).Next(); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%q: got %q, %v", stream, f.Raw, err)
		}
	}
	broken := errors.New("broken")
	for _, stream := range []string{"", "$O", "$OK#9"} {
		r := NewReader(io.MultiReader(strings.NewReader(stream), iotest.ErrReader(broken)))
		if f, err := r.Next(); !errors.Is(err, broken) {
			t.Errorf("%q and an error: got %q, %v", stream, f.Raw, err)
		}
	}
}

// A packet of any length is read with bounded memory, and nothing of it is lost.
func TestALongPacketIsReadInParts(t *testing.T) {
	for _, size := range []int{MaxPacket - 5, MaxPacket + 1, 3*MaxPacket + 7} {
		long := "$" + strings.Repeat("a", size) + "#00"
		r := NewReader(iotest.HalfReader(strings.NewReader("+" + long + "$OK#9a")))
		var joined strings.Builder
		parts := 0
		for {
			f, err := r.Next()
			if err != nil {
				t.Fatalf("%d bytes: %v", size, err)
			}
			if len(f.Raw) > MaxPacket+64<<10 {
				t.Fatalf("%d bytes: one frame has %d", size, len(f.Raw))
			}
			joined.Write(f.Raw)
			if f.Kind == KindPacket && string(f.Payload) == "OK" && f.Valid {
				break
			}
			if f.Kind == KindPart {
				parts++
				if last := joined.Len() == 1+len(long); f.More == last || f.Valid || f.Payload != nil {
					t.Fatalf("%d bytes: part %d: more %v, payload %.10q", size, parts, f.More, f.Payload)
				}
			} else if f.More {
				t.Fatalf("%d bytes: a frame of kind %d has more", size, f.Kind)
			}
		}
		if joined.String() != "+"+long+"$OK#9a" {
			t.Errorf("%d bytes: they were changed", size)
		}
		if want := size > MaxPacket; parts > 0 != want {
			t.Errorf("%d bytes in %d parts", size, parts)
		}
	}
}

func TestALongPacketThatEndsEarly(t *testing.T) {
	r := NewReader(strings.NewReader("$" + strings.Repeat("a", 3*MaxPacket)))
	for {
		f, err := r.Next()
		if err == nil && f.Kind == KindPart && f.More {
			continue
		}
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("got a frame of kind %d, %v", f.Kind, err)
		}
		return
	}
}

func TestEncodeIsReadBack(t *testing.T) {
	for _, payload := range []string{"", "OK", "vCont;C0f:126b;c", strings.Repeat("x", 100_000)} {
		f, err := NewReader(bytes.NewReader(Encode(payload))).Next()
		if err != nil || !f.Valid || string(f.Payload) != payload {
			t.Errorf("%.20q was read as %.20q, %v, %v", payload, f.Payload, f.Valid, err)
		}
	}
}

func TestStopRepliesAreRead(t *testing.T) {
	for payload, want := range map[string]Stop{
		"T05thread:126b;reason:exec;":                   {Signal: 5, Reason: "exec", Thread: "126b"},
		"T13threads:126b,126c;thread:126c;":             {Signal: 19, Thread: "126c"},
		"T13thread:p1.1;threads:1;thread-pcs:00fe,00ff": {Signal: 19, Thread: "p1.1", PCs: "00fe,00ff"},
		"T0bthread:p126b.126c;00:0011;reason:exception": {Signal: 11, Reason: "exception", Thread: "p126b.126c"},
		"T05":              {Signal: 5},
		"S0f":              {Signal: 15},
		"W00":              {Exit: &Exit{}},
		"WfF":              {Exit: &Exit{Status: 255}},
		"W03;process:126b": {Exit: &Exit{Status: 3, PID: 4715}},
		"W03;process:-1":   {Exit: &Exit{Status: 3}},
		"X09":              {Exit: &Exit{Signalled: true, Status: 9}},
		"X0b;process:1":    {Exit: &Exit{Signalled: true, Status: 11, PID: 1}},
		"E08":              {Err: "E08"},
		"Eff;6e6f":         {Err: "no"},
		"E01;zz":           {Err: "E01"},
		"E.no such thing ": {Err: "no such thing"},
	} {
		if got, ok := ParseStop([]byte(payload)); !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v; want %+v", payload, got, ok, want)
		}
	}
	for _, payload := range []string{"", "O", "OK", "O68690a", "T0", "Tzz", "T+5", "T 5thread:1", "E", "E1", "E.", "E0123", "QC126b", "vCont;c",
		"0500", "W00x", "W00;", "X09abc", "X09\x00", "W"} {
		if got, ok := ParseStop([]byte(payload)); ok {
			t.Errorf("%q is no stop reply, but %+v", payload, got)
		}
	}
}

func TestAnExitReadsWell(t *testing.T) {
	for want, exit := range map[string]Exit{"exit status 3": {Status: 3}, "signal 9": {Signalled: true, Status: 9}} {
		if got := exit.String(); got != want {
			t.Errorf("%+v reads %q", exit, got)
		}
	}
}

func TestTheProcessOfAStop(t *testing.T) {
	for thread, want := range map[string]int{
		"126b": 4715, "p126b.126c": 4715, "p126b": 4715, "0": 0, "": 0, "-1": 0, "p-1.-1": 0, "zz": 0, "ffffffffff": 0,
	} {
		if got := (Stop{Thread: thread}).PID(); got != want {
			t.Errorf("thread %q: process %d, want %d", thread, got, want)
		}
	}
}

func TestAttachPacketsAreRecognised(t *testing.T) {
	for payload, want := range map[string]Arming{
		"vAttachWait;656e766f79":   {Packet: "vAttachWait", Name: "envoy"},
		"vAttachOrWait;656E766F79": {Packet: "vAttachOrWait", Name: "envoy"},
		"vAttachName;65":           {Packet: "vAttachName", Name: "e"},
		"vAttach;126b":             {Packet: "vAttach"},
	} {
		if got, ok := parseAttach([]byte(payload)); !ok || got != want {
			t.Errorf("%s: %+v, %v; want %+v", payload, got, ok, want)
		}
	}
	if _, ok := parseAttach([]byte("vAttachName;" + strings.Repeat("65", maxAttach))); ok {
		t.Error("a name of 8 KiB is taken for one")
	}
	for _, payload := range []string{"", "vAttach", "vAttachOrWait", "vAttachOrWaitSupported", "qVAttachOrWaitSupported", "vAttachOrWait;xyz", "vAttachElse;65", "vCont;c"} {
		if got, ok := parseAttach([]byte(payload)); ok {
			t.Errorf("%q is no attach, but %+v", payload, got)
		}
	}
}
