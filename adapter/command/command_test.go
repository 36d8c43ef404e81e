package command

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/trace"
	"github.com/envoydbg/envoydbg/kube"
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
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"plain": []byte("#!/bin/sh\n"), "corrupt": whole[:len(whole)/3], "stripped": stripped(t)} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
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
		{"dap --listen unix:", 2, "[ED1010]", "names no path"},
		{"dap --listen 4711", 2, "[ED1010]", "unix:PATH"},
		{"dap --listen 0.0.0.0:4711", 2, "[ED1010]", "127.0.0.1"},
		{"dap --listen :4711", 2, "[ED1010]", "loopback"},
		{"dap --listen [::]:4711", 2, "[ED1010]", "loopback"},
		{"dap --listen example.org:80", 2, "[ED1010]", "loopback"},
		{"dap --listen 127.0.0.1:99999", 1, "[ED1011]", "99999"},
		{"dap --listen unix:" + dir + "/s", 2, "[ED1010]", "0700"},
		{"dap --listen unix:/nonexistent/s", 1, "[ED1011]", "no such file"},
		{"run --output xml -- true", 2, "[ED1010]", "json"},
		{"frob", 2, "[ED1010]", `See "envoydbg --help".`},
		{"run --frob", 2, "[ED1010]", `See "envoydbg run --help".`},
		{"run --env X", 2, "[ED1010]", "NAME=VALUE"},
		{"run --set X", 2, "[ED1010]", "NAME=JSON"},
		{"run --set workTree=/src", 2, "[ED1010]", `--set 'workTree="/src"'`},
		{"run --set timeout=1 --set timeout=2", 2, "[ED1010]", "timeout is given by --set and by --set"},
		{"run --gate=false --set gate=true", 2, "[ED1010]", "gate is given by --set and by --gate"},
		{"run --program /x --set program=\"/y\"", 2, "[ED1010]", "program is given by --set and by --program"},
		{"run --lldb-dap /x --set lldbDap=\"/y\"", 2, "[ED1010]", "lldbDap is given by --set and by --lldb-dap"},
		{"run -b main --set breakpointPresets=[]", 2, "[ED1010]", "breakpointPresets is given by --set and by --break"},
		{"run --cwd /tmp --set agent={}", 2, "[ED1010]", "agent is given by --set and by --cwd"},
		{"run --set agent.command=[\"true\"] -- true", 2, "[ED1010]", `agent.command is given by --set and by the command after "--"`},
		{"run --env A=1 --env A=2 -- true", 2, "[ED1010]", "--env gives A two values"},
		{"run --gate false", 2, "[ED1010]", "Write --gate=false."},
		{"run --stop-on-entry true", 2, "[ED1010]", "Write --stop-on-entry=true."},
		{"run --gate false -- true", 2, "[ED1010]", "Write --gate=false."},
		{"run pod/x --target pod/y", 2, "[ED1010]", "two targets"},
		{"run pod/x pilot-agent", 2, "[ED1010]", `"pod/x" belongs to no flag`},
		{"run bin/agent", 2, "[ED1010]", `stands after "--"`},
		{"doctor pod/x pod/y", 2, "[ED1010]", ""},
		{"doctor pod/x -o xml", 2, "[ED1010]", "table, json or yaml"},
		{"run pilot-agent proxy", 2, "[ED1010]", `stands after "--"`},
		{"run --gate=maybe", 2, "[ED1010]", "--gate is \"maybe\".\nIt takes true or false: --gate=false."},
		{"run --program", 2, "[ED1010]", "--program has no value.\nIt takes a file"},
		{"run --progam x", 2, "[ED1010]", "there is no flag --progam.\nDid you mean --program?"},
		{"run --envoyPath x", 2, "[ED1010]", "Did you mean --envoy-path?"},
		{"run -z", 2, "[ED1010]", "there is no flag -z.\nSee \"envoydbg run --help\"."},
		{"run --set progam=\"/x\" -- true", 2, "[ED1010]", "--set progam=… is not known.\nDid you mean --program?"},
		{"run --set agent.comand=[] -- true", 2, "[ED1010]", "Did you mean the command after"},
		{"run --set attachCommands=[] -- true", 2, "[ED1010]", "--set attachCommands=… does not go with --target"},
		{"run --start later -- true", 2, "[ED1010]", "--start is \"later\".\nIt takes whenArmed, manual."},
		{"run --start-timeout 0 -- true", 2, "[ED1010]", "--start-timeout is 0"},
		{"run --target moon/ -- true", 2, "[ED1010]", "--target is \"moon/\""},
		{"run --cwd /nonexistent -- true", 2, "[ED1010]", "--cwd names the folder /nonexistent, which is not there"},
		{"run --source-map /x=/nonexistent -- true", 2, "[ED1010]", "--source-map names the folder /nonexistent"},
		{"run --work-tree /nonexistent -- true", 2, "[ED1010]", "--work-tree names the folder /nonexistent"},
		{"run --start manual -x continue -- true", 2, "[ED1010]", "Add --execute start"},
		{"run -x start -- true", 2, "[ED1010]", "Add --start=manual"},
		{"run -- no-such-agent", 1, "[ED1019]", "no-such-agent is not in PATH"},
		{"run -- " + dir + "/plain", 1, "[ED1020]", "mode -rw-r--r--, owner "},
		{"dap --work-tree /nonexistent", 2, "[ED1010]", "--work-tree names the folder /nonexistent"},
		{"dap --listen 127.0.0.1:0 --log /nonexistent/log", 1, "[ED1012]", "there is no folder /nonexistent"},
		{"dap --listen 127.0.0.1:0 --work-tree /nonexistent", 2, "[ED1010]", "/nonexistent"},
		{"sourcmap", 2, "[ED1010]", "Did you mean \"envoydbg sourcemap\"?"},
		{"sourcemap --work-tree /nonexistent x", 2, "[ED1010]", "--work-tree names the folder /nonexistent"},
		{"sourcemap --source-map /x=/nonexistent x", 2, "[ED1010]", "--source-map names the folder /nonexistent"},
		{"sourcemap a b", 2, "[ED1010]", "2 executables are named"},
		{"sourcemap /usr", 1, "[ED1107]", "Set the argument ELF to"},
		{"sourcemap " + dir, 1, "[ED1107]", "it is a folder"},
		{"sourcemap " + dir + "/stripped", 1, "[ED1021]", "no line tables"},
		{"sourcemap " + dir + "/plain", 1, "[ED1107]", "plain"},
		{"sourcemap " + dir + "/corrupt", 1, "[ED1107]", "corrupt"},
		{"run --source-map X", 2, "[ED1010]", "FROM=TO"},
		{"run --start-timeout soon", 2, "[ED1010]", "start-timeout"},
		{"run --break= -- true", 2, "[ED1010]", "--break"},
		{"run --log /nonexistent/log -- true", 1, "[ED1012]", "/nonexistent/log"},
		{"sourcemap", 2, "[ED1010]", "no executable is named"},
		{"sourcemap /nonexistent/envoy", 1, "[ED1107]", "/nonexistent/envoy"},
		{"sourcemap --json --lldb x", 2, "[ED1010]", "json"},
		{"version 2", 2, "[ED1010]", `"2"`},
	} {
		code, stdout, stderr := envoydbg(t, "", strings.Fields(x.args)...)
		for _, word := range []string{"strconv", "json:", "open /", "stat /", "exec:", "EOF", "launch attribute", "launch.json", "%!"} {
			if strings.Contains(stderr, word) {
				t.Errorf("envoydbg %s says %q:\n%s", x.args, word, stderr)
			}
		}
		if code != x.code || !strings.HasSuffix(stderr, x.number+"\n") || !strings.Contains(stderr, x.says) || stdout != "" {
			t.Errorf("envoydbg %s: exit code %d, want %d with %s and %q\nstdout %s\nstderr %s", x.args, code, x.code, x.number, x.says, stdout, stderr)
		}
	}
}

