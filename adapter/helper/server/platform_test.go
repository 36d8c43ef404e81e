//go:build linux

package server

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/sourcegraph/jsonrpc2"

	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/test/support/checkout"
)

// lldbServer is what the set-up of the tests installed for a version.
func lldbServer(t *testing.T, version string) string {
	t.Helper()
	path := checkout.Path(t, "bin/tools", "lldb-"+version, "bin", "lldb-server")
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("LLDB %s is missing (%v): run test/setup/setup.sh", version, err)
	}
	return path
}

func TestPlatformListensWhenStarted(t *testing.T) {
	for _, version := range []string{"19", "22"} {
		t.Run(version, func(t *testing.T) {
			c := openSession(t)
			p, err := c.PlatformStart(c.ctx, helper.PlatformStartParams{LLDBServer: lldbServer(t, version)})
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(p.Version, version+".") || filepath.Dir(p.Socket) != filepath.Join(c.hello.Dir, privateName) {
				t.Errorf("platform %+v", p)
			}
			conn, err := c.DialServer(c.ctx, p.Socket)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := conn.Write([]byte("+$QStartNoAckMode#b0")); err != nil {
				t.Fatal(err)
			}
			in := bufio.NewReader(conn)
			if got, err := in.ReadString('#'); err != nil || !strings.HasSuffix(got, "$OK#") {
				t.Errorf("the platform answered %q, %v", got, err)
			}
			if _, err := c.PlatformStart(c.ctx, helper.PlatformStartParams{LLDBServer: lldbServer(t, version)}); err == nil {
				t.Error("a second platform was started")
			}
			state, err := c.ServerState(c.ctx, helper.ServerStateParams{PID: p.PID})
			if err != nil || !state.Alive || state.Polling {
				t.Errorf("the platform's state %+v, %v: want alive and not polling", state, err)
			}
			c.end()
			if exit := c.exit("platform"); exit.PID != p.PID || exit.Status != "signal: killed" || exit.Code != -1 {
				t.Errorf("exit %+v", exit)
			}
			state, err = c.ServerState(c.ctx, helper.ServerStateParams{PID: p.PID})
			if err != nil || state.Alive {
				t.Errorf("the ended platform's state %+v, %v", state, err)
			}
			if _, err := c.PlatformStart(c.ctx, helper.PlatformStartParams{LLDBServer: lldbServer(t, version)}); err != nil {
				t.Errorf("after the end: %v", err)
			}
		})
	}
	nothingLeft(t)
}

