package gdbremote

import (
	"fmt"
	"strings"
	"testing"
)

// play plays one connection without any I/O: each line is a packet of the
// client's ("> …") or the server's ("< …"). It returns what the observer is told
// of exits, and whether the end of the connection would be expected after all.
func play(t *testing.T, lines ...string) (exits []string, idle bool) {
	t.Helper()
	c := &conversation{}
	return converse(t, c, lines...), c.isIdle()
}

// converse is play on this connection.
func converse(t *testing.T, c *conversation, lines ...string) (exits []string) {
	t.Helper()
	c.noAck, c.claim, c.settle = true, func(name string) bool { return name == "envoy" }, func(bool) {}
	for _, line := range append([]string{"> " + awaitEnvoy, "< " + attached}, lines...) {
		f := Frame{Kind: KindPacket, Payload: []byte(line[2:]), Valid: true}
		if strings.HasPrefix(line[2:], "%") {
			f.Kind, f.Payload = KindNotification, f.Payload[1:]
		}
		if line[0] == '>' {
			if _, err := c.fromClient(f); err != nil {
				t.Fatal(err)
			}
			continue
		}
		s := c.fromServer(f)
		if s.admit != nil {
			s = c.admitted(*s.admit, nil)
		}
		if !s.pass && s.answer != asShown(line[2:]) {
			t.Errorf("%q is not passed on: %+v", line, s)
		}
		if s.exited != nil {
			exits = append(exits, fmt.Sprint(*s.exited))
		}
	}
	return exits
}

// Only the debug server's word for it is the end of the process: a stop reply to
// what resumes or asks, or what it says between answers. Bytes of memory are not.
func TestWhatTellsTheEndOfTheProcess(t *testing.T) {
	const run = "> vCont;c:p126b.-1"
	for _, test := range []struct {
		name  string
		lines []string
		want  string // "" for none
		idle  bool   // the client knows that nothing is debugged any more
	}{
		{"the answer to a resume", []string{run, "< W03"}, "exit status 3", true},
		{"killed while it ran", []string{run, "< X09;process:126b"}, "signal 9", true},
		{"after console output", []string{run, "< O6869", "< O57", "< W00"}, "exit status 0", true},
		{"a step", []string{"> s", "< X0b"}, "signal 11", true},
		{"after a stop", []string{run, "< T05thread:126b;", run, "< W00"}, "exit status 0", true},
		{"the answer to ?", []string{"> ?", "< W05"}, "exit status 5", true},
		{"a notification", []string{"> QNonStop:1", "< OK", run, "< OK", "< %Stop:W04;process:126b"}, "exit status 4", false},
		{"the answer to vStopped", []string{"> vStopped", "< W00"}, "exit status 0", true},
		{"killed by the client", []string{"> k", "< X09"}, "signal 9", true},
		{"killed by the client, without an answer", []string{"> k", "> x1000,3", "< X09"}, "", true},
		{"killed while it stood still", []string{"< X09"}, "signal 9", false},
		{"killed before an answer", []string{"> qC", "< X09"}, "signal 9", false},
		{"once only", []string{"< X09", "< X09"}, "signal 9", false},
		{"of this process", []string{run, "< W00;process:126b"}, "exit status 0", true},

		{"another notification", []string{"< %W00"}, "", false},
		{"a child's end", []string{run, "< W00;process:126c"}, "", false},
		{"memory", []string{"> x1000,3", "< W00"}, "", false},
		{"memory, of two requests at once", []string{"> qC", "> x1000,3", "< QC126b", "< X09"}, "", false},
		{"memory, after a timeout", []string{"> x1000,3", "> qEcho:1", "< W00", "< qEcho:1"}, "", false},
		{"memory that goes on", []string{"> x1000,9", "< X09abcdef"}, "", false},
		{"a trace in binary", []string{"> jLLDBTraceGetBinaryData:{}", "< X09"}, "", false},
		{"a trace in binary, by its other name", []string{"> jTraceGetBinaryData:{}", "< X09"}, "", false},
		{"text that begins like one", []string{"> qC", "< W00abc"}, "", false},
		{"a stop", []string{run, "< T13thread:126b;"}, "", false},
		{"an error", []string{run, "< E05"}, "", false},
		{"no answer yet", []string{run, "< O5730"}, "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			exits, idle := play(t, test.lines...)
			if strings.Join(exits, ", ") != test.want || idle != test.idle {
				t.Errorf("told %v, idle %v; want %q, %v", exits, idle, test.want, test.idle)
			}
		})
	}
}

