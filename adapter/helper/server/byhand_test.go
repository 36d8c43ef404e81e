//go:build linux

package server

import (
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/gdbremote"
	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/internal/process"
)

// freeAddress is one at which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// startByHand starts an lldb-server as somebody would do by hand, with the words before
// it, and returns where it listens.
func startByHand(t *testing.T, version string, before ...string) (address string) {
	t.Helper()
	address = freeAddress(t)
	server := lldbServer(t, version)
	args := append(before, server, "platform", "--server", "--listen", address)
	cmd := exec.Command(args[0], args[1:]...)
	if real, err := filepath.EvalSymlinks(server); err == nil {
		cmd.Env = append(os.Environ(), "LLDB_DEBUGSERVER_PATH="+real)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	})
	for late := time.Now().Add(bound); ; time.Sleep(5 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
			return address
		}
		if time.Now().After(late) {
			t.Fatalf("%v does not listen: %v", args, err)
		}
	}
}

var byHandVersions = []string{"19", "22"}

func TestAServerThatWasStartedByHandIsLookedAt(t *testing.T) {
	for _, version := range byHandVersions {
		t.Run(version, func(t *testing.T) {
			c := openSession(t)
			here := startByHand(t, version)
			r, err := c.PlatformConnect(c.ctx, helper.PlatformConnectParams{Address: here, Awaited: "envoy-01234567"})
			if err != nil || !strings.HasPrefix(r.Version, version+".") || r.Machine != c.hello.Arch || !r.Processes || !r.Files {
				t.Errorf("beside the session: %+v, %v", r, err)
			}
			elsewhere := startByHand(t, version, "unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
			r, err = c.PlatformConnect(c.ctx, helper.PlatformConnectParams{Address: elsewhere})
			if err != nil || r.Processes || r.Seen == "" {
				t.Errorf("in another PID namespace: %+v, %v", r, err)
			}
			apart := startByHand(t, version, "unshare", "--mount", "sh", "-c", fmt.Sprintf(`mount -t tmpfs none %s && exec "$@"`, c.hello.Dir), "sh")
			r, err = c.PlatformConnect(c.ctx, helper.PlatformConnectParams{Address: apart})
			if err != nil || !r.Processes || r.Files {
				t.Errorf("in another mount namespace: %+v, %v", r, err)
			}
		})
	}
}

func TestWhatIsNoServerByHand(t *testing.T) {
	c := openSession(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, "HTTP/1.0 400 Bad Request\r\n\r\n")
			conn.Close()
		}
	}()
	for name, f := range map[string]struct {
		address string
		code    int64
	}{
		"nobody":         {freeAddress(t), helper.CodeUnreached},
		"a web server":   {l.Addr().String(), helper.CodeNoPlatform},
		"a debug server": {gdbserverByHand(t), helper.CodeNoPlatform},
	} {
		if _, err := c.PlatformConnect(c.ctx, helper.PlatformConnectParams{Address: f.address}); helper.Code(err) != f.code {
			t.Errorf("%s: %v, want code %d", name, err, f.code)
		}
	}
	if _, err := c.DialServer(c.ctx, helper.ByHandScheme+l.Addr().String()); err == nil {
		t.Error("an address was dialled that is no debug server's")
	}
}

// gdbserverByHand starts a debug server for one process.
func gdbserverByHand(t *testing.T) string {
	t.Helper()
	address := freeAddress(t)
	cmd := exec.Command(lldbServer(t, "19"), "gdbserver", address)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	_, port, _ := net.SplitHostPort(address)
	listening := fmt.Sprintf(":%04X ", number(port))
	for late := time.Now().Add(bound); ; time.Sleep(5 * time.Millisecond) { // it takes one connection
		if b, err := os.ReadFile("/proc/net/tcp"); err == nil && strings.Contains(string(b), listening) {
			return address
		}
		if time.Now().After(late) {
			t.Fatal("gdbserver does not listen")
		}
	}
}

