package fault

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/test/support/checkout"
)

var errCause = errors.New("the cause")

// each calls every constructor; that none is left out is checked below.
var each = map[string]*Fault{
	"BadAttribute":        BadAttribute("gate", "is a string", "It must be true or false."),
	"BadTarget":           BadTarget("pod/x"),
	"Usage":               Usage("unknown flag: --x", "See --help."),
	"UnknownAttribute":    UnknownAttribute("frob"),
	"NoEffect":            NoEffect("cwd", "Set agent.cwd."),
	"NoAgent":             NoAgent(errCause),
	"NotPermitted":        NotPermitted("run the agent", "/bin/pilot-agent", "mode -rw-r--r--"),
	"NoLineTables":        NoLineTables("/src/envoy", errCause),
	"Listen":              Listen("127.0.0.1:80", errCause),
	"Log":                 Log("/none/log", errCause),
	"LogCut":              LogCut("/dev/full", errCause),
	"OutputLost":          OutputLost(errCause),
	"NotBound":            NotBound("sever.cc:44", "no such file"),
	"InputEnded":          InputEnded("until ready", time.Second),
	"Connection":          Connection(errCause),
	"EndTooLong":          EndTooLong(time.Second),
	"NoLLDBDap":           NoLLDBDap("lldb-dap in PATH"),
	"OtherRelease":        OtherRelease("0.2.0", "0.1.0"),
	"LLDBTooOld":          LLDBTooOld("/usr/bin/lldb-dap", "18.1.0", 19),
	"LLDBDapStart":        LLDBDapStart("/usr/bin/lldb-dap", "no liblldb", "", errCause),
	"LLDBDapDied":         LLDBDapDied("signal: aborted", "terminate called", ""),
	"NoHelper":            NoHelper("/bin/envoydbg-helper", errCause),
	"NotHere":             NotHere("darwin"),
	"HelperStart":         HelperStart(errCause, ""),
	"BadProgram":          BadProgram("/src/envoy", errCause),
	"NoLLDBServer":        NoLLDBServer("lldb-server", "not in PATH"),
	"BuildIDMismatch":     BuildIDMismatch("/src/envoy", "3f0c", "/usr/local/bin/envoy", ""),
	"NoBuildID":           NoBuildID("/src/envoy", "/usr/local/bin/envoy"),
	"BadEnvoyPath":        BadEnvoyPath("/usr/local/bin/envoy", "no such file"),
	"ServerStart":         ServerStart("exit status 127"),
	"PlatformConnect":     PlatformConnect("attach failed"),
	"WrongMachine":        WrongMachine("/src/envoy", "x86-64", "/usr/local/bin/envoy", "aarch64"),
	"AgentStart":          AgentStart([]string{"pilot-agent", "proxy"}, "not in PATH"),
	"AgentEnded":          AgentEnded("exit status 1"),
	"EnvoyEnded":          EnvoyEnded("signal 9"),
	"TargetNeverAppeared": TargetNeverAppeared("envoy", time.Minute),
	"GateTimeout":         GateTimeout(4711, "no tracer"),
	"GateExec":            GateExec("/usr/local/bin/envoy", "exec format error"),
	"GateBypassed":        GateBypassed(4711, "the agent itself became /usr/local/bin/envoy", "Let it call Envoy by its name."),
	"EnvoyRunning":        EnvoyRunning("pid 4711"),
	"ForeignProcess":      ForeignProcess(4711, "/usr/local/bin/envoy"),
	"AttachFailed":        AttachFailed("operation not permitted"),
	"NotManual":           NotManual("it has been started"),
	"Cancelled":           Cancelled(),
	"NoTerminal":          NoTerminal("the client opens none"),
	"NoAgentToStop":       NoAgentToStop("it was not started"),
	"NoCluster":           NoCluster(errCause),
	"NoPod":               NoPod("pod/x", "demo", "not found"),
	"ManyPods":            ManyPods("app=x", []string{"pod/a", "pod/b"}),
	"NoContainer":         NoContainer("pod/x has no container istio-proxy"),
	"Forbidden":           Forbidden("pods/exec is forbidden"),
	"Exec":                Exec("pod/x", errCause),
	"NoPlace":             NoPlace("pod/x", []string{"/tmp"}, nil),
	"NoSession":           NoSession("pod/x", errCause),
	"EnvoyRuns":           EnvoyRuns("pod/x", "it runs already (envoy, pid 7)"),
	"PodRestarts":         PodRestarts("livenessProbe", "restarts the container when it has failed for 30 s", "an Envoy that is stopped does not answer it", "remove the probe"),
	"ServerMachine":       ServerMachine("/usr/bin/lldb-server", "amd64", "pod/x", "arm64"),
	"ServerVersion":       ServerVersion("/usr/bin/lldb-server", "19.1.7", "22.1.8", "lldb-server-22"),
	"NoServerThere":       NoServerThere("127.0.0.1:2159", "connection refused", "Run lldb-server."),
	"NoPlatformThere":     NoPlatformThere("127.0.0.1:2159", "it does not speak gdb-remote", "Run lldb-server."),
	"ServerElsewhere":     ServerElsewhere("127.0.0.1:2159", []string{"it has another PID namespace"}, "Run lldb-server."),
	"OtherServer":         OtherServer("127.0.0.1:2159", "19.1.7", "22.1.8"),
	"NoShell":             NoShell("pod/x", "busybox"),
	"ImageRefused":        ImageRefused("busybox", "pod/x", errCause),
	"ImageNotStarted":     ImageNotStarted("busybox", "pod/x", "waiting: ErrImagePull"),
	"NotCarried":          NotCarried("pod/x", "/proc/1/root/tmp"),
	"InUse":               InUse("/var/lib/istio/data/.envoydbg"),
	"Upload":              Upload("lldb-server", "pod/x", errCause),
	"NotYet":              NotYet("evaluate"),
	"ServerDied":          ServerDied("signal: killed", ""),
	"ConnectionLost":      ConnectionLost("EOF"),
	"HelperDied":          HelperDied("EOF"),
	"EnvoyKilled":         EnvoyKilled(4711),
	"PtraceRefused":       PtraceRefused("a seccomp filter forbids ptrace here", "Run it with CAP_SYS_PTRACE."),
	"NotTheStart":         NotTheStart(4711, "/usr/local/bin/envoy --version"),
	"GateUnreachable":     GateUnreachable("pilot-agent (pid 4711) runs as another user", "Set TMPDIR."),
	"Unsupported":         Unsupported("breakpointLocations", "19.1.7"),
	"NoRestart":           NoRestart(),
	"PresetUnbound":       PresetUnbound("syscalls", "no locations"),
	"LeftRunning":         LeftRunning([]int{4711}),
	"NoTempDir":           NoTempDir([]string{"/tmp: read-only file system"}, 80, errCause),
	"Exhausted":           Exhausted("memory", "lldb-dap does not start", "cannot allocate memory", "Free some."),
	"NoSources":           NoSources("/bin/envoy", errCause),
	"NotWatched":          NotWatched("/src/envoy", errCause),
	"ProgramReplaced":     ProgramReplaced("/src/envoy", "3f0c91aa", "9e558f23"),
	"PastMain":            PastMain(1),
	"Undone":              Undone("Setting the breakpoint at 0x401000", "E09"),
	"NotAllBound":         NotAllBound(3, 4, []string{"sever.cc:44: nothing is compiled from it"}),
	"Unbound":             Unbound("sever.cc:44", "nothing is compiled from it"),
	"SharedLine":          SharedLine("server.cc:44", "it does what the other says"),
	"HitCondition":        HitCondition("server.cc:44", "it is ignored"),
	"SourceChanged":       SourceChanged("/src/server.cc"),
	"Over":                Over("threads"),
	"LeftUnknown":         LeftUnknown(errCause),
	"NoPython":            NoPython("/usr/bin/lldb-dap", "22.1.8", 22, "No module named 'lldb'"),
	"SourceSavedLater":    SourceSavedLater("/src/server.cc", time.Now(), time.Now()),
	"NotKept":             NotKept(),
	"LLDBDapBehind":       LLDBDapBehind(errCause),
	"Panicked":            Panicked("the request threads", "index out of range"),
	"Internal":            Internal(errCause),
	"NoHeldForm":          NoHeldForm("web.yaml", errCause),
	"NotThatUser":         NotThatUser("pod/x", errCause),
	"Parked":              Parked("pod/x", "web:80", 15001, errCause),
	"NotListening":        NotListening("pod/x", "web:80", 15001, errCause),
	"NotConnected":        NotConnected("web:80", "pod/x", errCause, "no Envoy had a part in it"),
	"NoResponse":          NoResponse("http://web/", errCause, "Envoy has closed it"),
	"RequestTimeout":      RequestTimeout("http://web/", time.Second, "Envoy has not accepted it"),
	"PastEnvoy":           PastEnvoy(1, 2, []string{"user 1337 is left out"}),
	"NoForwarding":        NoForwarding("pod/x"),
	"SomeRequests":        SomeRequests(1, 2, []string{"1 × connection refused"}),
	"LinkCut":             LinkCut(errCause, time.Minute),
	"LinkLost":            LinkLost(time.Minute, 2*time.Minute, errCause, errCause),
	"SessionGone":         SessionGone(errCause),
	"SessionTaken":        SessionTaken("/var/lib/istio/data/envoydbg", "ann@laptop", time.Unix(0, 0)),
	"HelperVersion":       HelperVersion(errCause),
	"HelperUser":          HelperUser("/var/lib/istio/data/envoydbg", errCause),
	"HelperUnreached":     HelperUnreached(errCause),
	"EndUntold":           EndUntold(time.Minute),
	"AgentLeft":           AgentLeft("ann@laptop", time.Unix(0, 0), "pilot-agent proxy", 4711, false, "pod/x"),
	"AgentInSession":      AgentInSession("ann@laptop", time.Unix(0, 0)),
	"AgentEndedSoon":      AgentEndedSoon("pilot-agent proxy", "exit status 1", "unknown flag"),
	"NotStopped":          NotStopped("pod/x container istio-proxy", errCause),
	"HoldRefused":         HoldRefused("statefulset/x", errCause),
	"HoldNotStarted":      HoldNotStarted("statefulset/x", "waiting: ErrImagePull"),
	"CannotHold":          CannotHold("statefulset/x", "the pod is in its node's network", "there are no two Envoys with the same ports", "hold the workload"),
	"NothingHeld":         NothingHeld("statefulset/x"),
	"HoldLeft":            HoldLeft("pod/x", "envoydbg release pod/x", errCause),
	"NotReleased":         NotReleased("pod/x", errCause),
	"HeldAlready":         HeldAlready("statefulset/x", "ann@laptop", time.Unix(0, 0)),
	"BadClient":           BadClient(errCause),
	"OutOfOrder":          OutOfOrder("attach", "the session has begun already"),
}

