package fault

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sourcegraph/jsonrpc2"
)

// calls calls every constructor whose text depends on a cause, on the words of a part
// that has failed ("" for some of its own), or on how the user writes attributes. That
// none is left out is checked below.
func calls(cause error, said string) map[string]*Fault {
	why := func(usual string) string { return cmp.Or(said, usual) }
	return map[string]*Fault{
		"BadAttribute":        BadAttribute("gate", "is a string", "It must be true or false."),
		"BadTarget":           BadTarget("pod/x"),
		"Usage":               Usage("unknown flag: --x", "See --help."),
		"NoCluster":           NoCluster(cause),
		"NoPod":               NoPod("pod/x", "demo", why("not found")),
		"Exec":                Exec("pod/x", cause),
		"NoSession":           NoSession("pod/x", cause),
		"ServerMachine":       ServerMachine("/usr/bin/lldb-server", "amd64", "pod/x", "arm64"),
		"ServerVersion":       ServerVersion("/usr/bin/lldb-server", "19.1.7", "22.1.8", "lldb-server-22"),
		"NoServerThere":       NoServerThere("127.0.0.1:2159", why("connection refused"), "Run lldb-server."),
		"NoPlatformThere":     NoPlatformThere("127.0.0.1:2159", why("it does not speak gdb-remote"), "Run lldb-server."),
		"OtherServer":         OtherServer("127.0.0.1:2159", "19.1.7", "22.1.8"),
		"NoShell":             NoShell("pod/x", "busybox"),
		"ImageRefused":        ImageRefused("busybox", "pod/x", cause),
		"ImageNotStarted":     ImageNotStarted("busybox", "pod/x", why("waiting: ErrImagePull")),
		"LinkCut":             LinkCut(cause, time.Minute),
		"LinkLost":            LinkLost(time.Minute, time.Minute, cause, cause),
		"SessionGone":         SessionGone(cause),
		"HelperVersion":       HelperVersion(cause),
		"HelperUser":          HelperUser("/dir", cause),
		"HelperUnreached":     HelperUnreached(cause),
		"NotStopped":          NotStopped("pod/x", cause),
		"ManyPods":            ManyPods("app=x", []string{"pod/a", "pod/b"}),
		"NoContainer":         NoContainer("pod/x has no container istio-proxy"),
		"Upload":              Upload("lldb-server", "pod/x", cause),
		"NoAgent":             NoAgent(cause),
		"NotHere":             NotHere("darwin"),
		"NoLineTables":        NoLineTables("/src/envoy", cause),
		"NotPermitted":        NotPermitted("run the agent", "/bin/pilot-agent", "mode -rw-r--r--"),
		"Listen":              Listen("127.0.0.1:80", cause),
		"Log":                 Log("/none/log", cause),
		"LogCut":              LogCut("/dev/full", cause),
		"OutputLost":          OutputLost(cause),
		"Connection":          Connection(cause),
		"NoLLDBDap":           NoLLDBDap("lldb-dap in PATH"),
		"LLDBTooOld":          LLDBTooOld("/usr/bin/lldb-dap", "18.1.0", 19),
		"LLDBDapStart":        LLDBDapStart("/usr/bin/lldb-dap", "no liblldb", "", cause),
		"LLDBDapDied":         LLDBDapDied("signal: aborted", "terminate called", ""),
		"NoHelper":            NoHelper("/bin/envoydbg-helper", cause),
		"HelperStart":         HelperStart(cause, ""),
		"BadProgram":          BadProgram("/src/envoy", cause),
		"NoLLDBServer":        NoLLDBServer("lldb-server", "not in PATH"),
		"BuildIDMismatch":     BuildIDMismatch("/src/envoy", "3f0c", "/usr/local/bin/envoy", ""),
		"NoBuildID":           NoBuildID("/src/envoy", "/usr/local/bin/envoy"),
		"BadEnvoyPath":        BadEnvoyPath("/usr/local/bin/envoy", why("no such file")),
		"ServerStart":         ServerStart(why("exit status 127")),
		"PlatformConnect":     PlatformConnect("attach failed"),
		"WrongMachine":        WrongMachine("/src/envoy", "x86-64", "/usr/local/bin/envoy", "aarch64"),
		"AgentStart":          AgentStart([]string{"pilot-agent", "proxy"}, why("not in PATH")),
		"AgentEnded":          AgentEnded("exit status 1"),
		"EnvoyEnded":          EnvoyEnded(why("signal 9")),
		"TargetNeverAppeared": TargetNeverAppeared("envoy", time.Minute),
		"GateTimeout":         GateTimeout(4711, "no tracer"),
		"GateExec":            GateExec("/usr/local/bin/envoy", why("exec format error")),
		"EnvoyRunning":        EnvoyRunning("pid 4711"),
		"ForeignProcess":      ForeignProcess(4711, "/usr/local/bin/envoy"),
		"AttachFailed":        AttachFailed(why("operation not permitted")),
		"NotManual":           NotManual("it has been started"),
		"NoTerminal":          NoTerminal("the client opens none"),
		"ServerDied":          ServerDied("signal: killed", ""),
		"ConnectionLost":      ConnectionLost(why("EOF")),
		"HelperDied":          HelperDied(why("EOF")),
		"PtraceRefused":       PtraceRefused("a seccomp filter forbids ptrace here", "Run it with CAP_SYS_PTRACE."),
		"NotTheStart":         NotTheStart(4711, "/usr/local/bin/envoy --version"),
		"PresetUnbound":       PresetUnbound("syscalls", "no locations"),
		"NoSources":           NoSources("/bin/envoy", cause),
		"NotWatched":          NotWatched("/src/envoy", cause),
		"ProgramReplaced":     ProgramReplaced("/src/envoy", "3f0c91aa", "9e558f23"),
		"PastMain":            PastMain(1),
		"Undone":              Undone("Setting the breakpoint at 0x401000", "E09"),
		"LeftUnknown":         LeftUnknown(cause),
		"LLDBDapBehind":       LLDBDapBehind(cause),
		"Panicked":            Panicked("the request threads", "index out of range"),
		"Internal":            Internal(cause),
		"BadClient":           BadClient(cause),
		"NoHeldForm":          NoHeldForm("web.yaml", cause),
		"NotThatUser":         NotThatUser("pod/x", cause),
		"Parked":              Parked("pod/x", "web:80", 15001, cause),
		"NotListening":        NotListening("pod/x", "web:80", 15001, cause),
		"NotConnected":        NotConnected("web:80", "pod/x", cause),
		"NoResponse":          NoResponse("http://web/", cause),
		"HoldRefused":         HoldRefused("statefulset/x", cause),
		"HoldNotStarted":      HoldNotStarted("statefulset/x", why("waiting: ErrImagePull")),
		"HoldLeft":            HoldLeft("pod/x", "envoydbg release pod/x", cause),
		"NotReleased":         NotReleased("pod/x", cause),
	}
}