// A program is found in PATH or by its path, and says what it prints of its version.
func TestAProgramIsLookedFor(t *testing.T) {
	c := openSession(t)
	said := script(t, "echo lldb version 19.1.7; echo more >&2; [ $1 = version ]")
	r, err := c.Look(c.ctx, helper.LookParams{Program: said, Version: true})
	if err != nil || r.Path != said || !strings.Contains(r.Version, "lldb version 19.1.7") || !strings.Contains(r.Version, "more") {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := c.Look(c.ctx, helper.LookParams{Program: "sh"}); err != nil || !filepath.IsAbs(r.Path) || r.Version != "" {
		t.Errorf("in PATH: %+v, %v", r, err)
	}
	for program, code := range map[string]int64{"/no/program": helper.CodeNotFound, "absent-program": helper.CodeNotFound, "/etc/passwd": helper.CodePermission} {
		if r, err := c.Look(c.ctx, helper.LookParams{Program: program}); helper.Code(err) != code {
			t.Errorf("%s: %+v, %v", program, r, err)
		}
	}
	if r, err := c.Look(c.ctx, helper.LookParams{Program: "/bin/false", Version: true}); helper.Code(err) != helper.CodeStartFailed {
		t.Errorf("without a version: %+v, %v", r, err)
	}
}

func TestWhatIsNoLLDBServer(t *testing.T) {
	c := openSession(t)
	for _, f := range []struct {
		path string
		code int64
		say  string
	}{
		{"/no/lldb-server", helper.CodeNotFound, "/no/lldb-server"},
		{"lldb-server-absent", helper.CodeNotFound, "PATH"},
		{"/etc/passwd", helper.CodePermission, "not executable"},
		{"/bin/false", helper.CodeStartFailed, "exit status 1"},
		{script(t, "echo lldb version 19.1.7; [ $1 = version ] || { echo no such option >&2; exit 4; }"),
			helper.CodeStartFailed, "(exit status 4): lldb version 19.1.7\nno such option"},
	} {
		_, err := c.PlatformStart(c.ctx, helper.PlatformStartParams{LLDBServer: f.path})
		if helper.Code(err) != f.code || !strings.Contains(err.Error(), f.say) {
			t.Errorf("%s: %v, want code %d and %q", f.path, err, f.code, f.say)
		}
	}
}

func script(t *testing.T, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// A debug server that reads to the end of its input, then answers: the end of
// either direction must travel alone.
func TestDialPassesOnHalfCloses(t *testing.T) {
	c := openSession(t)
	l, err := net.Listen("unix", filepath.Join(c.hello.Dir, "echo.sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		b, _ := io.ReadAll(conn)
		_, _ = conn.Write([]byte(strings.ToUpper(string(b))))
	}()
	conn, err := c.DialServer(c.ctx, l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	sent := strings.Repeat("packet ", 200_000)
	if _, err := io.WriteString(conn, sent); err != nil {
		t.Fatal(err)
	}
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(conn)
	if err != nil || string(got) != strings.ToUpper(sent) {
		t.Errorf("%d of %d bytes came back, %v", len(got), len(sent), err)
	}
}

func TestDialStaysInTheSessionsFolder(t *testing.T) {
	c := openSession(t)
	outside := filepath.Join(t.TempDir(), "o.sock")
	l, err := net.Listen("unix", outside)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	link := filepath.Join(c.hello.Dir, "link.sock")
	if err := os.Symlink(outside, link); err != nil {
		t.Fatal(err)
	}
	for path, say := range map[string]string{
		outside:                                "not in the session's folder",
		link:                                   "not in the session's folder",
		c.hello.Dir + "/../absent/x":           "no such file",
		filepath.Join(c.hello.Dir, "absent"):   "no such file",
		"x" + strings.Repeat("y", 2*maxHeader): "buffer full",
	} {
		if conn, err := c.DialServer(c.ctx, path); err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("%.100s: %v, want %q", path, err, say)
			if conn != nil {
				conn.Close()
			}
		}
	}
}

func TestInspect(t *testing.T) {
	c := openSession(t)
	envoy := actor(t, "real-envoy")
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(envoy, link); err != nil {
		t.Fatal(err)
	}
	r, err := c.Inspect(c.ctx, helper.InspectParams{Path: link})
	if err != nil || r.Path != envoy || r.Machine != runtime.GOARCH || r.Size == 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := c.Inspect(c.ctx, helper.InspectParams{Path: "sh"}); err != nil || !filepath.IsAbs(r.Path) || r.BuildID == "" {
		t.Errorf("sh in PATH: %+v, %v", r, err)
	}
	for path, code := range map[string]int64{
		"/no/envoy":      helper.CodeNotFound,
		"absent-in-path": helper.CodeNotFound,
		"/etc/passwd":    helper.CodeNotELF,
		"/dev/null":      helper.CodeNotELF,
		"/proc/1/mem":    helper.CodeNotELF,
		"/usr":           helper.CodeNotELF,
	} {
		if _, err := c.Inspect(c.ctx, helper.InspectParams{Path: path}); helper.Code(err) != code || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want code %d", path, err, code)
		}
	}
}

func TestHelloComesFirstAndOnce(t *testing.T) {
	c, err := helper.Start(t.Context(), actor(t, "helper"), helper.Handlers{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx := t.Context()
	if _, err := c.End(ctx); helper.Code(err) != jsonrpc2.CodeInvalidRequest {
		t.Errorf("before hello: %v", err)
	}
	for _, p := range []helper.HelloParams{{Protocol: 99, Session: testSession}, {Protocol: helper.Protocol, Session: "../../etc"}} {
		if _, err := c.Hello(ctx, p); helper.Code(err) != jsonrpc2.CodeInvalidParams {
			t.Errorf("%+v: %v", p, err)
		}
	}
	ok := helper.HelloParams{Protocol: helper.Protocol, Session: testSession}
	if _, err := c.Hello(ctx, ok); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Hello(ctx, ok); helper.Code(err) != jsonrpc2.CodeInvalidRequest {
		t.Errorf("the second hello: %v", err)
	}
}

func TestHelperThatDiesSaysWhy(t *testing.T) {
	c, err := helper.Start(t.Context(), script(t, "echo no room left >&2; exit 3"), helper.Handlers{})
	if err == nil {
		defer c.Close()
		_, err = c.Hello(t.Context(), helper.HelloParams{})
	}
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "no room left") {
		t.Errorf("got %v", err)
	}
	if _, err := helper.FindBinary(t.TempDir(), "amd64"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("FindBinary in an empty folder: %v", err)
	}
}

func TestPlaceForTheSession(t *testing.T) {
	good := t.TempDir()
	dir, err := MakeDir("/no/place", "/proc", good)
	if err != nil || filepath.Dir(dir.Path) != good {
		t.Fatalf("%+v, %v", dir, err)
	}
	for path, want := range map[string]os.FileMode{dir.Path: 0o711, filepath.Join(dir.Path, privateName): 0o700} {
		if st, err := os.Stat(path); err != nil || st.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want %v", path, st, err, want)
		}
	}
	if err := dir.Remove(); err != nil {
		t.Error(err)
	}
	// A place that is closed to other users is the last choice.
	open := filepath.Join(t.TempDir(), "open")
	if err := os.Mkdir(open, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(filepath.Dir(open)), 0o755); err != nil {
		t.Fatal(err)
	}
	closed := filepath.Join(open, "closed")
	if err := os.Mkdir(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, places := range [][]string{{closed, open}, {open, closed}} {
		dir, err := MakeDir(places...)
		if err != nil || filepath.Dir(dir.Path) != open {
			t.Fatalf("of %s: %+v, %v", places, dir, err)
		}
		if err := dir.Remove(); err != nil {
			t.Error(err)
		}
	}
	long := filepath.Join(t.TempDir(), strings.Repeat("x", 100))
	if dir, err := MakeDir("/no/place", long); err == nil || !strings.Contains(err.Error(), "/no/place") || !strings.Contains(err.Error(), "at most") {
		t.Errorf("%+v, %v", dir, err)
	}
}