// stripped is an ELF file without sections.
func stripped(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	header := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: 1, Ehsize: 64, Phentsize: 56, Shentsize: 64}
	copy(header.Ident[:], "\x7fELF\x02\x01\x01")
	if err := binary.Write(&b, binary.LittleEndian, header); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
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
		"--program a/envoy --envoy-path /b/envoy":     `{"target":"local","agent":{},"program":"` + here + `/a/envoy","envoyPath":"/b/envoy"}`,
		"--env A=1 --env B=x=y --cwd /tmp":            `{"target":"local","agent":{"env":{"A":"1","B":"x=y"},"cwd":"/tmp"}}`,
		"--start manual -- agent --flag":              `{"target":"local","agent":{"start":"manual","command":["agent","--flag"]}}`,
		"--gate=false --stop-on-entry":                `{"target":"local","agent":{},"gate":false,"stopOnEntry":true}`,
		"--at-end run":                                `{"target":"local","agent":{},"atEnd":"run"}`,
		"--start-timeout 0.5 --lldb-server /s":        `{"target":"local","agent":{},"startTimeout":0.5,"lldbServer":"/s"}`,
		"--source-map /proc/self/cwd=src":             `{"target":"local","agent":{},"sourceMap":[["/proc/self/cwd","` + here + `/src"]]}`,
		`--set initCommands=["a,b"] --set x=null`:     `{"target":"local","agent":{},"initCommands":["a,b"],"x":null}`,
		"statefulset/fortio-server -n demo --as=jane": `{"target":"statefulset/fortio-server","kubectlFlags":["--as=jane","--namespace=demo"],"agent":{}}`,
		"pod/x -c envoy -- pilot-agent proxy":         `{"target":"pod/x","container":"envoy","agent":{"command":["pilot-agent","proxy"]}}`,
		"--target moon":                               `{"target":"moon","agent":{}}`,
		`--cwd /tmp --set agent.start="manual"`:       `{"target":"local","agent":{"cwd":"/tmp","start":"manual"}}`,
		`--set agent={"cwd":"/tmp"}`:                  `{"target":"local","agent":{"cwd":"/tmp"}}`,
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