func number(s string) (n int) { _, _ = fmt.Sscan(s, &n); return n }

// dialled is a connection to a debug server, through the helper, on which packets are
// asked.
type dialled struct {
	io.ReadWriteCloser
	in *gdbremote.Reader
}

func dialByHand(t *testing.T, c *client, socket string) dialled {
	t.Helper()
	conn, err := c.DialServer(c.ctx, socket)
	if err != nil {
		t.Fatal(err)
	}
	d := dialled{conn, gdbremote.NewReader(conn)}
	if answer := d.ask(t, "QStartNoAckMode"); answer != "OK" {
		t.Fatalf("%s answers %q", socket, answer)
	}
	if _, err := io.WriteString(d, "+"); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d dialled) send(t *testing.T, packet string) {
	t.Helper()
	if _, err := d.Write(gdbremote.Encode(packet)); err != nil {
		t.Fatal(err)
	}
}

func (d dialled) ask(t *testing.T, packet string) string {
	t.Helper()
	d.send(t, packet)
	for {
		f, err := d.in.Next()
		if err != nil {
			t.Fatalf("%s: %v", packet, err)
		}
		if f.Kind == gdbremote.KindPacket {
			return string(f.Payload)
		}
	}
}

// gdbservers are the debug servers that run here.
func gdbservers(t *testing.T) (pids []int) {
	t.Helper()
	all, err := process.All()
	if err != nil {
		t.Fatal(err)
	}
	for pid, p := range all {
		if args := arguments(pid); !p.Dead() && len(args) > 0 && args[0] == "gdbserver" {
			pids = append(pids, pid)
		}
	}
	return pids
}

// A debug server that waits for a name does not see that its client has gone. The
// platform is left as it was.
func TestADebugServerOfAPlatformByHandEndsWithTheSession(t *testing.T) {
	for _, how := range []string{"end", "gone"} {
		for _, version := range byHandVersions {
			t.Run(version+"/"+how, func(t *testing.T) {
				c := openSession(t)
				address := startByHand(t, version)
				const awaited = "envoy-01234567"
				if _, err := c.PlatformConnect(c.ctx, helper.PlatformConnectParams{Address: address, Awaited: awaited}); err != nil {
					t.Fatal(err)
				}
				platform := dialByHand(t, c, helper.ByHandScheme+address)
				answer := platform.ask(t, "qLaunchGDBServer;host:somewhere;")
				m := regexp.MustCompile(`^pid:\d+;port:0;socket_name:([0-9a-f]+);$`).FindStringSubmatch(answer)
				if m == nil {
					t.Fatalf("the platform's answer is %q", answer)
				}
				socket, _ := hex.DecodeString(m[1])
				server := dialByHand(t, c, string(socket))
				server.send(t, "vAttachOrWait;"+hex.EncodeToString([]byte(awaited)))
				waits := func() bool {
					for _, pid := range gdbservers(t) {
						if state, err := c.ServerState(c.ctx, helper.ServerStateParams{PID: pid}); err == nil && state.Polling {
							return true
						}
					}
					return false
				}
				for late := time.Now().Add(bound); !waits(); time.Sleep(5 * time.Millisecond) {
					if time.Now().After(late) {
						t.Fatal("no debug server waits")
					}
				}
				server.Close()
				platform.Close()
				if how == "end" {
					c.end()
				}
				if err := c.Close(); err != nil {
					t.Error(err)
				}
				for late := time.Now().Add(bound); len(gdbservers(t)) > 0; time.Sleep(5 * time.Millisecond) {
					if time.Now().After(late) {
						t.Fatalf("debug servers that still run: %v", gdbservers(t))
					}
				}
				conn, err := net.Dial("tcp", address)
				if err != nil {
					t.Errorf("the platform has gone: %v", err)
				} else {
					conn.Close()
				}
			})
		}
	}
}
