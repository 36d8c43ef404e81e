package gdbremote

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// LLDB 19 and 22 make different file names of one scheme and one socket name.
func TestBothLLDBVersionsFindTheSocket(t *testing.T) {
	for version, path := range map[string]func(scheme, name string) string{
		"19": func(scheme, name string) string { return scheme + "://[]" + name },
		"22": func(scheme, name string) string { return scheme + "://" + name },
	} {
		t.Run(version, func(t *testing.T) {
			s := begin(t, Config{})
			name := s.launch(s.platform())
			if name != "/g1.sock" {
				t.Errorf("the socket's name is %q", name)
			}
			url := path(Scheme(s.dir), name)
			c, err := net.Dial("unix", strings.TrimPrefix(url, "unix-connect://"))
			client := s.peer("client", c, err)
			server := s.accept("server", s.gdb)
			passes(client, server, "qSupported")
			passes(server, client, "PacketSize=20000")
		})
	}
}

// A platform starts as many debug servers as it is asked for.
func TestEachDebugServerGetsItsOwnSocket(t *testing.T) {
	s := begin(t, Config{})
	client, server := s.platform()
	for _, want := range []string{"/g1.sock", "/g2.sock"} {
		if name := s.launch(client, server); name != want {
			t.Errorf("the socket's name is %q, want %q", name, want)
		}
	}
	for _, name := range []string{"g2", "g1"} {
		c, err := net.Dial("unix", filepath.Join(s.dir, schemeFolder, name+".sock"))
		client := s.peer(name+" client", c, err)
		server := s.accept(name+" server", s.gdb)
		passes(client, server, "qC")
		client.closes()
		server.receivesEnd()
		server.closes()
		s.observes("disconnected " + name + ": <nil>")
	}
	// What has ended is forgotten: the platform's connection is left.
	s.until(func() bool {
		s.relay.mu.Lock()
		defer s.relay.mu.Unlock()
		return len(s.relay.links) == 1 && len(s.relay.open) == 3 // and its socket
	})
}

func TestALaunchThatFailsIsTheClients(t *testing.T) {
	s := begin(t, Config{})
	client, server := s.platform()
	passes(client, server, "qLaunchGDBServer;host:localhost;")
	passes(server, client, "E09")
}

// A server on a TCP port would be one that others can connect to.
func TestADebugServerWithoutAUnixSocketEndsTheConnection(t *testing.T) {
	for reply, why := range map[string]string{
		"pid:77;port:1234;":              `debug server named no unix socket: "pid:77;port:1234;"`,
		"pid:77;port:0;socket_name:xyz;": `debug server named a socket that is not hex: "pid:77;port:0;socket_name:xyz;"`,
	} {
		s := begin(t, Config{})
		client, server := s.platform()
		passes(client, server, "qLaunchGDBServer;")
		server.sends(reply)
		s.observes("disconnected platform: " + why)
		client.receivesEnd()
		server.receivesEnd()
	}
}

// What the relay does not act on passes byte for byte.
func TestOtherBytesPassUntouched(t *testing.T) {
	s := begin(t, Config{SkipToExec: true})
	client, server := s.debugServer()
	noAck(client, server)
	for _, raw := range []string{"+", "-", "\x03", "x", "$vCont?#49", "$m1000,10#2a"} {
		client.write(raw)
		server.frame(raw)
		server.write(raw)
		client.frame(raw)
	}
	server.write("%Stop:" + exec + "#00")
	client.frame("%Stop:" + exec + "#00")
	client.write("$X1000,4:}\x03}\x04}]\x00#b0")
	server.frame("$X1000,4:}\x03}\x04}]\x00#b0")
	s.observesNothing()
}

// With acknowledgements, the receiver rejects a packet with a wrong checksum, and
// it comes once more: the first one means nothing.
func TestABrokenRequestMeansNothing(t *testing.T) {
	s := begin(t, Config{SkipToExec: true})
	client, server := s.debugServer()
	for _, raw := range []string{"$" + awaitEnvoy + "#00", "$" + awaitEnvoy + "#zz"} {
		client.write(raw)
		server.frame(raw)
		server.write("-")
		client.frame("-")
	}
	s.observesNothing()
	passes(client, server, awaitEnvoy)
	s.observes(armed)
	server.write("-") // broken on the way
	client.frame("-")
	s.relay.settle(false) // the client's first try is void
	passes(client, server, awaitEnvoy)
	s.observes(armed)
	server.sends(attached)
	server.frame("+")
	server.receives("vCont;c")
	server.write("-") // and the relay's own is repeated by the relay
	server.receives("vCont;c")
	server.write("+")
	server.sends(exec)
	client.receives(asShown(exec))
	s.observes(fmt.Sprintf("attached %d, swallowed [T13 signal], error <nil>, ended false", pid))
}

