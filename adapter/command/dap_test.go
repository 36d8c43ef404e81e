package command

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/client"
	"github.com/envoydbg/envoydbg/adapter/fault"
)

// endWithin is how soon a session must have ended.
const endWithin = 5 * time.Second

// request is a framed request.
func request(seq int, command, arguments string) string {
	text := fmt.Sprintf(`{"seq":%d,"type":"request","command":%q,"arguments":%s}`, seq, command, arguments)
	return fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(text), text)
}

// shortDir is a folder of mode 0700 for a socket, whose path may not be long.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "command-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// exits waits for a program's end and returns its exit code.
func exits(t *testing.T, cmd *exec.Cmd, within time.Duration) int {
	t.Helper()
	late := time.AfterFunc(within, func() {
		t.Errorf("not ended within %v", within)
		_ = cmd.Process.Kill()
	})
	defer late.Stop()
	_ = cmd.Wait() // the exit code says it
	return cmd.ProcessState.ExitCode()
}

func TestHowDapEnds(t *testing.T) {
	for _, x := range []struct {
		name, input string
		code        int
		says        string
	}{
		{"disconnect", request(1, "initialize", "{}") + request(2, "disconnect", "{}"), 0, ""},
		{"the end of the input", request(1, "initialize", "{}"), 0, ""},
		{"no input at all", "", 0, ""},
		{"something else than DAP", "GET / HTTP/1.1\r\n\r\n", 1, "[ED1902]"},
		{"the end of the input within a message", "Content-Length: 100\r\n\r\n{", 1, "[ED19"},
		{"the end of the input within a header", "Content-Length: 100\r\n", 1, "[ED19"},
	} {
		t.Run(x.name, func(t *testing.T) {
			code, _, stderr := envoydbg(t, x.input, "dap", "--lldb-dap", "/nonexistent/lldb-dap")
			if code != x.code || !strings.Contains(stderr, x.says) || x.says == "" && stderr != "" {
				t.Errorf("exit code %d, want %d with %q\n%s", code, x.code, x.says, stderr)
			}
		})
	}
}

func TestASignalEndsDapAndTheClientHasItsLastEvents(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		cmd := program(t, "envoydbg", "dap", "--lldb-dap", "/nonexistent/lldb-dap")
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stdout = w
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		_ = w.Close()
		c := client.New(out, in)
		lastEvents(t, c, func() { _ = cmd.Process.Signal(signal) })
		if code := exits(t, cmd, endWithin); code != 0 {
			t.Errorf("%v: exit code %d", signal, code)
		}
		c.Close()
		_ = out.Close()
	}
}

// lastEvents initializes a session, has it ended, and waits for the end of the
// stream, before which terminated must have come.
func lastEvents(t *testing.T, c *client.Client, end func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := c.Call(ctx, "initialize", map[string]any{"adapterID": "envoy"}, nil); err != nil {
		t.Fatal(err)
	}
	end()
	if _, err := c.Event(ctx, 0, "terminated"); err != nil {
		t.Errorf("the end without terminated: %v\n%s", err, c.Dump())
	}
	if _, err := c.Wait(ctx, 0, func(client.Entry) bool { return false }); !errors.Is(err, client.ErrEnded) || !errors.Is(err, io.EOF) {
		t.Errorf("the connection ended with %v", err)
	}
}