// Each flag of run that stands for an attribute is known as that: two ways to give it
// exclude each other, and faults name it.
func TestTheFlagsAreThoseThatFaultsName(t *testing.T) {
	var f runFlags
	cmd := &cobra.Command{}
	f.add(cmd)
	others := []string{"log", "set", "execute", "output"}
	kubectl := pflag.NewFlagSet("", pflag.ContinueOnError)
	kube.NewFlags().Add(kubectl) // together they are one attribute
	kubectl.VisitAll(func(flag *pflag.Flag) {
		if !slices.Contains([]string{"namespace", "context", "kubeconfig"}, flag.Name) {
			others = append(others, flag.Name)
		}
	})
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		known := slices.Contains(slices.Collect(maps.Values(flagOf)), "--"+flag.Name)
		if known == slices.Contains(others, flag.Name) {
			t.Errorf("--%s: is it the flag of an attribute?", flag.Name)
		}
	})
	for attribute, flag := range flagOf {
		if name, ok := strings.CutPrefix(flag, "--"); ok && cmd.Flags().Lookup(name) == nil {
			t.Errorf("%s has the flag %s, which run has not", attribute, flag)
		}
		object, inner, nested := strings.Cut(attribute, ".")
		of, _ := reflect.TypeFor[config.Config]().FieldByNameFunc(func(name string) bool { return strings.EqualFold(name, object) })
		if nested {
			of, _ = of.Type.FieldByNameFunc(func(name string) bool { return strings.EqualFold(name, inner) })
		}
		if of.Tag.Get("json") != attribute[len(attribute)-len(of.Tag.Get("json")):] || of.Name == "" {
			t.Errorf("there is no launch attribute %s", attribute)
		}
	}
}

// An editor that starts an adapter which cannot serve shows its user the answer to the
// first request; what is on stderr nobody sees.
func TestAnEditorIsToldWhyThereIsNoSession(t *testing.T) {
	for args, code := range map[string]int64{"dap --log /nonexistent/log": 1012, "dap --work-tree /nonexistent": 1010} {
		exit, stdout, stderr := envoydbg(t, request(1, "initialize", "{}")+request(2, "launch", "{}"), strings.Fields(args)...)
		r := dapio.NewReader(strings.NewReader(stdout))
		m, err := r.Next()
		if err != nil {
			t.Fatalf("%s: %v\n%s%s", args, err, stdout, stderr)
		}
		text := m.Get("body.error.format").Str
		if exit == 0 || m.RequestSeq != 1 || m.Success || m.Get("body.error.id").Int() != code || !m.Get("body.error.showUser").Bool() ||
			!strings.Contains(text, "/nonexistent") || strings.TrimSpace(stderr) != text {
			t.Errorf("%s: exit code %d\n%s\n%s", args, exit, m.Raw, stderr)
		}
		if m, err := r.Next(); err == nil {
			t.Errorf("%s: and then %s", args, m.Raw)
		}
	}
}

// A full disk is told once, and disturbs the session no further.
func TestATraceThatCannotBeWrittenIsToldOnce(t *testing.T) {
	var stderr bytes.Buffer
	log, err := trace.OpenFile("/dev/full", func(f *fault.Fault) { fmt.Fprintln(&stderr, f) })
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
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