// Without acknowledgements lldb-server takes a packet with any checksum.
func TestWithoutAcknowledgementsTheChecksumIsNoMatter(t *testing.T) {
	s := begin(t, Config{SkipToExec: true})
	client, server := s.debugServer()
	noAck(client, server)
	client.write("$" + awaitEnvoy + "#00")
	server.frame("$" + awaitEnvoy + "#00")
	s.observes(armed)
	server.write("$" + attached + "#zz")
	server.receives("vCont;c")
}

// A stop reply with a wrong checksum is for the client to reject, not an attach.
func TestABrokenReplyIsNoAttach(t *testing.T) {
	s := begin(t, Config{SkipToExec: true})
	client, server := s.debugServer()
	passes(client, server, awaitEnvoy)
	s.observes(armed)
	server.write("$" + attached + "#00")
	client.frame("$" + attached + "#00")
	client.write("-")
	server.frame("-")
	s.observesNothing()
	server.sends(attached)
	server.frame("+")
	server.receives("vCont;c")
}

func TestLargePacketsPass(t *testing.T) {
	s := begin(t, Config{})
	client, server := s.debugServer()
	noAck(client, server)
	payload := "QC" + strings.Repeat("0123456789abcdef", 8<<20/16)
	for _, way := range []struct{ from, to *peer }{{client, server}, {server, client}} {
		sent := make(chan struct{})
		go func() { defer close(sent); way.from.sends(payload) }()
		way.to.receives(payload) // within the limit
		<-sent
	}
}

// When the server dies the observer hears of it while the client still believes
// to be connected: the cause is known before the consequence.
func TestTheServersDeathIsToldFirst(t *testing.T) {
	s := begin(t, Config{SkipToExec: true})
	client, server := s.debugServer()
	noAck(client, server)
	s.atEnd(func() {
		if !client.open() {
			t.Error("the client was disconnected before the observer was told")
		}
	})
	passes(client, server, awaitEnvoy)
	s.observes(armed)
	answersAttach(server, client, exec)
	s.observes("attached 4715, swallowed [], error <nil>, ended false")
	passes(client, server, "vCont;c")
	server.closes()
	s.observes("disconnected g1: EOF")
	client.receivesEnd()
}

func TestAServerThatDiesWithinAPacket(t *testing.T) {
	s := begin(t, Config{})
	client, server := s.debugServer()
	server.write("$T05thread")
	server.closes()
	s.observes("disconnected g1: unexpected EOF")
	client.receivesEnd()
}

// A server that dies under the client's packets has died; it is not the client
// who left, although the pump that fails is the client's.
func TestAServerThatDiesUnderALargePacket(t *testing.T) {
	s := begin(t, Config{})
	client, server := s.debugServer()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = client.conn.Write(Encode(strings.Repeat("a", 4<<20)))
	}()
	// The relay is writing, and blocked, once the packet's first bytes are here.
	if b := make([]byte, 1); func() bool { n, err := server.conn.Read(b); return n != 1 || err != nil }() {
		t.Fatal("nothing came")
	}
	server.closes()
	select {
	case got := <-s.news:
		if got == "disconnected g1: <nil>" {
			t.Errorf("the observer was told %q", got)
		}
	case <-time.After(limit):
		t.Error("the observer was not told")
	}
	client.receivesEnd()
	<-sent
}

func TestAClientMayLeave(t *testing.T) {
	s := begin(t, Config{})
	client, server := s.awaiting()
	client.closes()
	server.receivesEnd()
	server.closes()
	s.observes("disconnected g1: <nil>")
}

// A client that is gone when the server has something to say has left, too.
func TestAClientThatLeavesUnderALargePacket(t *testing.T) {
	s := begin(t, Config{})
	client, server := s.debugServer()
	noAck(client, server)
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = server.conn.Write(Encode(strings.Repeat("a", 4<<20)))
	}()
	if _, err := client.conn.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	client.closes()
	s.observes("disconnected g1: <nil>")
	<-sent
}

