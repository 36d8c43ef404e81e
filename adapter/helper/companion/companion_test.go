package companion

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/gdbremote"
)

const limit = 10 * time.Second

// story is a companion between two sides of the test's.
type story struct {
	t             *testing.T
	relay, server *side
}

// side is one end, as packets: "$" stands for a packet, "%" for a notification.
type side struct {
	t    *testing.T
	name string
	c    net.Conn
	r    *gdbremote.Reader
}

type halves struct{ *net.UnixConn }

func pair(t *testing.T) (a, b *net.UnixConn) {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: t.TempDir() + "/s", Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if a, err = net.DialUnix("unix", nil, l.Addr().(*net.UnixAddr)); err == nil {
		b, err = l.AcceptUnix()
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*net.UnixConn{a, b} {
		_ = c.SetDeadline(time.Now().Add(limit))
		t.Cleanup(func() { _ = c.Close() })
	}
	return a, b
}

func begin(t *testing.T) *story {
	near, relay := pair(t)
	far, server := pair(t)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		sent := New(near, halves{far}).Run(near)
		_ = near.Close()
		<-sent
	}()
	t.Cleanup(func() {
		_, _ = relay.Close(), server.Close()
		select {
		case <-ended:
		case <-time.After(limit):
			t.Error("the companion does not end")
		}
	})
	return &story{t, &side{t, "relay", relay, gdbremote.NewReader(relay)}, &side{t, "server", server, gdbremote.NewReader(server)}}
}