// dependent is what a constructor uses whose text depends on such a thing.
var dependent = []string{"Name", "Assign", "beside", "logFile", "logName", "console", "text", "plain", "refusal", "tail"}

// quoted is an attribute in a text of the catalogue's that does not go through Name.
var quoted = regexp.MustCompile(`\\?"(program|envoyPath|gate|startTimeout|lldbDap|lldbServer|hold|breakpointPresets|workTree|sourceMap|agent\.[a-z]+)\\?"`)

func TestEveryTextThatDependsOnSomethingIsTried(t *testing.T) {
	tried := calls(errCause, "")
	for _, d := range declarations(t) {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Recv != nil || !f.Name.IsExported() {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.KeyValueExpr:
				key, ok := n.Key.(*ast.Ident)
				return !ok || key.Name != "Attribute" // for a client's buttons, not for a reader
			case *ast.CallExpr:
				name := ""
				switch called := n.Fun.(type) {
				case *ast.Ident:
					name = called.Name
				case *ast.SelectorExpr:
					name = called.Sel.Name
				}
				if slices.Contains(dependent, name) && tried[f.Name.Name] == nil {
					t.Errorf("%s uses %s and is not among the calls of this test", f.Name.Name, name)
				}
				if name == "Name" || name == "Assign" || name == "beside" {
					return false // its arguments are attributes
				}
			case *ast.BasicLit:
				if m := quoted.FindString(n.Value); m != "" {
					t.Errorf("%s says %s in every place; Name says it as the user writes it", f.Name.Name, m)
				}
			}
			return true
		})
	}
}

// inFlags runs f as `envoydbg run` does, whose user writes flags.
func inFlags(t *testing.T, f func()) {
	t.Helper()
	SpeakOfFlags(map[string]string{"program": "--program", "envoyPath": "--envoy-path", "gate": "--gate", "target": "--target",
		"agent.command": "the words after \"--\"", "agent.start": "--start", "agent.output": "--agent-output", "agent.env": "--env", "agent.cwd": "--cwd",
		"lldbDap": "--lldb-dap", "lldbServer": "--lldb-server", "startTimeout": "--start-timeout", "sourceMap": "--source-map",
		"breakpointPresets": "--break", "workTree": "--work-tree", "namespace": "--namespace", "container": "--container"})
	defer SpeakOfFlags(nil)
	f()
}

