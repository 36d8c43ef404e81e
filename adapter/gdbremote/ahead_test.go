package gdbremote

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

// afar plays a connection with a companion, without any I/O. Lines are as in [play];
// besides, "= …" is what the client is answered by the relay itself, "! …" what the
// companion or the server get from the relay before the client's packet, if any.
func afar(t *testing.T, c *conversation, lines ...string) (told []Refused) {
	t.Helper()
	c.noAck, c.claim, c.settle = true, func(name string) bool { return name == "envoy" }, func(bool) {}
	if c.known.answers == nil {
		c.accompany(nil)
		lines = append([]string{"> " + awaitEnvoy, "! %" + MarkAhead + strings.Join(acquaintance, "|"), "< " + attached, "= " + asShown(attached)}, lines...)
	}
	var last step
	reached := true // what the relay did for the line before has been read
	done := func() {
		if !reached {
			t.Errorf("unexpected: answer %q, notice %q", last.answer, last.notice)
		}
	}
	for _, line := range lines {
		switch line[0] {
		case '=':
			if last.pass || last.answer != line[2:] || last.answer == "" && !last.empty {
				t.Errorf("want the answer %q, got %+v", line[2:], last)
			}
			reached = last.notice == nil || reached
			last.answer, last.empty = "", false
			reached = last.notice == nil
			continue
		case '!':
			if raw := string(last.notice); raw != string(Notification(line[3:])) && raw != string(Encode(line[3:])) {
				t.Errorf("want the notice %q, got %q", line[2:], raw)
			}
			last.notice = nil
			reached = last.answer == ""
			continue
		}
		done()
		f := Frame{Kind: KindPacket, Payload: []byte(line[2:]), Valid: true}
		if strings.HasPrefix(line[2:], "%") {
			f.Kind, f.Payload = KindNotification, f.Payload[1:]
		}
		if line[0] == '>' {
			var err error
			if last, err = c.fromClient(f); err != nil {
				t.Fatal(err)
			}
		} else {
			if last = c.fromServer(f); last.admit != nil {
				last = c.admitted(*last.admit, nil)
			}
			told = append(told, last.refused...)
			if f.Kind == KindNotification && last.pass {
				t.Errorf("%q reaches the client", line)
			}
		}
		reached = last.pass && last.notice == nil || !last.pass && last.answer == "" && !last.empty && last.notice == nil
	}
	done()
	return told
}

func pairOf(question, answer string) string {
	return fmt.Sprintf("< %%Pair:%x,%s%s", len(question), question, answer)
}

const (
	ran    = "> vCont;c:p126b.-1"
	halted = "T05thread:p126b.126b;reason:breakpoint;"
)

// stopsWith is a resume up to its stop, with what the companion sends along.
func stopsWith(pairs ...string) []string {
	return append(append([]string{ran, "! %" + MarkAhead}, pairs...), "< "+halted)
}

// What came with a stop is answered without the server, and anything else is the
// server's.
func TestWhatCameWithAStopIsAnsweredHere(t *testing.T) {
	c := &conversation{}
	afar(t, c, stopsWith(pairOf("jThreadsInfo", "[]"), pairOf("x1000,2", "ab"), pairOf("qOffsets", ""))...)
	afar(t, c,
		"> jThreadsInfo", "= []",
		"> x1000,2", "= ab",
		"> qOffsets", "= ",
		"> x1000,4", "< abcd", // another question
		"> x1000,4", "= abcd", // asked before
	)
}

