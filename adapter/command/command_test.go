package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/envoydbg/envoydbg/adapter/fault"
)

// limit bounds every wait.
const limit = 20 * time.Second

// asProgram is the variable that makes the test's own binary an envoydbg, so that
// whole processes can be tested, and the children that they start.
const asProgram = "ENVOYDBG_TEST_AS"

func TestMain(m *testing.M) {
	switch os.Getenv(asProgram) {
	case "":
		os.Exit(m.Run())
	case "envoydbg":
		os.Exit(Main(os.Args[1:]))
	case "notify":
		signals, _ := notify(func() { fmt.Println("at once") }, nil)
		fmt.Println("ready")
		fmt.Println(<-signals)
		select {}
	}
}

// program prepares the test's binary as a program.
func program(t *testing.T, as string, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, args...)
	cmd.Env = append(os.Environ(), asProgram+"="+as, "TMPDIR="+t.TempDir(), "XDG_RUNTIME_DIR=")
	// A second program of this test's, if it is killed, must not keep Wait.
	cmd.WaitDelay = time.Second
	return cmd
}

// envoydbg runs to its end and returns its exit code and what it printed.
func envoydbg(t *testing.T, input string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	cmd := program(t, "envoydbg", args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(limit, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	_ = cmd.Wait() // the exit code says it
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

func TestWhatIsWrongOnTheCommandLineHasANumberAndACode(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		args   string
		code   int
		number string
		says   string
	}{
		{"frob", 2, "[ED1010]", `"frob"`},
		{"--frob", 2, "[ED1010]", "--frob"},
		{"dap extra", 2, "[ED1010]", `"extra"`},
		{"dap --log", 2, "[ED1010]", "--log"},
		{"dap --log /nonexistent/log", 1, "[ED1012]", "/nonexistent/log"},
		{"dap --log " + dir, 1, "[ED1012]", "is a directory"},
		{"dap --log " + pipe, 1, "[ED1012]", pipe}, // nobody reads it, and nobody waits for that
		{"dap --listen 4711", 2, "[ED1010]", "unix:PATH"},
		{"dap --listen 0.0.0.0:4711", 2, "[ED1010]", "127.0.0.1"},
		{"dap --listen :4711", 2, "[ED1010]", "loopback"},
		{"dap --listen [::]:4711", 2, "[ED1010]", "loopback"},
		{"dap --listen example.org:80", 2, "[ED1010]", "loopback"},
		{"dap --listen 127.0.0.1:99999", 1, "[ED1011]", "99999"},
		{"dap --listen unix:" + dir + "/s", 2, "[ED1010]", "0700"},
		{"dap --listen unix:/nonexistent/s", 1, "[ED1011]", "no such file"},
		{"frob", 2, "[ED1010]", `See "envoydbg --help".`},
		{"run --frob", 2, "[ED1010]", `See "envoydbg run --help".`},
		{"run --output xml", 2, "[ED1010]", "json"},
		{"run --env X", 2, "[ED1010]", "NAME=VALUE"},
		{"run --set X", 2, "[ED1010]", "NAME=JSON"},
		{"run --set X={", 2, "[ED1010]", "NAME=JSON"},
		{"run --source-map X", 2, "[ED1010]", "FROM=TO"},
		{"run --start-timeout soon", 2, "[ED1010]", "start-timeout"},
		{"run --break=", 2, "[ED1010]", "--break"},
		{"run --log /nonexistent/log", 1, "[ED1012]", "/nonexistent/log"},
		{"sourcemap", 2, "[ED1010]", "arg"},
		{"sourcemap /nonexistent/envoy", 1, "[ED1107]", "/nonexistent/envoy"},
		{"sourcemap --json --lldb x", 2, "[ED1010]", "json"},
		{"version 2", 2, "[ED1010]", `"2"`},
	} {
		code, stdout, stderr := envoydbg(t, "", strings.Fields(x.args)...)
		if code != x.code || !strings.HasSuffix(stderr, x.number+"\n") || !strings.Contains(stderr, x.says) || stdout != "" {
			t.Errorf("envoydbg %s: exit code %d, want %d with %s and %q\nstdout %s\nstderr %s", x.args, code, x.code, x.number, x.says, stdout, stderr)
		}
	}
}

func TestASocketThatIsInUseIsAnError(t *testing.T) {
	where := filepath.Join(shortDir(t), "s")
	l, err := listenAt("unix:" + where)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var f *fault.Fault
	if _, err := listenAt("unix:" + where); !errors.As(err, &f) || f.Code != 1011 || !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("got %v", err)
	}
}

func TestHelpGoesToStdout(t *testing.T) {
	for _, x := range []struct {
		args string
		says []string
	}{
		{"--help", []string{"dap", "run", "sourcemap", "version", "--version"}},
		{"dap --help", []string{"--lldb-dap", "--log", "--work-tree", "--listen", "Exit codes:"}},
		{"run --help", []string{"--lldb-dap", "--log", "--work-tree", "--target", "--program", "--envoy-path", "--env", "--cwd", "--start", "--gate",
			"--start-timeout", "--lldb-server", "--stop-on-entry", "--break", "--source-map", "--set", "--execute", "--output", "Exit codes:", "130"}},
		{"sourcemap --help", []string{"--work-tree", "--source-map", "--json", "--lldb", "--all"}},
	} {
		code, stdout, stderr := envoydbg(t, "", strings.Fields(x.args)...)
		if code != 0 || stderr != "" {
			t.Errorf("%s: exit code %d, stderr %s", x.args, code, stderr)
		}
		for _, text := range x.says {
			if !strings.Contains(stdout, text) {
				t.Errorf("%s does not say %q:\n%s", x.args, text, stdout)
			}
		}
	}
}

func TestTheVersionIsTold(t *testing.T) {
	form := regexp.MustCompile(`^envoydbg \S+ go1\.\S+ \w+/\w+\n$`)
	for _, args := range []string{"version", "--version"} {
		if code, stdout, _ := envoydbg(t, "", args); code != 0 || !form.MatchString(stdout) {
			t.Errorf("%s: exit code %d, %q", args, code, stdout)
		}
	}
}

// Each flag of run is a launch attribute, and one that was not given is none: the
// defaults stand in one place.
func TestTheFlagsOfRunAreLaunchAttributes(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"": `{"target":"local","agent":{}}`,
		"--program a/envoy --envoy-path /b/envoy": `{"target":"local","agent":{},"program":"` + here + `/a/envoy","envoyPath":"/b/envoy"}`,
		"--env A=1 --env B=x=y --cwd /tmp":        `{"target":"local","agent":{"env":{"A":"1","B":"x=y"},"cwd":"/tmp"}}`,
		"--start manual -- agent --flag":          `{"target":"local","agent":{"start":"manual","command":["agent","--flag"]}}`,
		"--gate=false --stop-on-entry":            `{"target":"local","agent":{},"gate":false,"stopOnEntry":true}`,
		"--start-timeout 0.5 --lldb-server /s":    `{"target":"local","agent":{},"startTimeout":0.5,"lldbServer":"/s"}`,
		"--source-map /proc/self/cwd=src":         `{"target":"local","agent":{},"sourceMap":[["/proc/self/cwd","` + here + `/src"]]}`,
		`--set initCommands=["a,b"] --set x=null`: `{"target":"local","agent":{},"initCommands":["a,b"],"x":null}`,
		"--target moon":                           `{"target":"moon","agent":{}}`,
	} {
		var f runFlags
		cmd := &cobra.Command{}
		f.add(cmd)
		if err := cmd.ParseFlags(strings.Fields(args)); err != nil {
			t.Fatal(err)
		}
		attributes, err := f.attributes(cmd, cmd.Flags().Args())
		if err != nil {
			t.Errorf("%s: %v", args, err)
			continue
		}
		got, err := json.Marshal(attributes)
		if err != nil {
			t.Fatal(err)
		}
		var g, w any
		if err := errors.Join(json.Unmarshal(got, &g), json.Unmarshal([]byte(want), &w)); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(g, w) {
			t.Errorf("%s\ngot  %s\nwant %s", args, got, want)
		}
	}
}

