package config

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/fault"
)

func TestThreeAttributesAreEnough(t *testing.T) {
	got, _, err := Parse([]byte(`{"type": "envoy", "request": "attach", "target": "local"}`))
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		Target: "local", Program: "/usr/local/bin/envoy", EnvoyPath: "/usr/local/bin/envoy", Gate: true, IndexCache: true, Warm: true, StartTimeout: 60, CommandEscapePrefix: "`", Container: "istio-proxy", Hold: "ask", HoldAtEnd: "release", Application: "run", Capture: "all", AtEnd: "end",
		Agent: Agent{Command: []string{"pilot-agent", "proxy", "sidecar"}, Output: "console", Start: "whenArmed"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got.Timeout() != time.Minute {
		t.Errorf("timeout %v", got.Timeout())
	}
}

func TestEveryAttributeArrives(t *testing.T) {
	dir := t.TempDir()
	got, warnings, err := Parse([]byte(`{
		"target": "local", "program": "/src/envoy", "envoyPath": "/opt/envoy", "gate": false, "startTimeout": 1.5, "atEnd": "keepStopped",
		"lldbDap": "lldb-dap-22", "lldbServer": "/lldb/lldb-server", "indexCache": false, "warm": false, "stopOnEntry": true,
		"workTree": ` + quoted(dir) + `, "sourceMap": [["/a", "/b"], ["/c", "/d"]],
		"breakpointPresets": ["main", "syscalls", "libevent"], "initCommands": ["a"], "preRunCommands": ["b", "c"],
		"agent": {"command": ["agent", "", "x y"], "env": {"A": "", "B": "b=c"}, "cwd": ` + quoted(dir) + `, "start": "manual", "output": "/tmp/agent.log"}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		Target: "local", Program: "/src/envoy", EnvoyPath: "/opt/envoy", Gate: false, StartTimeout: 1.5, CommandEscapePrefix: "`", Container: "istio-proxy", Hold: "ask", HoldAtEnd: "release", Application: "run", Capture: "all", AtEnd: "keepStopped",
		LLDBDap: "lldb-dap-22", LLDBServer: "/lldb/lldb-server", StopOnEntry: true,
		WorkTree: dir, SourceMap: SourceMap{{"/a", "/b"}, {"/c", "/d"}},
		BreakpointPresets: []string{"main", "syscalls", "libevent"}, InitCommands: []string{"a"}, PreRunCommands: []string{"b", "c"},
		Agent: Agent{Command: []string{"agent", "", "x y"}, Env: map[string]string{"A": "", "B": "b=c"}, Cwd: dir, Output: "/tmp/agent.log", Start: "manual"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if len(warnings) > 0 {
		t.Errorf("warned: %v", warnings)
	}
	if got.Timeout() != 1500*time.Millisecond {
		t.Errorf("timeout %v", got.Timeout())
	}
}

// An object is a source map in the order it is written in.
func TestASourceMapMayBeAnObject(t *testing.T) {
	got, _, err := Parse([]byte(`{"target": "local", "sourceMap": {"/z": "/1", "/a": "/2"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if want := (SourceMap{{"/z", "/1"}, {"/a", "/2"}}); !reflect.DeepEqual(got.SourceMap, want) {
		t.Errorf("got %v, want %v", got.SourceMap, want)
	}
}

// What lldb-dap reads, and what an editor reads or adds, is nobody's mistake; nor is
// null, which sets nothing.
func TestOtherAttributesAreLeftAlone(t *testing.T) {
	for _, more := range []string{
		`"sourceMap": [["/a", "/b"]]`, `"timeout": "30"`, `"__sessionId": 7`, `"__configurationTarget": 5`, `"preLaunchTask": "build"`, `"noDebug": true`,
		`"linux": {"program": "/x"}`, `"presentation": {"hidden": true}`, `"stopCommands": ["bt"]`,
		`"agent": null`, `"gate": null`, `"attachCommands": null`, `"pid": null`, `"frobnicate": null`, `"cwd": null`,
	} {
		if _, warnings, err := Parse([]byte(`{"target": "local", ` + more + `}`)); err != nil || len(warnings) > 0 {
			t.Errorf("%s: %v %v", more, warnings, err)
		}
	}
}

// A name that is nearly right is an error that says the right one. All others may be
// known to the lldb-dap in use, so they are only told.
func TestNamesThatNobodyKnowsAreTold(t *testing.T) {
	for attributes, want := range map[string]string{
		`"progam": "/x"`:                   `The launch attribute "progam" is not known. Did you mean "program"?`,
		`"Program": "/x"`:                  `The launch attribute "Program" is not known. Did you mean "program"?`,
		`"envoy-path": "/x"`:               `The launch attribute "envoy-path" is not known. Did you mean "envoyPath"?`,
		`"agents": {}`:                     `The launch attribute "agents" is not known. Did you mean "agent"?`,
		`"initCommand": ["x"]`:             `The launch attribute "initCommand" is not known. Did you mean "initCommands"?`,
		`"preLaunchTasks": "x"`:            `The launch attribute "preLaunchTasks" is not known. Did you mean "preLaunchTask"?`,
		`"agent.command": ["x"]`:           `The launch attribute "agent.command" is not known. Write "agent": {"command": …}.`,
		`"command": ["x"]`:                 `The launch attribute "command" is not known. Write "agent": {"command": …}.`,
		`"agent": {"comand": ["x"]}`:       `The launch attribute "agent.comand" is not known. Did you mean "agent.command"?`,
		`"agent": {"name": 1}`:             `The launch attribute "agent.name" is not known. "agent" has command, env, cwd, envFile, output, start.`,
		`"agent": {"start": "whenarmed"}`:  `The launch attribute "agent.start" is "whenarmed". Did you mean "whenArmed"? It takes whenArmed, manual.`,
		`"breakpointPresets": ["syscall"]`: `The launch attribute "breakpointPresets" has "syscall". Did you mean "syscalls"? It takes main, syscalls, libevent.`,
		`"miDebuggerPath": "gdb"`:          `The launch attribute "miDebuggerPath" is not known; it was passed to lldb-dap.`,
		`"args": ["x"]`:                    `The launch attribute "args" has no effect in a startup session. For the agent, set "agent.command".`,
		`"env": {}`:                        `The launch attribute "env" has no effect in a startup session. For the agent, set "agent.env".`,
		`"runInTerminal": false`:           `The launch attribute "runInTerminal" has no effect in a startup session. Remove it: the agent starts Envoy.`,
	} {
		_, warnings, err := Parse([]byte(`{"target": "local", ` + attributes + `}`))
		var f *fault.Fault
		switch {
		case errors.As(err, &f):
			if f.Code != 1001 {
				t.Errorf("%s: %v", attributes, f)
			}
		case len(warnings) == 1:
			if f = warnings[0]; !fault.IsWarning(f.Code) {
				t.Errorf("%s: %v is no warning", attributes, f)
			}
		default:
			t.Errorf("%s: nothing is told", attributes)
			continue
		}
		if got := f.What + " " + f.Do; !strings.HasPrefix(got, want) {
			t.Errorf("%s\ngot  %s\nwant %s", attributes, got, want)
		}
	}
}

// A configuration without a target is lldb-dap's. But somebody who gives attributes of
// a startup has forgotten the target, or misspelled it.
func TestAStartupWithoutATargetIsTold(t *testing.T) {
	for arguments, want := range map[string]string{
		`{"program": "/x", "args": ["y"], "lldbDap": "z", "workTree": "/src", "frob": 1}`: "",
		`{"gate": true}`:                               `Add "target": "local", or remove "gate" for plain lldb-dap.`,
		`{"agent": {}, "tarket": "local"}`:             `Did you mean "target" in place of "tarket"?`,
		`{"Target": "local", "breakpointPresets": []}`: `Did you mean "target" in place of "Target"?`,
	} {
		err := CheckPlain([]byte(arguments))
		var f *fault.Fault
		if (err == nil) != (want == "") || err != nil && (!errors.As(err, &f) || f.Code != 1001 || f.Do != want) {
			t.Errorf("%s: %v", arguments, err)
		}
	}
}

// program alone is what runs, too.
func TestOneOfTheTwoEnvoysIsEnough(t *testing.T) {
	for attributes, want := range map[string][2]string{
		`"program": "/src/envoy"`:                            {"/src/envoy", "/src/envoy"},
		`"envoyPath": "/opt/envoy"`:                          {"/opt/envoy", "/opt/envoy"},
		`"program": "/src/envoy", "envoyPath": "/opt/envoy"`: {"/src/envoy", "/opt/envoy"},
		`"gate": true`:                                       {"/usr/local/bin/envoy", "/usr/local/bin/envoy"},
	} {
		c, _, err := Parse([]byte(`{"target": "local", ` + attributes + `}`))
		if err != nil || [2]string{c.Program, c.EnvoyPath} != want {
			t.Errorf("%s: %+v, %v", attributes, c, err)
		}
	}
}

// What is named and is not there is found before anything starts.
func TestWhatIsNotThereIsFoundAtOnce(t *testing.T) {
	dir := t.TempDir()
	file, agent := filepath.Join(dir, "file"), filepath.Join(dir, "agent")
	for path, mode := range map[string]os.FileMode{file: 0o644, agent: 0o755} {
		if err := os.WriteFile(path, nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, x := range []struct {
		attributes string
		code       int
		says       string
	}{
		{`"agent": {"command": ["agent"], "env": {"PATH": ` + quoted(dir) + `}}`, 0, ""},
		{`"agent": {"command": ["./agent"], "cwd": ` + quoted(dir) + `}`, 0, ""},
		{`"agent": {"command": ["agent"], "env": {"PATH": "/nonexistent"}}`, 1019, "agent is not in PATH (/nonexistent)"},
		{`"agent": {"command": ["/nonexistent/agent"]}`, 1019, "/nonexistent/agent"},
		{`"agent": {"command": ["./agent"]}`, 1019, "agent"},
		{`"agent": {"command": [` + quoted(dir) + `]}`, 1019, "is a directory"},
		{`"agent": {"command": [` + quoted(file) + `]}`, 1020, "mode -rw-r--r--, owner "},
		{`"agent": {"command": ["file"], "env": {"PATH": ` + quoted(dir) + `}}`, 1020, "is not executable"},
		{`"agent": {"cwd": "/does/not/exist"}`, 1001, `"agent.cwd" names the folder /does/not/exist, which is not there`},
		{`"agent": {"cwd": ` + quoted(file) + `}`, 1001, "which is no folder"},
		{`"workTree": "/does/not/exist"`, 1001, `"workTree" names the folder`},
		{`"workTree": ` + quoted(file), 1001, "which is no folder"},
		{`"sourceMap": [[".", ` + quoted(dir) + `], ["/x", "/does/not/exist"]]`, 1001, `"sourceMap" names the folder /does/not/exist`},
		{`"sourceMap": {"/x": ` + quoted(file) + `}`, 1001, "which is no folder"},
	} {
		c, _, err := Parse([]byte(`{"target": "local", ` + x.attributes + `}`))
		if err != nil {
			t.Errorf("%s: %v", x.attributes, err)
			continue
		}
		err = c.Check()
		var f *fault.Fault
		if errors.As(err, &f); err == nil && x.code != 0 || err != nil && (f == nil || f.Code != x.code || !strings.Contains(f.Error(), x.says)) {
			t.Errorf("%s: %v, want ED%d", x.attributes, err, x.code)
		}
	}
}

// Each fault names the attribute, what is wrong with it, and the fix.
func TestWrongValuesAreNamedWithTheirFix(t *testing.T) {
	for _, test := range []struct{ attributes, name, problem, fix string }{
		{`"program": 5`, "program", "is a number", "a string"},
		{`"program": "bazel-bin/envoy"`, "program", `is "bazel-bin/envoy"`, "an absolute path"},
		{`"envoyPath": ["x"]`, "envoyPath", "is a list", "a string"},
		{`"envoyPath": "envoy"`, "envoyPath", `is "envoy"`, "an absolute path"},
		{`"agent": "pilot-agent"`, "agent", "is a string", `{"command": [`},
		{`"agent": ["pilot-agent"]`, "agent", "is a list", `{"command": [`},
		{`"agent": {"command": "pilot-agent proxy"}`, "agent.command", "is a string", "a list of strings"},
		{`"agent": {"command": [1]}`, "agent.command", "holds a number", "a list of strings"},
		{`"agent": {"command": []}`, "agent.command", "is empty", "a list of strings"},
		{`"agent": {"command": [""]}`, "agent.command", "starts with an empty string", "The first element is the program"},
		{`"agent": {"env": ["A=b"]}`, "agent.env", "is a list", "an object of strings"},
		{`"agent": {"env": {"X": "y", "A": 1}}`, "agent.env.A", "is a number", "in quotes"},
		{`"agent": {"env": {"A": true}}`, "agent.env.A", "is true or false", "in quotes"},
		{`"agent": {"env": {"A=b": "c"}}`, "agent.env", `has the name "A=b"`, `holds no "="`},
		{`"agent": {"env": {"": "c"}}`, "agent.env", `has the name ""`, "not empty"},
		{`"agent": {"cwd": {}}`, "agent.cwd", "is an object", "a string"},
		{`"agent": {"start": true}`, "agent.start", "is true or false", "a string"},
		{`"agent": {"start": "later"}`, "agent.start", `is "later"`, "whenArmed, manual"},
		{`"agent": {"start": ""}`, "agent.start", `is ""`, "whenArmed, manual"},
		{`"atEnd": "stop"`, "atEnd", `is "stop"`, "end, run, keepStopped"},
		{`"gate": "false"`, "gate", "is a string", "true or false"},
		{`"startTimeout": "60"`, "startTimeout", "is a string", "a number of seconds"},
		{`"startTimeout": 0`, "startTimeout", "is 0", "above 0"},
		{`"startTimeout": -1`, "startTimeout", "is -1", "above 0"},
		{`"startTimeout": 86401`, "startTimeout", "is 86401", "at most 86400"},
		{`"startTimeout": 1e999`, "startTimeout", "is a number 1e999", "a number of seconds"},
		{`"lldbDap": false`, "lldbDap", "is true or false", "a string"},
		{`"lldbServer": 19`, "lldbServer", "is a number", "a string"},
		{`"stopOnEntry": 1`, "stopOnEntry", "is a number", "true or false"},
		{`"breakpointPresets": "main"`, "breakpointPresets", "is a string", "a list of strings"},
		{`"breakpointPresets": ["main", "malloc"]`, "breakpointPresets", `has "malloc"`, "main, syscalls, libevent"},
		{`"initCommands": "x"`, "initCommands", "is a string", "a list of strings"},
		{`"preRunCommands": [{}]`, "preRunCommands", "holds an object", "a list of strings"},
		{`"workTree": 5`, "workTree", "is a number", "a string"},
		{`"workTree": "src"`, "workTree", `is "src"`, "absolute path"},
		{`"sourceMap": 5`, "sourceMap", "is a value of another form: 5", "a list of pairs"},
		{`"sourceMap": ["/a", "/b"]`, "sourceMap", `is a value of another form: ["/a", "/b"]`, "a list of pairs"},
		{`"sourceMap": [["/a"]]`, "sourceMap", "is a value of another form", "a list of pairs"},
		{`"sourceMap": {"/a": 1}`, "sourceMap", "is a value of another form", "a list of pairs"},
		{`"attachCommands": []`, "attachCommands", `does not go with "target"`, `Remove "attachCommands"`},
		{`"launchCommands": ["x"]`, "launchCommands", `does not go with "target"`, `Remove "launchCommands"`},
		{`"pid": 5`, "pid", `does not go with "target"`, `Remove "pid"`},
		{`"waitFor": true`, "waitFor", `does not go with "target"`, `Remove "waitFor"`},
		{`"coreFile": "core"`, "coreFile", `does not go with "target"`, `Remove "coreFile"`},
	} {
		c, _, err := Parse([]byte(`{"target": "local", ` + test.attributes + `}`))
		var f *fault.Fault
		if !errors.As(err, &f) {
			t.Errorf("%s: got %+v, %v", test.attributes, c, err)
			continue
		}
		if f.Code != 1001 || !strings.HasPrefix(f.What, `The launch attribute "`+test.name+`" `) || !strings.Contains(f.What, test.problem) ||
			!strings.Contains(f.Do, test.fix) || !strings.HasSuffix(f.Do, ".") {
			t.Errorf("%s: %v", test.attributes, f)
		}
	}
}

func TestUnknownTargets(t *testing.T) {
	for target, code := range map[string]int{`"pod/"`: 1003, `"/x"`: 1003, `" "`: 1003, `"-l"`: 1003, `""`: 1003, `null`: 1003, `"Local"`: 1003, `5`: 1001} {
		_, _, err := Parse([]byte(`{"target": ` + target + `}`))
		var f *fault.Fault
		if !errors.As(err, &f) || f.Code != code || !strings.Contains(f.What, `"target"`) {
			t.Errorf("target %s: %v", target, err)
		}
	}
}

func TestArgumentsThatAreNoObject(t *testing.T) {
	for _, arguments := range []string{``, `[]`, `"local"`, `{"target": "local"`} {
		var f *fault.Fault
		if _, _, err := Parse([]byte(arguments)); !errors.As(err, &f) || f.Code != 1001 {
			t.Errorf("%q: %v", arguments, err)
		}
	}
}

func quoted(s string) string {
	b, _ := json.Marshal(s) // a string always can be
	return string(b)
}

// A pod has defaults of its own: what the agent is, its specification says.
func TestATargetInACluster(t *testing.T) {
	c, warnings, err := Parse([]byte(`{"target": "statefulset/fortio-server", "program": "/src/envoy", "namespace": "demo", "kubectlFlags": ["--as=jane"]}`))
	if err != nil || len(warnings) > 0 || c.Local() || c.EnvoyPath != "/usr/local/bin/envoy" || c.Agent.Command != nil {
		t.Errorf("%+v, %v, %v", c, warnings, err)
	}
	if err := c.Check(); err != nil { // the agent is not looked for here
		t.Error(err)
	}
	// A check of the pod needs no program, a session does.
	if c, _, err = Parse([]byte(`{"target": "pod/x", "envoyPath": "/y"}`)); err != nil || c.Program != "" {
		t.Errorf("%+v, %v", c, err)
	}
	if err := c.Check(); err == nil || !strings.Contains(err.Error(), `"program" is missing`) {
		t.Error(err)
	}
	for attributes, what := range map[string]string{
		`{"target": "local", "namespace": "demo"}`:                           `"namespace" does not go with the target "local"`,
		`{"target": "pod/x", "program": "/src/envoy", "kubeconfig": "here"}`: `"kubeconfig" is "here"`,
		`{"target": "pod/x", "program": "/src/envoy", "kubectlFlags": "-v"}`: `"kubectlFlags" is a string`,
		`{"target": "pod/x", "program": "/x", "lldbServer": "image:/y"}`:     `Set "debugImage"`,
		`{"target": "local", "debugImage": "busybox"}`:                       `"debugImage" does not go with the target "local"`,
	} {
		if _, _, err := Parse([]byte(attributes)); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", attributes, err)
		}
	}
}

// The words may be shown and traced, which a token may not.
func TestTheWordsOfATarget(t *testing.T) {
	for _, x := range []struct {
		c    Config
		want string
	}{
		{Config{Target: "pod/x", Container: "istio-proxy"}, "pod/x"},
		{Config{Target: "pod/x", Container: "envoy", Namespace: "demo", Context: "far", Kubeconfig: "/k"}, "pod/x --namespace=demo --context=far --kubeconfig=/k --container=envoy"},
		{Config{Target: "pod/x", Container: "istio-proxy", KubectlFlags: []string{"--token=secret", "--namespace=demo", "--as=jane"}}, "pod/x --namespace=demo"},
	} {
		if got := x.c.Words(); got != x.want {
			t.Errorf("%q, want %q", got, x.want)
		}
	}
}