// A write, or a resume, makes the answers uncertain.
func TestWhatMakesAnswersUncertain(t *testing.T) {
	for _, test := range []struct {
		packet, answer string
		known, region  bool
	}{
		{"M1000,1:00", "OK", false, true}, {"X1000,1:a", "OK", false, true}, {"P7=00", "OK", false, true}, {"G00", "OK", false, true},
		{"QRestoreRegisterState:1", "OK", false, true},
		{"QSaveRegisterState", "1", true, true}, {"Z0,9000,1", "OK", true, true}, {"z0,9000,1", "OK", true, true}, {"m2000,1", "00", true, true},
		{"qC", "QC1", true, true}, {"Hg1", "OK", true, true}, {"jModulesInfo:[]", "[]", true, true},
		{"_M1000,rwx", "7000", false, false}, {"vFile:open", "F1", false, false}, {"QPassSignals:0d", "OK", false, false},
		{"vRun;61", "T05", false, false}, {"?", "T05thread:126b;", false, false}, {"c", "T05thread:126b;", false, false},
	} {
		t.Run(test.packet, func(t *testing.T) {
			c := &conversation{}
			afar(t, c, stopsWith(pairOf("x1000,2", "ab"), pairOf("qMemoryRegionInfo:5000", "start:5000;size:1000;permissions:r;"))...)
			if _, err := c.fromClient(Frame{Kind: KindPacket, Payload: []byte(test.packet), Valid: true}); err != nil {
				t.Fatal(err)
			}
			c.fromServer(Frame{Kind: KindPacket, Payload: []byte(test.answer), Valid: true})
			for question, want := range map[string]bool{"x1000,2": test.known, "qMemoryRegionInfo:5800": test.region} {
				if _, known := c.known.answer([]byte(question)); known != want {
					t.Errorf("%s is known: %v, want %v", question, known, want)
				}
			}
		})
	}
}

// A question while another is not answered yet goes to the server: its answer is to come
// after that of the other.
func TestNothingIsAnsweredOutOfTurn(t *testing.T) {
	c := &conversation{}
	afar(t, c, stopsWith(pairOf("x1000,2", "ab"))...)
	afar(t, c, "> qC", "> x1000,2", "< QC1", "< ab")
}

// After a write the client's next question takes the usual ones along. What comes when
// the client does not wait any more is not kept: it may be from before another write.
func TestAfterAWriteTheUsualQuestionsComeAlong(t *testing.T) {
	c := &conversation{}
	afar(t, c, "> x1000,2", "< ab", "> x3000,2", "< cd")
	afar(t, c, ran, "! %Ahead:x1000,2|x3000,2", pairOf("x1000,2", "ab"), pairOf("x3000,2", "cd"), "< "+halted,
		"> P7=00;thread:126b;", "! %Do:P7=00;thread:126b;", "= OK",
		"> x1000,2", "! %Now:x3000,2", pairOf("x3000,2", "ef"), "< gh",
		"> x3000,2", "= ef", "> x1000,2", "= gh",
		"> P7=00;thread:126b;", "! %Do:P7=00;thread:126b;", "= OK",
		"> x1000,2", "! %Now:x3000,2", "> qC", pairOf("x3000,2", "ij"), "< gh", "< QC1",
		"> x3000,2", "< kl")
}

// After an allocation the regions that were known are asked for along with the next one.
func TestAfterAnAllocationTheRegionsComeAlong(t *testing.T) {
	const code = "start:1000;size:1000;permissions:rx;"
	c := &conversation{}
	afar(t, c, stopsWith(pairOf("qMemoryRegionInfo:1010", code))...)
	afar(t, c, "> _M1000,rwx", "< 7000", "> _M1000,r", "< 8000",
		"> qMemoryRegionInfo:7000", "! %Now:qMemoryRegionInfo:1000", pairOf("qMemoryRegionInfo:1000", code), "< start:7000;size:1000;permissions:rwx;",
		"> Z0,1020,1", "! %Do:Z0,1020,1", "= OK", "> M7000,1:00", "! %Do:M7000,1:00", "= OK")
}

// The companion is told what the client has asked, for as long as it goes on asking.
func TestTheCompanionAsksWhatTheClientHasAsked(t *testing.T) {
	c := &conversation{}
	afar(t, c, "> x1000,2", "< ab", "> jThreadsInfo", "< []",
		"> qProcessInfo", "< pid:1;", // once
		"> x3000,9000", "< "+strings.Repeat("a", habitAnswer+1), // too much
		ran, "! %Ahead:x1000,2|jThreadsInfo", pairOf("jThreadsInfo", "[]"), "< "+halted,
		"> jThreadsInfo", "= []")
	for range habitAge {
		afar(t, c, ran, "< "+halted, "> jThreadsInfo", "< []")
	}
	afar(t, c, ran, "! %Ahead:jThreadsInfo", "< "+halted)
}