// A full disk is told once, and disturbs the session no further.
func TestATraceThatCannotBeWrittenIsToldOnce(t *testing.T) {
	var stderr bytes.Buffer
	log, err := openLog("/dev/full", &stderr)
	if err != nil {
		t.Fatal(err)
	}
	defer log.close()
	for range 3 {
		if n, err := io.WriteString(log, "line\n"); n != 5 || err != nil {
			t.Errorf("wrote %d, %v", n, err)
		}
	}
	if text := stderr.String(); strings.Count(text, "[ED1013]") != 1 || !strings.Contains(text, "/dev/full") || !strings.Contains(text, "no space left") {
		t.Errorf("told: %s", text)
	}
	code, _, told := envoydbg(t, request(1, "initialize", "{}")+request(2, "disconnect", "{}"),
		"dap", "--log", "/dev/full", "--lldb-dap", "/nonexistent/lldb-dap")
	if code != 0 || strings.Count(told, "[ED1013]") != 1 {
		t.Errorf("dap: exit code %d\n%s", code, told)
	}
}

func TestATraceIsAppendedTo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	for range 2 {
		if code, _, told := envoydbg(t, request(1, "disconnect", "{}"), "dap", "--log", path); code != 0 || told != "" {
			t.Fatalf("exit code %d\n%s", code, told)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil || strings.Count(string(text), `"command":"disconnect"`) < 2 {
		t.Errorf("%v\n%s", err, text)
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the trace's mode is %v (%v)", st.Mode(), err)
	}
}