func (s *side) sends(frames ...string) {
	s.t.Helper()
	for _, f := range frames {
		raw := gdbremote.Notification(f[1:])
		if f[0] == '$' {
			raw = gdbremote.Encode(f[1:])
		}
		if _, err := s.c.Write(raw); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *side) gets(frames ...string) {
	s.t.Helper()
	for _, want := range frames {
		f, err := s.r.Next()
		if err != nil {
			s.t.Fatalf("the %s waits for %q: %v", s.name, want, err)
		}
		if got := strings.TrimSuffix(string(f.Raw[:len(f.Raw)-2]), "#"); got != want {
			s.t.Fatalf("the %s gets %q, want %q", s.name, got, want)
		}
	}
}

// stop is a stop reply with these registers.
func stop(sp, fp, pc uint64) string {
	text := "$T05thread:p1.1;"
	for number, value := range map[int]uint64{stack: sp, frame: fp, counter: pc} {
		text += fmt.Sprintf("%02x:%s;", number, hex.EncodeToString(binary.LittleEndian.AppendUint64(nil, value)))
	}
	return text + "reason:breakpoint;"
}

func known(question, answer string) string {
	return fmt.Sprintf("%%Pair:%x,%s%s", len(question), question, answer)
}

// The stop comes after the answers to what the client asks at each stop, and to what its
// registers lead to, each asked once.
func TestAStopBringsAnswersAlong(t *testing.T) {
	s := begin(t)
	s.relay.sends("%Ahead:jThreadsInfo|x1000,200", "$vCont;c:p1.-1")
	s.server.gets("$vCont;c:p1.-1")
	at := stop(0x1010, 0x1240, 0x401000)
	s.server.sends(at)
	questions := []string{"qMemoryRegionInfo:401000", "x1000,200", "x1200,200", "x1400,200", "jThreadsInfo"}
	for _, q := range questions {
		s.server.gets("$" + q)
		s.server.sends("$of " + q)
	}
	for _, q := range questions {
		s.relay.gets(known(q, "of "+q))
	}
	s.relay.gets(at)
	// Whatever else the client asks is the server's.
	s.relay.sends("$qC")
	s.server.gets("$qC")
	s.server.sends("$QC1")
	s.relay.gets("$QC1")
}

// Nothing is asked before the relay has said so, at an exit, or when the resume fails.
func TestWhatBringsNothingAlong(t *testing.T) {
	for _, test := range []struct{ ahead, answer string }{
		{"", stop(0x1000, 0x1000, 0x1000)}, {"%Ahead:", stop(0x1000, 0x1000, 0x1000)}, {"%Ahead:qC", "$W00"}, {"%Ahead:qC", "$E05"},
		{"%Ahead:qC", "$X09;process:1"},
	} {
		s := begin(t)
		if test.ahead != "" {
			s.relay.sends(test.ahead)
		}
		s.relay.sends("$vCont;s:p1.1")
		s.server.gets("$vCont;s:p1.1")
		s.server.sends("$O6869", test.answer)
		s.relay.gets("$O6869", test.answer)
		s.relay.sends("$qC")
		s.server.gets("$qC")
	}
}

// Answers to what is to be asked at once come before that of the next request.
func TestWhatIsToBeAskedAtOnce(t *testing.T) {
	s := begin(t)
	s.relay.sends("%Now:QThreadSuffixSupported|vCont?", "$qSupported")
	s.server.gets("$QThreadSuffixSupported", "$vCont?", "$qSupported")
	s.server.sends("$OK", "$vCont;c", "$PacketSize=1")
	s.relay.gets(known("QThreadSuffixSupported", "OK"), known("vCont?", "vCont;c"), "$PacketSize=1")
}

// What is to be done is done in its order, and its answers are nobody's.
func TestWhatIsToBeDone(t *testing.T) {
	s := begin(t)
	s.relay.sends("%Do:Z0,1000,1", "%Do:z0,2000,1", "$x3000,2")
	s.server.gets("$Z0,1000,1", "$z0,2000,1", "$x3000,2")
	s.server.sends("$OK", "$OK", "$ab")
	s.relay.gets("$ab")
	s.relay.sends("$vCont;c")
	s.server.gets("$vCont;c")
}

// A resume waits for what is to be done before it. After a refusal it does not reach the
// server, but the next one does.
func TestARefusalHoldsTheResume(t *testing.T) {
	s := begin(t)
	s.relay.sends("%Do:Z0,1000,1", "%Do:Z0,2000,1", "$vCont;c")
	s.server.gets("$Z0,1000,1", "$Z0,2000,1")
	s.server.sends("$E09", "$OK")
	s.relay.gets("%Refused:9,Z0,1000,1E09", "%Held")
	s.relay.sends("$jThreadsInfo")
	s.server.gets("$jThreadsInfo")
	s.server.sends("$[]")
	s.relay.gets("$[]")
	s.relay.sends("$vCont;c")
	s.server.gets("$vCont;c")
}

// A process that is killed while the companion asks: its stop and its end come in their
// order, and no answer after them.
func TestAnEndWhileTheCompanionAsks(t *testing.T) {
	s := begin(t)
	s.relay.sends("%Ahead:jThreadsInfo|qShlibInfoAddr", "$vCont;c")
	s.server.gets("$vCont;c")
	s.server.sends("$T05thread:p1.1;")
	s.server.gets("$jThreadsInfo", "$qShlibInfoAddr")
	s.server.sends("$[]", "$X09;process:1", "$E01")
	s.relay.gets(known("jThreadsInfo", "[]"), "$T05thread:p1.1;", "$X09;process:1")
	s.relay.sends("$qC")
	s.server.gets("$qC")
	s.server.sends("$E44")
	s.relay.gets("$E44")
}

// Memory that reads like the end of a process is told from it by its length.
func TestMemoryThatReadsLikeAnEnd(t *testing.T) {
	for _, test := range []struct {
		asked, answer string
		want          bool
	}{
		{"x1000,3", "X09", false}, {"x1000,4", "X09", true}, {"x1000,f", "X09;process:12a", false}, {"x1000,200", "X09;process:12a", true},
		{"jThreadsInfo", "W00", true}, {"jThreadsInfo", "[]", false}, {"x1000,5", "}]abcd", false},
	} {
		if got := isExit(test.asked, []byte(test.answer)); got != test.want {
			t.Errorf("%s answered by %q: an end %v, want %v", test.asked, test.answer, got, test.want)
		}
	}
}

// A long answer is not sent ahead, be it one packet or more.
func TestAnAnswerThatIsTooLong(t *testing.T) {
	for _, size := range []int{maxAnswer + 1, 3 * gdbremote.MaxPacket / 2} {
		s := begin(t)
		s.relay.sends("%Ahead:x1000,200|qC", "$vCont;c")
		s.server.gets("$vCont;c")
		s.server.sends("$T05thread:p1.1;")
		s.server.gets("$x1000,200", "$qC")
		go func() { // nothing fits into the socket
			_, _ = s.server.c.Write(append(gdbremote.Encode(strings.Repeat("a", size)), gdbremote.Encode("QC1")...))
		}()
		s.relay.gets(known("qC", "QC1"), "$T05thread:p1.1;")
	}
}

// Both directions end by themselves: the server hears that the relay sends no more, and
// may still speak.
func TestTheEndsAreCarried(t *testing.T) {
	s := begin(t)
	s.relay.sends("$D")
	_ = s.relay.c.(*net.UnixConn).CloseWrite()
	s.server.gets("$D")
	if _, err := s.server.r.Next(); err != io.EOF {
		t.Errorf("the server reads %v, want the end", err)
	}
	s.server.sends("$OK")
	s.relay.gets("$OK")
	_ = s.server.c.Close()
	if _, err := s.relay.r.Next(); err != io.EOF {
		t.Errorf("the relay reads %v, want the end", err)
	}
}

// A resume that waits for the server ends with it.
func TestAServerThatEndsInTheMiddle(t *testing.T) {
	s := begin(t)
	s.relay.sends("%Do:Z0,1000,1", "$vCont;c")
	s.server.gets("$Z0,1000,1")
	_ = s.server.c.Close()
	if _, err := s.relay.r.Next(); err != io.EOF {
		t.Errorf("the relay reads %v, want the end", err)
	}
}

// An answer leads to what LLDB asks because of it: what the auxiliary vector points to, the
// page of the kernel's, and what a return address on the stack would.
func TestWhereAnAnswerLeads(t *testing.T) {
	words := func(all ...uint64) string {
		var b []byte
		for _, w := range all {
			b = binary.LittleEndian.AppendUint64(b, w)
		}
		return string(b)
	}
	escape := strings.NewReplacer("}", "}]", "#", "}\x03", "$", "}\x04", "*", "}\x0a")
	for _, test := range []struct{ question, answer, want string }{
		{"qXfer:auxv:read::0,131071", "l" + escape.Replace(words(33, 0x7f0000232400, 6, 4096, 7, 0x7f00007d2a00, 9, 0x401000, 0, 0)),
			"qMemoryRegionInfo:7f0000232400 qMemoryRegionInfo:7f00007d2a00 qMemoryRegionInfo:401000"},
		{"qXfer:auxv:read::0,131071", "E01", ""},
		{"qXfer:auxv:read::0,131071", "m" + words(33, 1), ""}, // a part
		{"qMemoryRegionInfo:1000", "start:1000;size:2000;permissions:rx;flags:;name:5b7664736f5d;", "x1000,2000"},
		{"qMemoryRegionInfo:1000", "start:1000;size:2000;permissions:rx;flags:;", ""},
		{"x5000,200", strings.Repeat("\x00", 0x10) + words(0x14) + strings.Repeat("\x00", 0x1e8), "qMemoryRegionInfo:14"},
		{"x5000,200", "E08", ""},
		{"x5200,200", strings.Repeat("\x00", 0x200), ""},
	} {
		c := &Companion{top: 0x5010}
		if got := strings.Join(c.follow(test.question, []byte(test.answer)), " "); got != test.want {
			t.Errorf("%s leads to %q, want %q", test.question, got, test.want)
		}
	}
}

// lldb-server's numbers of the registers differ by machine.
func TestTheNumbersOfRegisters(t *testing.T) {
	for arch, want := range map[string][]int{"amd64": {6, 7, 16}, "arm64": {29, 31, 32}} {
		frame, stack, counter := registers(arch)
		if got := []int{frame, stack, counter}; !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", arch, got, want)
		}
	}
}