// Breakpoints in code that is known to be mapped, and those that are there, are answered
// at once.
func TestWhatNeedNotWaitForItsAnswer(t *testing.T) {
	const code, data = "start:1000;size:1000;permissions:rx;", "start:5000;size:1000;permissions:rw;"
	c := &conversation{}
	afar(t, c, stopsWith(pairOf("qMemoryRegionInfo:1000", code), pairOf("qMemoryRegionInfo:5000", data))...)
	afar(t, c,
		"> Z0,1010,1", "! %Do:Z0,1010,1", "= OK",
		"> z0,1010,1", "! %Do:z0,1010,1", "= OK",
		"> z0,1010,1", "< E08", // it is not there
		"> Z0,5010,1", "< E09", // no code
		"> Z0,9010,1", "< OK", // unknown
		"> z0,9010,1", "! %Do:z0,9010,1", "= OK", // but it was set
		"> Z1,1010,1", "< OK", "> Z0,1010,1;X1,00", "< OK",
		"> M5ffe,2:0000", "! %Do:M5ffe,2:0000", "= OK",
		"> M5fff,2:0000", "< E09", "> M9000,1:00", "< E09",
		"> P7=00;thread:126b;", "! %Do:P7=00;thread:126b;", "= OK",
		"> P7=00", "< OK",
	)
}

// A refusal holds the resume: the client sees a stop where the process stands, the user
// is told, and the breakpoint can be removed.
func TestARefusedBreakpointHoldsTheResume(t *testing.T) {
	c := &conversation{}
	afar(t, c, stopsWith(pairOf("qMemoryRegionInfo:1000", "start:1000;size:1000;permissions:rx;"))...)
	afar(t, c, "> Z0,1010,1", "! %Do:Z0,1010,1", "= OK", ran, "< %Refused:9,Z0,1010,1E09")
	told := afar(t, c, "< %Held",
		"= T05thread:p126b.126b;reason:exception;description:"+hex.EncodeToString([]byte("Setting the breakpoint at 0x1010 has failed"))+";")
	if len(told) != 1 || told[0].What != "Setting the breakpoint at 0x1010" || told[0].Err != "E09" {
		t.Errorf("the user is told %v", told)
	}
	// The server's reason for the stop is that of the stop before.
	afar(t, c, "> jThreadsInfo")
	if s := c.fromServer(Frame{Kind: KindPacket, Payload: []byte(`[{"reason":"breakpoint"}]`), Valid: true}); s.answer != `[{"reason":"exception"}]` {
		t.Errorf("the client sees %q", s.answer)
	}
	afar(t, c, "> z0,1010,1", "= OK", ran, "! %Ahead:jThreadsInfo", "< "+halted)
}