// attribute is what only a user of launch.json knows.
var attribute = regexp.MustCompile(`"(target|program|envoyPath|gate|startTimeout|lldbDap|lldbServer|hold|breakpointPresets|workTree|sourceMap|agent[.a-z]*|envoy\.log)"|launch\.json|VS Code|debug console`)

// What is told on the command line speaks of flags alone, and exits as a wrong command
// line does where an attribute is a flag.
func TestOnTheCommandLineFaultsSpeakOfFlags(t *testing.T) {
	inFlags(t, func() {
		for name, f := range calls(errCause, "") {
			if m := attribute.FindString(f.Error()); m != "" {
				t.Errorf("%s speaks of %s:\n%v", name, m, f)
			}
		}
		for _, x := range []struct{ f, want string }{
			{BadAttribute("agent.cwd", "is no folder", "Create it.").Error(), "The command line is not valid: --cwd is no folder.\nCreate it. [ED1010]"},
			{BadAttribute("agent.env.A", "is a number", "Quote it.").Error(), "The command line is not valid: --env is a number.\nQuote it. [ED1010]"},
			{BadAttribute("timeout", "is a list", "Give a number.").Error(), "The command line is not valid: --set timeout=… is a list.\nGive a number. [ED1010]"},
			{BadTarget("moon").Error(), "The command line is not valid: --target is \"moon\", which is no known target.\nGive a pod such as statefulset/fortio-server, or leave it out for this machine. [ED1010]"},
			{Assign("agent.start", `"manual"`), "--start=manual"},
			{Assign("timeout", "5"), "--set timeout=5"},
			{NoBuildID("/a", "/b").Error(), "It cannot be checked that the local program is the Envoy that will run: there is no build-id.\n" +
				"  --program     /a\n  --envoy-path  /b\nLink Envoy with \"-Wl,--build-id\", or let --program and --envoy-path name the same file. [ED1204]"},
		} {
			if x.f != x.want {
				t.Errorf("got  %s\nwant %s", x.f, x.want)
			}
		}
	})
}

