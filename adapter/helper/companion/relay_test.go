package companion

import (
	"context"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/gdbremote"
)

// observer is what a relay tells, as lines.
type observer struct{ told chan string }

func (o observer) Arming(gdbremote.Arming)              {}
func (o observer) Attached(a gdbremote.Attached)        { o.told <- fmt.Sprintf("attached %d", a.PID) }
func (o observer) Exited(gdbremote.Exit)                {}
func (o observer) Refused(r gdbremote.Refused)          { o.told <- r.What + ": " + r.Err }
func (o observer) Disconnected(c string, err error)     { o.told <- fmt.Sprintf("%s ended: %v", c, err) }
func (o observer) Packet(string, bool, gdbremote.Frame) {}

// accompanied is the relay's end of a connection with a companion.
type accompanied struct{ *net.UnixConn }

func (accompanied) Accompanied() {}

// far is a client at a relay, whose companion is at the debug server.
type far struct {
	t              *testing.T
	client, server *side
	told           chan string
}

func beginFar(t *testing.T) *far {
	t.Helper()
	dir, err := os.MkdirTemp("", "far") // the names of sockets are short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	f := &far{t: t, told: make(chan string, 10)}
	servers := make(chan *side, 2)
	relay, err := gdbremote.Start(gdbremote.Config{Dir: dir, Platform: "platform", Awaited: "envoy", Observer: observer{f.told},
		Dial: func(_ context.Context, socket string) (gdbremote.Conn, error) {
			near, relayed := pair(t)
			companion, server := pair(t)
			go func() {
				New(near, companion).Run(near)
				_ = near.Close()
			}()
			servers <- &side{t, socket, server, gdbremote.NewReader(server)}
			return accompanied{relayed}, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = relay.Close() })
	platform := f.connect(strings.TrimPrefix(relay.URL(), "unix-connect://"))
	beside := <-servers
	platform.sends("$qLaunchGDBServer;")
	beside.gets("$qLaunchGDBServer;")
	beside.sends("$pid:1;socket_name:" + hex.EncodeToString([]byte("/gdbserver")) + ";")
	platform.gets("$pid:1;socket_name:" + hex.EncodeToString([]byte("/g1.sock")) + ";")
	f.client = f.connect(filepath.Join(dir, "s:", "g1.sock"))
	f.server = <-servers
	f.client.sends("$QStartNoAckMode")
	if _, err := f.client.r.Next(); err != nil { // +
		t.Fatal(err)
	}
	f.client.gets("$OK")
	if _, err := f.client.c.Write([]byte("+")); err != nil {
		t.Fatal(err)
	}
	f.server.gets("$QStartNoAckMode")
	if ack, err := f.server.r.Next(); err != nil || ack.Kind != gdbremote.KindAck {
		t.Fatalf("the server gets %q, %v; want the acknowledgement of its OK", ack.Raw, err)
	}
	if _, err := f.server.c.Write([]byte("+")); err != nil {
		t.Fatal(err)
	}
	f.server.sends("$OK")
	return f
}

func (f *far) connect(path string) *side {
	f.t.Helper()
	c, err := net.Dial("unix", path)
	if err != nil {
		f.t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(limit))
	f.t.Cleanup(func() { _ = c.Close() })
	return &side{f.t, "client", c, gdbremote.NewReader(c)}
}

// attach brings the client to a stop in mapped code.
func (f *far) attach() {
	f.t.Helper()
	f.client.sends("$vAttachOrWait;656e766f79")
	f.server.gets("$vAttachOrWait;656e766f79")
	at := stop(0x1000, 0x1000, 0x401000)
	f.server.sends(at)
	for asked := ""; asked != "p0;thread:0001;"; { // the last that LLDB asks then
		frame, err := f.server.r.Next()
		if err != nil {
			f.t.Fatal(err)
		}
		asked = string(frame.Payload)
		f.server.sends("$" + map[string]string{"qMemoryRegionInfo:401000": "start:401000;size:1000;permissions:rx;", "jThreadsInfo": "[]"}[asked])
	}
	f.client.gets(strings.Replace(at, "reason:breakpoint", "reason:exception", 1))
	if told := <-f.told; told != "attached 1" {
		f.t.Errorf("told %q", told)
	}
	f.client.sends("$jThreadsInfo")
	f.client.gets("$[]")
}

// Relay and companion together: a breakpoint that is refused after the client was told
// that it is set keeps the process from running.
func TestFarAwayARefusedBreakpointIsTold(t *testing.T) {
	f := beginFar(t)
	f.attach()
	f.client.sends("$Z0,401010,1")
	f.client.gets("$OK")
	f.server.gets("$Z0,401010,1")
	f.client.sends("$vCont;c:p1.-1")
	f.server.sends("$E09")
	frame, err := f.client.r.Next()
	if err != nil || !strings.Contains(string(frame.Payload), "reason:exception;description:") {
		t.Fatalf("the client gets %q, %v", frame.Raw, err)
	}
	if told := <-f.told; told != "Setting the breakpoint at 0x401010: E09" {
		t.Errorf("told %q", told)
	}
	f.client.sends("$vCont;c:p1.-1") // without it, as the user wants
	f.server.gets("$vCont;c:p1.-1")
	f.server.sends("$W00")
	f.client.gets("$W00")
}

// The connection breaks after the answers and before the stop: the client sees its end.
func TestFarAwayTheServerEndsBeforeTheStop(t *testing.T) {
	f := beginFar(t)
	f.attach()
	f.client.sends("$vCont;c:p1.-1")
	f.server.gets("$vCont;c:p1.-1")
	f.server.sends("$T05thread:p1.1;reason:breakpoint;")
	if _, err := f.server.r.Next(); err != nil { // the companion asks
		t.Fatal(err)
	}
	_ = f.server.c.Close()
	if frame, err := f.client.r.Next(); err == nil {
		t.Errorf("the client gets %q, want the end", frame.Raw)
	}
	if told := <-f.told; !strings.HasPrefix(told, "g1 ended: ") || strings.HasSuffix(told, "<nil>") {
		t.Errorf("told %q", told)
	}
}