// constructor is one function of the catalogue, as it stands in the source.
type constructor struct {
	name, doc string
	code      int
	what      string // with … for what differs from case to case
}

var (
	verb    = regexp.MustCompile(`%[a-z]`)
	heading = regexp.MustCompile(`^### ED(\d{4}) (.*)$`)
)

// declarations are those of the files of the catalogue.
func declarations(t *testing.T) []ast.Decl {
	t.Helper()
	files, err := filepath.Glob("catalogue_*.go")
	if err != nil {
		t.Fatal(err)
	}
	var all []ast.Decl
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, file.Decls...)
	}
	return all
}

// catalogue reads the exported functions of the catalogue, which return a *Fault.
func catalogue(t *testing.T) []constructor {
	t.Helper()
	var all []constructor
	for _, d := range declarations(t) {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Recv != nil || !f.Name.IsExported() {
			continue
		}
		c := constructor{name: f.Name.Name, doc: f.Doc.Text()}
		ast.Inspect(f, func(n ast.Node) bool {
			kv, ok := n.(*ast.KeyValueExpr)
			if !ok {
				return true
			}
			switch key := kv.Key.(*ast.Ident).Name; key {
			case "Code":
				c.code, _ = strconv.Atoi(kv.Value.(*ast.BasicLit).Value)
			case "What":
				value := kv.Value
				if call, ok := value.(*ast.CallExpr); ok {
					value = call.Args[0]
				}
				text, err := strconv.Unquote(value.(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				c.what = verb.ReplaceAllString(text, "…")
			}
			return true
		})
		all = append(all, c)
	}
	if len(all) < 30 {
		t.Fatalf("only %d constructors were found", len(all))
	}
	return all
}

func TestEveryFaultSaysWhatAndWhatToDo(t *testing.T) {
	numbers := map[int]string{}
	constructors := catalogue(t)
	for _, c := range constructors {
		f := each[c.name]
		if f == nil {
			t.Errorf("%s is not among the calls of this test", c.name)
			continue
		}
		if !strings.HasPrefix(c.doc, c.name+": ") {
			t.Errorf("%s: the comment should say %q", c.name, c.name+": …")
		}
		if f.Code != c.code || f.Code < 1000 || f.Code > 1999 {
			t.Errorf("%s: number %d", c.name, f.Code)
		}
		if other := numbers[f.Code]; other != "" {
			t.Errorf("%s and %s share the number %d", c.name, other, f.Code)
		}
		numbers[f.Code] = c.name
		if strings.Count(f.What, "\n") > 0 || !strings.HasSuffix(f.What, ".") {
			t.Errorf("%s: not one sentence: %q", c.name, f.What)
		}
		if !strings.HasSuffix(f.Do, ".") {
			t.Errorf("%s: what to do is %q", c.name, f.Do)
		}
		for _, e := range f.Evidence {
			if strings.TrimSpace(e) == "" || strings.HasSuffix(e, ".") {
				t.Errorf("%s: the evidence %q", c.name, e)
			}
		}
		if text := f.Error(); !strings.HasPrefix(text, f.What) || !strings.HasSuffix(text, f.Do+fmt.Sprintf(" [ED%d]", c.code)) || strings.Contains(text, "%!") {
			t.Errorf("%s: %s", c.name, text)
		}
	}
	if len(each) != len(constructors) {
		t.Errorf("%d calls for %d constructors", len(each), len(constructors))
	}
}

// docs/errors.md has a section for each fault, in the order of the numbers, with
// its sentence as the heading.
func TestTheDocsExplainEveryFault(t *testing.T) {
	text, err := os.ReadFile(checkout.Path(t, "docs/errors.md"))
	if err != nil {
		t.Fatal(err)
	}
	explained := map[int]string{}
	last, why, do := 0, true, true
	finish := func() {
		if !why || !do {
			t.Errorf("ED%d: the section lacks a paragraph \"Why: …\" or \"What to do: …\"", last)
		}
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if m := heading.FindStringSubmatch(line); m != nil {
			finish()
			code, _ := strconv.Atoi(m[1]) // digits alone
			if code <= last {
				t.Errorf("ED%d stands behind ED%d", code, last)
			}
			explained[code] = m[2]
			last, why, do = code, false, false
		}
		why = why || strings.HasPrefix(line, "Why: ")
		do = do || strings.HasPrefix(line, "What to do: ")
	}
	finish()
	for _, c := range catalogue(t) {
		switch got, ok := explained[c.code]; {
		case !ok:
			t.Errorf("ED%d (%s) is not explained", c.code, c.name)
		case got != c.what:
			t.Errorf("ED%d is explained as\n%q, and says\n%q", c.code, got, c.what)
		}
		delete(explained, c.code)
	}
	for code, what := range explained {
		t.Errorf("ED%d (%s) is explained, but is not in the catalogue", code, what)
	}
}

// The docs say of each warning, and of nothing else, that the session goes on.
func TestTheDocsTellWarningsFromErrors(t *testing.T) {
	text, err := os.ReadFile("../../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, section := range strings.Split(string(text), "\n### ED")[1:] {
		code, err := strconv.Atoi(section[:4])
		if err != nil {
			t.Fatal(err)
		}
		if goesOn := strings.Contains(section, "The session goes on"); goesOn != IsWarning(code) {
			t.Errorf("ED%d: a warning: %v; \"The session goes on\" in the docs: %v", code, IsWarning(code), goesOn)
		}
	}
}

func TestAFaultsNumberIsReadFromItsText(t *testing.T) {
	for text, want := range map[string]int{
		SourceChanged("/src/server.cc").Error() + "\n": 1405,
		Cancelled().Error():                            1312,
		"[ED1405] is a warning":                        0,
		"[ED14050]":                                    0,
		"":                                             0,
	} {
		if got := CodeOf(text); got != want {
			t.Errorf("%q has the number %d, want %d", text, got, want)
		}
	}
}

func TestTheTextHasItsParts(t *testing.T) {
	f := &Fault{Code: 1999, What: "It broke.", Evidence: []string{"first", "", "two\nlines\n"}, Do: "Mend it."}
	if got, want := f.Error(), "It broke.\n  first\n  two\n  lines\nMend it. [ED1999]"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	more := f.With("pid %d", 7)
	if len(f.Evidence) != 3 || len(more.Evidence) != 4 || more.Evidence[3] != "pid 7" {
		t.Errorf("got %q from %q", more.Evidence, f.Evidence)
	}
}

func TestNothingReachesTheUserWithoutANumber(t *testing.T) {
	f := Cancelled()
	if got := From(fmt.Errorf("while starting: %w", f)); got != f {
		t.Errorf("got %v", got)
	}
	if got := From(errCause); got.Code != 1901 || !errors.Is(got, errCause) || !strings.Contains(got.Error(), "the cause") {
		t.Errorf("got %v", got)
	}
}

// A program's own words are better evidence than how it failed.
func TestStderrGoesBeforeTheCause(t *testing.T) {
	for _, test := range []struct {
		f    *Fault
		want string
	}{
		{HelperStart(errCause, " its words\n"), "its words"},
		{HelperStart(errCause, "\n"), "the cause"},
		{ServerDied("signal: killed", ""), "signal: killed"},
	} {
		if got := test.f.Evidence[len(test.f.Evidence)-1]; got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

// Whatever hits a limit of the machine says so, in any part's words, and is not
// answered with advice about LLDB's version.
func TestLimitsOfTheMachineAreTold(t *testing.T) {
	dump := "terminate called after throwing an instance of 'std::system_error'\n  what():  Resource temporarily unavailable\n" +
		"PLEASE submit a bug report\nStack dump:\n" + strings.Repeat("0  libLLVM.so.19.1 0x00007f\n", 100)
	for _, test := range []struct {
		f              *Fault
		what, evidence string
	}{
		{LLDBDapStart("/lldb-dap", dump, "", errCause), "processes and threads", "what():  Resource temporarily unavailable"},
		{LLDBDapStart("/lldb-dap", "", "", fmt.Errorf("fork/exec /lldb-dap: %w", syscall.EAGAIN)), "processes and threads",
			"/lldb-dap: resource temporarily unavailable"},
		{LLDBDapStart("/lldb-dap", "", "", fmt.Errorf("pipe2: %w", syscall.EMFILE)), "open files of a process", "too many open files"},
		{LLDBDapDied("signal: aborted", "", dump), "processes and threads", "what():  Resource temporarily unavailable"},
		{LLDBDapDied("signal: aborted", "terminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc", ""), "memory",
			"terminate called after throwing an instance of 'std::bad_alloc'"},
		{HelperStart(fmt.Errorf("the helper cannot be started: %w", syscall.ENOMEM), ""), "memory", "the helper cannot be started: cannot allocate memory"},
		{HelperDied("exit status 2\nruntime: failed to create new OS thread (have 5 already; errno=11)\ngoroutine 1:\n…"), "processes and threads",
			"runtime: failed to create new OS thread (have 5 already; errno=11)"},
		{ServerStart("lldb-server cannot be started: fork/exec lldb-server: resource temporarily unavailable"), "processes and threads",
			"lldb-server cannot be started: fork/exec lldb-server: resource temporarily unavailable"},
		{ServerStart("inotify on /tmp/x: no space left on device"), "inotify watches", "inotify on /tmp/x: no space left on device"},
		{ServerDied("signal: aborted", "LLVM ERROR: out of memory\nStack dump:\n"), "memory", "LLVM ERROR: out of memory"},
		{AgentStart([]string{"pilot-agent"}, "the gate could not be placed at /tmp/x: write /tmp/x: no space left on device"), "disk space or inodes",
			"the gate could not be placed at /tmp/x: /tmp/x: no space left on device"},
		{AgentStart([]string{"pilot-agent"}, "write /tmp/x: disk quota exceeded"), "disk quota", "/tmp/x: disk quota exceeded"},
		{GateExec("/envoy", "exec of /envoy failed: cannot allocate memory"), "memory", "exec of /envoy failed: cannot allocate memory"},
	} {
		if test.f.Code != 1906 || !strings.Contains(test.f.What, ": "+test.what+".") || test.f.Evidence[1] != test.evidence {
			t.Errorf("%s %v: %s", test.what, test.evidence, test.f)
		}
		if text := test.f.Error(); strings.Contains(text, "Stack dump") || strings.Contains(text, "version") || strings.Contains(text, "lldbDap") {
			t.Errorf("%s", text)
		}
	}
	for _, f := range []*Fault{LLDBDapDied("signal: segmentation fault", "PLEASE submit a bug report", "error: no such thread"),
		HelperStart(errCause, "inotify is fine"), ServerStart("exit status 127"), AgentStart([]string{"x"}, "not in PATH")} {
		if f.Code == 1906 {
			t.Errorf("taken for a limit: %s", f)
		}
	}
}
