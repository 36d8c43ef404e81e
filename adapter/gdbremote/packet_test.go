package gdbremote

import (
	"bytes"
	"errors"
	"io"
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

// endless never sends '#'.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '$'
	}
	return len(p), nil
}

func TestAPacketWithoutAnEndIsAnError(t *testing.T) {
	if _, err := NewReader(endless{}).Next(); !errors.Is(err, ErrPacketTooLong) {
		t.Errorf("got %v", err)
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
		"T0bthread:p126b.126c;00:0011;reason:exception": {Signal: 11, Reason: "exception", Thread: "p126b.126c"},
		"T05":              {Signal: 5},
		"S0f":              {Signal: 15},
		"W00":              {Exited: true},
		"WfF":              {Exited: true, Status: 255},
		"W03;process:126b": {Exited: true, Status: 3},
		"X09":              {Exited: true, Signalled: true, Status: 9},
		"E08":              {Err: "E08"},
		"Eff;6e6f":         {Err: "no"},
		"E01;zz":           {Err: "E01"},
	} {
		if got, ok := ParseStop([]byte(payload)); !ok || got != want {
			t.Errorf("%s: %+v, %v; want %+v", payload, got, ok, want)
		}
	}
	for _, payload := range []string{"", "O", "OK", "O68690a", "T0", "Tzz", "T+5", "T 5thread:1", "E", "E1", "QC126b", "vCont;c", "0500"} {
		if got, ok := ParseStop([]byte(payload)); ok {
			t.Errorf("%q is no stop reply, but %+v", payload, got)
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
	for _, payload := range []string{"", "vAttach", "vAttachOrWait", "vAttachOrWaitSupported", "qVAttachOrWaitSupported", "vAttachOrWait;xyz", "vAttachElse;65", "vCont;c"} {
		if got, ok := parseAttach([]byte(payload)); ok {
			t.Errorf("%q is no attach, but %+v", payload, got)
		}
	}
}