// The end of the acknowledgements is answered at once, and acknowledged: the client's
// acknowledgement of the answer is nobody's.
func TestTheEndOfAcknowledgementsIsNotWaitedFor(t *testing.T) {
	c := &conversation{}
	c.accompany(nil)
	client := func(f Frame) step {
		t.Helper()
		s, err := c.fromClient(f)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	ack := Frame{Kind: KindAck, Raw: []byte("+"), Valid: true}
	if s := client(ack); !s.pass {
		t.Errorf("the first acknowledgement: %+v", s)
	}
	s := client(Frame{Kind: KindPacket, Payload: []byte("QStartNoAckMode"), Valid: true})
	if s.pass || !s.acked || s.answer != "OK" || string(s.notice) != string(Notification(MarkDo+"QStartNoAckMode")) {
		t.Errorf("the request: %+v", s)
	}
	if s := client(ack); s.pass || s.notice != nil || s.answer != "" {
		t.Errorf("the acknowledgement of the answer: %+v", s)
	}
	if s := client(Frame{Kind: KindPacket, Payload: []byte("qC")}); !s.pass {
		t.Errorf("the next packet, whatever its checksum: %+v", s)
	}
}

// A debug server is greeted in one go. Only LLDB's own words show which questions follow.
func TestADebugServerIsGreetedInOneGo(t *testing.T) {
	const hello = "qSupported:xmlRegisters=i386,arm,mips,arc;multiprocess+;fork-events+"
	c := &conversation{noAck: true}
	c.accompany(nil)
	say := func(packet string) step {
		t.Helper()
		s, err := c.fromClient(Frame{Kind: KindPacket, Payload: []byte(packet), Valid: true})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if s := say("qSupported:swbreak+"); !s.pass || s.notice != nil {
		t.Errorf("another client's: %+v", s)
	}
	c.fromServer(Frame{Kind: KindPacket, Payload: []byte("PacketSize=1"), Valid: true})
	s := say(hello)
	if !s.pass || string(s.notice) != string(Notification(MarkNow+strings.Join(greeting, "|"))) {
		t.Errorf("LLDB's: %+v", s)
	}
	c.fromServer(Frame{Kind: KindNotification, Payload: []byte("Pair:6,vCont?vCont;c"), Valid: true})
	c.fromServer(Frame{Kind: KindPacket, Payload: []byte("PacketSize=2"), Valid: true})
	for question, want := range map[string]string{"vCont?": "vCont;c", hello: "PacketSize=2"} {
		if s := say(question); s.answer != want {
			t.Errorf("%s: %+v, want %q", question, s, want)
		}
	}
	if s := say("qC"); !s.pass {
		t.Errorf("what did not come: %+v", s)
	}
}

// What a platform always answers is asked once, on whichever connection; not any more
// when the client changes the folder that is part of it.
func TestAPlatformIsAskedOnce(t *testing.T) {
	host := newConstants()
	connect := func() func(string) step {
		c := &conversation{noAck: true}
		c.accompany(host)
		return func(packet string) step {
			t.Helper()
			s, err := c.fromClient(Frame{Kind: KindPacket, Payload: []byte(packet), Valid: true})
			if err != nil {
				t.Fatal(err)
			}
			if s.pass {
				if s.notice != nil {
					c.fromServer(Frame{Kind: KindNotification, Payload: []byte("Pair:e,qGetWorkingDir2f"), Valid: true})
				}
				c.fromServer(Frame{Kind: KindPacket, Payload: []byte("of " + packet), Valid: true})
			}
			return s
		}
	}
	first, second := connect(), connect()
	if s := first("qHostInfo"); !s.pass || string(s.notice) != string(Notification("Now:qGetWorkingDir|qQueryGDBServer|jSignalsInfo")) {
		t.Errorf("the first question: %+v", s)
	}
	for question, want := range map[string]string{"qHostInfo": "of qHostInfo", "qGetWorkingDir": "2f"} {
		if s := second(question); s.answer != want {
			t.Errorf("%s on another connection: %+v", question, s)
		}
	}
	if s := second("qQueryGDBServer"); !s.pass {
		t.Errorf("what nobody has answered: %+v", s)
	}
	if s := second("QSetWorkingDir:2f746d70"); !s.pass {
		t.Errorf("another folder: %+v", s)
	}
	if s := first("qGetWorkingDir"); !s.pass {
		t.Errorf("after it: %+v", s)
	}
}

// A detach that is done by another way comes after all that the client was told to be
// done already.
func TestADetachIsNotAheadOfWhatWasPromised(t *testing.T) {
	c := &conversation{}
	afar(t, c, stopsWith(pairOf("qMemoryRegionInfo:1000", "start:1000;size:1000;permissions:rx;"))...)
	afar(t, c, "> Z0,1010,1", "! %Do:Z0,1010,1", "= OK", "> z0,1010,1", "! %Do:z0,1010,1", "= OK")
	c.takeDetach()
	s, err := c.fromClient(Frame{Kind: KindPacket, Payload: []byte("D;126b"), Valid: true})
	if err != nil || s.pass || s.take || string(s.notice) != string(Encode("qC")) {
		t.Errorf("the detach: %+v, %v", s, err)
	}
	if s := c.fromServer(Frame{Kind: KindPacket, Payload: []byte("QC126b"), Valid: true}); !s.take {
		t.Errorf("the answer that comes after all others: %+v", s)
	}
}