// The server's end is no accident once there is nothing to debug any more.
func TestTheEndOfTheConnectionIsNormalWhenTheProcessIsGone(t *testing.T) {
	for _, test := range []struct {
		name, request, reply, want string
	}{
		{"exited", "vCont;c", "W00;process:126b", "<nil>"},
		{"exited after a step", "vCont;s:126b", "W00", "<nil>"},
		{"killed by a signal", "c", "X0b", "<nil>"},
		{"detached", "D", "OK", "<nil>"},
		{"detached by id", "D;126b", "OK", "<nil>"},
		{"detached without a reply", "D;126b", "", "<nil>"},
		{"killed by the client", "k", "", "<nil>"},
		{"killed by the client, told", "k", "X09", "<nil>"},
		{"killed by id", "vKill;126b", "OK", "<nil>"},
		{"stopped", "vCont;c", "T05thread:126b;reason:breakpoint;", "EOF"},
		{"running", "vCont;c", "", "EOF"},
		{"the detach was refused", "D", "E05", "EOF"},
		{"memory that looks like an exit", "x1000,3", "W00", "EOF"},
		{"a question that begins like a resume", "vCont?", "vCont;c", "EOF"},
		{"the end of a child", "D;999", "OK", "<nil>"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := begin(t, Config{})
			client, server := s.debugServer()
			noAck(client, server)
			passes(client, server, test.request)
			if test.reply != "" {
				passes(server, client, test.reply)
			}
			server.closes()
			s.observes("disconnected g1: " + test.want)
			client.receivesEnd()
		})
	}
}

// Output of the running process does not hide its exit.
func TestAnExitAfterConsoleOutputIsAnExit(t *testing.T) {
	s := begin(t, Config{})
	client, server := s.debugServer()
	noAck(client, server)
	passes(client, server, "vCont;c")
	passes(server, client, "O686921")
	passes(server, client, "W00")
	server.closes()
	s.observes("disconnected g1: <nil>")
}

func TestAServerThatCannotBeReached(t *testing.T) {
	s := begin(t, Config{Dial: func(context.Context, string) (Conn, error) { return nil, errors.New("refused") }})
	var client *peer
	ready := make(chan struct{})
	s.atEnd(func() {
		<-ready
		if !client.open() {
			t.Error("the client was disconnected before the observer was told")
		}
	})
	c, err := net.Dial("unix", strings.TrimPrefix(s.relay.URL(), "unix-connect://"))
	client = s.peer("client", c, err)
	close(ready)
	s.observes("disconnected platform: no connection to the debug server: refused")
	client.receivesEnd()
}

// Close ends everything, in whatever state, and tells nobody.
func TestCloseLeavesNothing(t *testing.T) {
	s := begin(t, Config{SkipToExec: true})
	platform, platformServer := s.platform()
	s.launch(platform, platformServer) // and nobody comes
	name := s.launch(platform, platformServer)
	c, err := net.Dial("unix", filepath.Join(s.dir, schemeFolder)+name)
	client := s.peer("client", c, err)
	server := s.accept("server", s.gdb)
	passes(client, server, awaitEnvoy)
	s.observes(armed)

	for range 2 { // twice is harmless
		if err := s.relay.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, p := range []*peer{platform, platformServer, client, server} {
		p.receivesEnd()
	}
	s.observesNothing()
	left, err := os.ReadDir(s.dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left in the folder: %v, %v", left, err)
	}
}

// Close does not wait for a dial, or for who decides about a process.
func TestCloseEndsWhatBlocks(t *testing.T) {
	t.Run("a dial", func(t *testing.T) {
		dialling := make(chan struct{})
		s := begin(t, Config{Dial: func(ctx context.Context, _ string) (Conn, error) {
			close(dialling)
			<-ctx.Done()
			return nil, ctx.Err()
		}})
		c, err := net.Dial("unix", strings.TrimPrefix(s.relay.URL(), "unix-connect://"))
		client := s.peer("client", c, err)
		<-dialling
		s.relay.Close()
		client.receivesEnd()
		s.observesNothing()
	})
	t.Run("an admission", func(t *testing.T) {
		asked := make(chan struct{})
		s := begin(t, Config{Admit: func(ctx context.Context, _ int) error {
			close(asked)
			<-ctx.Done()
			return ctx.Err()
		}})
		client, server := s.debugServer()
		passes(client, server, awaitEnvoy)
		s.observes(armed)
		server.sends(attached)
		<-asked
		s.relay.Close()
		client.receivesEnd()
		s.observesNothing()
	})
}

func TestTheRelaysAddresses(t *testing.T) {
	s := begin(t, Config{})
	if want := "unix-connect://" + s.dir + "/p.sock"; s.relay.URL() != want {
		t.Errorf("URL %q, want %q", s.relay.URL(), want)
	}
	if want := "unix-connect://" + s.dir + "/s"; Scheme(s.dir) != want {
		t.Errorf("scheme %q, want %q", Scheme(s.dir), want)
	}
	if _, err := Start(Config{Dir: filepath.Join(s.dir, "none")}); err == nil {
		t.Error("a relay started in a folder that does not exist")
	}
	if _, err := hex.DecodeString(strings.TrimPrefix(awaitEnvoy, "vAttachOrWait;")); err != nil {
		t.Fatal(err)
	}
}