// What ends the debugging of the process without its end.
func TestWhenNothingIsDebuggedAnyMore(t *testing.T) {
	for _, test := range []struct {
		name  string
		lines []string
		want  bool
	}{
		{"attached", nil, false},
		{"detached", []string{"> D", "< OK"}, true},
		{"detached by id", []string{"> D;126b", "< OK"}, true},
		{"refused", []string{"> D;126b", "< E05"}, false},
		{"a child let go", []string{"> D;126c", "< OK"}, false},
		{"killed by id", []string{"> vKill;126b", "< OK"}, true},
		{"a child killed", []string{"> vKill;126c", "< OK"}, false},
		{"the client goes on with the child", []string{"> D;126b", "< OK", "> vCont;c", "< T05thread:p126c.126c;"}, false},
		{"attached to another", []string{"> D;126b", "< OK", "> vAttach;1", "< T13thread:1;"}, false},
		{"attached to another, which ends", []string{"> D;126b", "< OK", "> vAttach;1", "< T13thread:1;", "> c", "< W00;process:1"}, true},
		{"attached to another in vain", []string{"> D;126b", "< OK", "> vAttach;1", "< E01"}, true},
		{"attached to another that has ended", []string{"> D;126b", "< OK", "> vAttach;1", "< W00"}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			if exits, idle := play(t, test.lines...); idle != test.want || exits != nil {
				t.Errorf("idle %v, want %v; told %v", idle, test.want, exits)
			}
		})
	}
}

func TestRequestsAreToldApart(t *testing.T) {
	for payload, want := range map[string]request{
		"vCont;c": requestRun, "vCont;s:1": requestRun, "c": requestRun, "c1000": requestRun, "C05": requestRun, "s": requestRun, "S05": requestRun,
		"vRun;78": requestRun, "?": requestStatus, "vStopped": requestStatus,
		"vAttach;1": requestAttach, "vAttachWait;65": requestAttach, "vAttachOrWait;65": requestAttach, "vAttachName;65": requestAttach,
		"D": requestDetach, "D;1": requestDetach, "k": requestKill, "vKill;1": requestKill,
		"x1000,3": requestRead, "jTraceGetBinaryData:{}": requestRead, "jLLDBTraceGetBinaryData:{}": requestRead,
		"qLaunchGDBServer;host:x;": requestLaunchServer, "QStartNoAckMode": requestNoAck,
		"": requestOther, "vCont?": requestOther, "m1000,3": requestOther, "X1000,1:W": requestOther, "vAttachOrWaitSupported": requestOther,
		"kill": requestOther, "??": requestOther, "QStartNoAckMode+": requestOther, "qC": requestOther, "jThreadsInfo": requestThreads, "qThreadStopInfo126b;": requestThreads,
	} {
		if got, _ := classify([]byte(payload)); got != want {
			t.Errorf("%q is of kind %d, want %d", payload, got, want)
		}
	}
}

func TestAClientThatDoesNotWaitForAnswers(t *testing.T) {
	c := &conversation{noAck: true}
	request := Frame{Kind: KindPacket, Payload: []byte("qC"), Valid: true}
	for i := range maxPending {
		if _, err := c.fromClient(request); err != nil {
			t.Fatalf("request %d: %v", i+1, err)
		}
	}
	if _, err := c.fromClient(request); err != errTooManyRequests {
		t.Errorf("one too many: %v", err)
	}
	// Each answer makes room for a request.
	c.fromServer(Frame{Kind: KindPacket, Payload: []byte("QC1"), Valid: true})
	if _, err := c.fromClient(request); err != nil {
		t.Error(err)
	}
}

// A long packet is an answer like any other, but means nothing else.
func TestALongAnswer(t *testing.T) {
	c := &conversation{noAck: true}
	ask := func(payload string) {
		t.Helper()
		if _, err := c.fromClient(Frame{Kind: KindPacket, Payload: []byte(payload), Valid: true}); err != nil {
			t.Fatal(err)
		}
	}
	long := func() {
		for _, more := range []bool{true, true, false} {
			if s := c.fromServer(Frame{Kind: KindPart, Raw: []byte("W00"), More: more}); !s.pass {
				t.Errorf("a part is not passed on: %+v", s)
			}
		}
	}
	ask("jThreadsInfo")
	ask("x1000,3")
	long()
	if len(c.pending) != 1 || c.pending[0] != requestRead {
		t.Errorf("the answer to the first leaves %v", c.pending)
	}
	long()
	ask("vCont;c")
	long() // console output
	if len(c.pending) != 1 {
		t.Errorf("the process runs, but %v is pending", c.pending)
	}
	c.pending = []request{requestRelease}
	long()
	if len(c.pending) != 1 {
		t.Error("a long packet is taken for the answer to a detach")
	}
	if _, err := c.fromClient(Frame{Kind: KindPart, More: true}); err != nil || len(c.pending) != 2 {
		t.Errorf("a long request: %v, %v", c.pending, err)
	}
}