func TestASecondSignalEndsTheProcessAtOnce(t *testing.T) {
	cmd := program(t, "notify")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(limit, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	lines := bufio.NewScanner(out)
	line := func(want string) {
		t.Helper()
		if lines.Scan(); lines.Text() != want {
			t.Fatalf("got %q, want %q", lines.Text(), want)
		}
	}
	send := func(signal os.Signal) {
		t.Helper()
		if err := cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
	}
	line("ready")
	send(syscall.SIGTERM)
	line("terminated")
	// timeout(1) sends it to the process and to its group.
	send(syscall.SIGTERM)
	time.Sleep(sameSignal) // what the rule is about
	send(syscall.SIGINT)
	line("at once")
	if code := exits(t, cmd, endWithin); code != 130 {
		t.Errorf("exit code %d, want that of SIGINT", code)
	}
}

// server is an `envoydbg dap --listen`.
type server struct {
	cmd              *exec.Cmd
	network, address string
	stderr           *bufio.Reader
}

// listen starts a server in a process group of its own, as a shell does.
func listen(t *testing.T, network, address string) *server {
	t.Helper()
	s := &server{cmd: program(t, "envoydbg", "dap", "--listen", address, "--lldb-dap", "/nonexistent/lldb-dap"), network: network}
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stderr, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	s.cmd.Stderr = w
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	t.Cleanup(func() { _ = s.cmd.Process.Kill(); _ = stderr.Close() })
	_ = stderr.SetReadDeadline(time.Now().Add(limit))
	s.stderr = bufio.NewReader(stderr)
	if _, err := fmt.Fscanf(s.stderr, "listening on %s\n", &s.address); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *server) dial(t *testing.T) (*client.Client, net.Conn) {
	t.Helper()
	conn, err := net.Dial(s.network, s.address)
	if err != nil {
		t.Fatal(err)
	}
	c := client.New(conn, conn)
	t.Cleanup(func() { c.Close(); _ = conn.Close() })
	return c, conn
}

// initialized makes sure that a session has its process.
func initialized(t *testing.T, c *client.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := c.Call(ctx, "initialize", map[string]any{"adapterID": "envoy"}, nil); err != nil {
		t.Fatal(err)
	}
}

// Ctrl-C in a terminal sends SIGINT to the server and to all that is in its
// process group.
func TestCtrlCLetsTheClientsOfAServerHaveTheirLastEvents(t *testing.T) {
	for network, address := range map[string]string{"unix": "unix:" + filepath.Join(shortDir(t), "s"), "tcp": "127.0.0.1:0"} {
		t.Run(network, func(t *testing.T) {
			s := listen(t, network, address)
			other, _ := s.dial(t)
			initialized(t, other)
			c, conn := s.dial(t)
			lastEvents(t, c, func() {
				// Requests that nobody will have read must not cut off what comes back.
				_, _ = io.WriteString(conn, strings.Repeat(request(9, "threads", "{}"), 1000))
				if err := syscall.Kill(-s.cmd.Process.Pid, syscall.SIGINT); err != nil {
					t.Fatal(err)
				}
			})
			ctx, cancel := context.WithTimeout(context.Background(), limit)
			defer cancel()
			if _, err := other.Event(ctx, 0, "terminated"); err != nil {
				t.Errorf("the other client: %v", err)
			}
			if code := exits(t, s.cmd, endWithin); code != 0 {
				t.Errorf("exit code %d", code)
			}
			if path, ok := strings.CutPrefix(address, "unix:"); ok {
				if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("the socket is left: %v", err)
				}
			}
		})
	}
}

// childOf is the process that a server has started.
func childOf(t *testing.T, pid int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	for _, task := range tasks(t, pid) {
		more, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, task))
		text = append(text, more...)
	}
	child, _ := strconv.Atoi(string(bytes.Fields(append(text, " 0"...))[0]))
	if child == 0 {
		t.Fatalf("no child: %q, %v", text, err)
	}
	return child
}

func tasks(t *testing.T, pid int) []string {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// A child that does not take the signal, because it is stopped, is ended by force.
func TestAServerEndsThoughASessionDoesNot(t *testing.T) {
	for _, x := range []struct {
		name    string
		signals int
		code    int
		says    string
	}{
		{"in time", 1, 1, fault.EndTooLong(endTime).ID()},
		{"at once by a second signal", 2, 143, ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			s := listen(t, "tcp", "127.0.0.1:0")
			c, _ := s.dial(t)
			initialized(t, c)
			child := childOf(t, s.cmd.Process.Pid)
			if err := syscall.Kill(child, syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if x.signals == 2 {
				// The first one has arrived when nobody listens any more.
				for deadline := time.Now().Add(limit); ; time.Sleep(time.Millisecond) {
					conn, err := net.Dial(s.network, s.address)
					if err != nil {
						break
					}
					_ = conn.Close()
					if time.Now().After(deadline) {
						t.Fatal("the server still listens")
					}
				}
				time.Sleep(sameSignal) // what the rule is about
				if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
					t.Fatal(err)
				}
			}
			if code := exits(t, s.cmd, endWithin+time.Second); code != x.code {
				t.Errorf("exit code %d, want %d", code, x.code)
			}
			if took := time.Since(began); took > endWithin {
				t.Errorf("took %v", took)
			}
			said, _ := io.ReadAll(s.stderr)
			if !strings.Contains(string(said), x.says) {
				t.Errorf("said %s", said)
			}
			ctx, cancel := context.WithTimeout(context.Background(), limit)
			defer cancel()
			if _, err := c.Wait(ctx, 0, func(client.Entry) bool { return false }); !errors.Is(err, client.ErrEnded) {
				t.Errorf("the session's process lives on: %v", err)
			}
		})
	}
}

// scarce is a listener that fails as one does when there is a lack of something.
type scarce struct {
	net.Listener
	errors []error
}

func (s *scarce) Accept() (net.Conn, error) {
	err := s.errors[0]
	s.errors = s.errors[1:]
	return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", err)}
}

func TestAServerOutlivesALackOfFiles(t *testing.T) {
	var told bytes.Buffer
	s := &listening{stderr: &told, running: map[*exec.Cmd]bool{}}
	l := &scarce{errors: []error{syscall.EMFILE, syscall.ECONNABORTED, syscall.EINVAL}}
	if err := s.accept(l); !errors.Is(err, syscall.EINVAL) || len(l.errors) != 0 {
		t.Errorf("ended with %v", err)
	}
	if n := strings.Count(told.String(), "[ED1016]"); n != 2 || !strings.Contains(told.String(), "too many open files") {
		t.Errorf("told: %s", &told)
	}
}