func TestInAnEditorFaultsSpeakOfAttributes(t *testing.T) {
	for _, f := range calls(errCause, "") {
		for _, flag := range []string{"--program", "--envoy-path", "--gate", "--lldb-", "--set", "--start", "--cwd"} {
			if strings.Contains(f.Error(), flag) {
				t.Errorf("%v", f)
			}
		}
	}
	for got, want := range map[string]string{
		Name("agent.cwd"):                   `"agent.cwd"`,
		Assign("gate", "false"):             `"gate": false`,
		Assign("agent.start", `"manual"`):   `"agent": {"start": "manual"}`,
		BadTarget("moon").ID():              "ED1003",
		BadAttribute("gate", "x", "y").ID(): "ED1001",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// inside is what only a Go programmer knows.
var inside = []string{"strconv.", "json:", "jsonrpc2", "open /", "stat /", "fork/exec", "exec:", "$PATH", "EOF", "syscall.", "pipe2", "tcp:", "unix:", "bind:",
	"context ", "io:", "Go value", "looking for", "closed network", "yamux", "i/o timeout"}

// goErrors are errors of each kind, as Go's packages make them.
func goErrors(t *testing.T) map[string]error {
	t.Helper()
	_, opened := os.Open("/nonexistent/file")
	_, read := os.ReadDir("/nonexistent")
	_, statted := os.Stat(filepath.Join(t.TempDir(), "none"))
	_, found := exec.LookPath("nonexistent-program")
	started := exec.Command("/nonexistent/program").Run()
	_, number := strconv.Atoi("x1")
	_, large := strconv.Atoi("99999999999999999999")
	var v struct{ A int }
	_, dialled := net.Dial("unix", "/nonexistent/socket")
	_, listened := net.Listen("tcp", "127.0.0.1:99999")
	_, taken := net.Listen("unix", "/nonexistent/socket")
	_, closed := (&net.UnixConn{}).Read(nil)
	all := map[string]error{"open": opened, "read": read, "stat": statted, "find": found, "start": started, "number": number, "large": large,
		"dial": dialled, "listen": listened, "taken": taken, "closed": closed,
		"JSON":      json.Unmarshal([]byte(`{"A": x}`), &v),
		"JSON end":  json.Unmarshal([]byte(`{"A"`), &v),
		"JSON type": json.Unmarshal([]byte(`{"A": "x"}`), &v),
		"JSON-RPC":  &jsonrpc2.Error{Code: -32603, Message: "open /usr/bin/envoy: no such file or directory"},
		"RPC end":   jsonrpc2.ErrClosed, "end": io.EOF, "short": io.ErrUnexpectedEOF, "pipe": io.ErrClosedPipe,
		"limit":       &os.SyscallError{Syscall: "pipe2", Err: syscall.EMFILE},
		"permission":  &fs.PathError{Op: "open", Path: "/usr/bin/envoy", Err: syscall.EACCES},
		"exec":        &fs.PathError{Op: "fork/exec", Path: "/usr/bin/envoy", Err: syscall.EACCES},
		"exec format": &fs.PathError{Op: "fork/exec", Path: "/usr/bin/envoy", Err: syscall.ENOEXEC},
		"cancelled":   t.Context().Err(),
	}
	for name, err := range all {
		if err == nil {
			delete(all, name)
		}
	}
	return all
}

// Whatever the cause, no fault shows a word of Go's; the system's own words stay.
func TestNoFaultSpeaksGo(t *testing.T) {
	for kind, err := range goErrors(t) {
		for _, err := range []error{err, fmt.Errorf("the helper: %w", err)} {
			for name, f := range calls(err, err.Error()) {
				for _, word := range inside {
					if strings.Contains(f.Error(), word) {
						t.Errorf("%s of %s says %q:\n%v", name, kind, word, f)
					}
				}
				if strings.Contains(f.Error(), "\n  \n") || strings.Contains(f.Error(), ":\n") {
					t.Errorf("%s of %s has lost its words:\n%v", name, kind, f)
				}
			}
		}
	}
	for err, want := range map[string]string{
		"fork/exec /bin/envoy: exec format error":                                             "/bin/envoy: exec format error",
		"open /log: no such file or directory":                                                "/log: no such file or directory",
		"listen unix /x/s: bind: address already in use":                                      "/x/s: address already in use",
		"jsonrpc2: code 3 message: stat ./envoy: no such file or directory":                   "./envoy: no such file or directory",
		`exec: "lldb-dap-9": executable file not found in $PATH`:                              "lldb-dap-9: not in PATH",
		`strconv.ParseInt: parsing "x": invalid syntax`:                                       `"x" is not valid here`,
		"read tcp 127.0.0.1:1->127.0.0.1:2: use of closed network connection":                 "the connection was closed",
		"envoy ended: exit status 1":                                                          "envoy ended: exit status 1",
		"it may open /dev/null and read /etc/passwd":                                          "it may open /dev/null and read /etc/passwd",
		"json: cannot unmarshal string into Go struct field HelloResult.protocol of type int": "a string does not belong there",
	} {
		if got := plain(err); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", err, got, want)
		}
	}
}

// A missing permission is told as that, wherever it is met, with what is missing.
func TestAMissingPermissionIsNotToldAsNotFound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o640); err != nil {
		t.Fatal(err)
	}
	denied := &fs.PathError{Op: "open", Path: path, Err: syscall.EACCES}
	for doing, f := range map[string]*Fault{
		"write the trace":                           Log(path, denied.Err),
		"read the local program":                    BadProgram(path, denied),
		"run the helper program":                    HelperStart(fmt.Errorf("it cannot be started: %w", denied), ""),
		"run lldb-dap":                              LLDBDapStart(path, "", "", denied),
		"run the agent":                             AgentStart([]string{path, "proxy"}, denied.Error()),
		"run the real Envoy":                        GateExec(path, "exec: permission denied"),
		"read the Envoy that the agent would start": BadEnvoyPath(path, "open "+path+": permission denied"),
	} {
		if f.Code != 1020 || f.What != "envoydbg is not permitted to "+doing+"." || f.Evidence[0] != path || !strings.Contains(f.Do, "namei -l "+path) {
			t.Errorf("%s: %v", doing, f)
		}
	}
	if f := BadProgram(path, denied); !strings.HasPrefix(f.Evidence[1], "mode -rw-r-----, owner ") || !errors.Is(f, syscall.EACCES) {
		t.Errorf("%v", f)
	}
}

func TestAFolderForTheTraceThatIsMissingIsNamed(t *testing.T) {
	f := Log("/nonexistent/log", syscall.ENOENT)
	if f.Evidence[1] != "there is no folder /nonexistent" || !strings.HasPrefix(f.Do, "Create the folder") {
		t.Errorf("%v", f)
	}
}