// With acknowledgements, what has a wrong checksum comes once more.
func TestABrokenNotificationMeansNothing(t *testing.T) {
	c := &conversation{ours: true}
	f := Frame{Kind: KindNotification, Payload: []byte("Stop:W00")}
	if s := c.fromServer(f); !s.pass || s.exited != nil {
		t.Errorf("the broken one: %+v", s)
	}
	f.Valid = true
	if s := c.fromServer(f); !s.pass || s.exited == nil {
		t.Errorf("the good one: %+v", s)
	}
}

// A connection that ends gives the session's attach free if it was under way there.
func TestTheEndOfTheConnectionFreesTheAttach(t *testing.T) {
	for kind, want := range map[request]bool{requestAwaited: true, requestSkip: true, requestAttach: false, requestOther: false, requestRun: false} {
		freed := false
		c := &conversation{pending: []request{requestOther, kind}, settle: func(attached bool) { freed = !attached }}
		c.end()
		if freed != want {
			t.Errorf("with a pending request of kind %d: %v", kind, freed)
		}
	}
}

// At a stop LLDB asks again and again for the same region of the address space; LLDB 19
// fourteen times for each stack. The debug server is asked once.
func TestARegionIsAskedForOnce(t *testing.T) {
	const (
		ask     = "> qMemoryRegionInfo:1010"
		mapped  = "< start:1000;size:100;permissions:rx;"
		run     = "> vCont;c:p126b.-1"
		stopped = "< T05thread:p126b.126b;"
	)
	for _, test := range []struct {
		name  string
		lines []string // before a question for another address of the region
		again string
		asked bool // the server is
	}{
		{"in the region", []string{ask, mapped}, "10ff", false},
		{"its first byte", []string{ask, mapped}, "1000", false},
		{"behind it", []string{ask, mapped}, "1100", true},
		{"before it", []string{ask, mapped}, "fff", true},
		{"after what changes no mapping", []string{ask, mapped, "> M1000,1:00", "< OK", "> Z0,1000,1", "< OK", "> P4=00;thread:126b;", "< OK",
			"> QSaveRegisterState;thread:126b;", "< 1", "> jThreadsInfo", "< []"}, "1010", false},
		{"after a resume", []string{ask, mapped, run, stopped}, "1010", true},
		{"after a step", []string{ask, mapped, "> s", stopped}, "1010", true},
		{"after an allocation", []string{ask, mapped, "> _M1000,rwx", "< 5000"}, "1010", true},
		{"after it was freed", []string{ask, mapped, "> _m5000", "< OK"}, "1010", true},
		{"after a packet that is not known", []string{ask, mapped, "> vWonder", "< OK"}, "1010", true},
		{"while an answer is awaited", []string{ask, mapped, "> qC"}, "1010", true},
		{"asked for before an allocation", []string{ask, "> _M1000,rwx", mapped, "< 5000"}, "1010", true},
		{"a gap", []string{ask, "< start:1000;size:100;"}, "1020", true},
		{"an error", []string{ask, "< E01"}, "1010", true},
		{"an error in words", []string{ask, "< error:616263;start:1000;size:100;permissions:r;"}, "1010", true},
		{"no numbers", []string{ask, "< start:x;size:100;permissions:r;"}, "1010", true},
		{"in non-stop mode", []string{"> QNonStop:1", "< OK", ask, mapped}, "1010", true},
		{"of another process", []string{"> D;126b", "< OK", "> vAttach;1", "< T13thread:1;", ask, mapped}, "1010", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := &conversation{}
			converse(t, c, test.lines...)
			s, err := c.fromClient(Frame{Kind: KindPacket, Payload: []byte("qMemoryRegionInfo:" + test.again), Valid: true})
			if err != nil {
				t.Fatal(err)
			}
			want := step{answer: mapped[2:]}
			if test.asked {
				want = passOn
			}
			if s.answer != want.answer || s.pass != want.pass {
				t.Errorf("%+v, want %+v", s, want)
			}
		})
	}
}
