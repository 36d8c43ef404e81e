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
	got, err := Parse([]byte(`{"type": "envoy", "request": "attach", "target": "local"}`))
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		Target: "local", Program: "/usr/local/bin/envoy", EnvoyPath: "/usr/local/bin/envoy", Gate: true, StartTimeout: 60, CommandEscapePrefix: "`",
		Agent: Agent{Command: []string{"pilot-agent", "proxy", "sidecar"}, Start: "whenArmed"},
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
	got, err := Parse([]byte(`{
		"target": "local", "program": "/src/envoy", "envoyPath": "/opt/envoy", "gate": false, "startTimeout": 1.5,
		"lldbDap": "lldb-dap-22", "lldbServer": "/lldb/lldb-server", "stopOnEntry": true,
		"workTree": ` + quoted(dir) + `, "sourceMap": [["/a", "/b"], ["/c", "/d"]],
		"breakpointPresets": ["main", "syscalls", "libevent"], "initCommands": ["a"], "preRunCommands": ["b", "c"],
		"agent": {"command": ["agent", "", "x y"], "env": {"A": "", "B": "b=c"}, "cwd": ` + quoted(dir) + `, "start": "manual"}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		Target: "local", Program: "/src/envoy", EnvoyPath: "/opt/envoy", Gate: false, StartTimeout: 1.5, CommandEscapePrefix: "`",
		LLDBDap: "lldb-dap-22", LLDBServer: "/lldb/lldb-server", StopOnEntry: true,
		WorkTree: dir, SourceMap: SourceMap{{"/a", "/b"}, {"/c", "/d"}},
		BreakpointPresets: []string{"main", "syscalls", "libevent"}, InitCommands: []string{"a"}, PreRunCommands: []string{"b", "c"},
		Agent: Agent{Command: []string{"agent", "", "x y"}, Env: map[string]string{"A": "", "B": "b=c"}, Cwd: dir, Start: "manual"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got.Timeout() != 1500*time.Millisecond {
		t.Errorf("timeout %v", got.Timeout())
	}
}

// An object is a source map in the order it is written in.
func TestASourceMapMayBeAnObject(t *testing.T) {
	got, err := Parse([]byte(`{"target": "local", "sourceMap": {"/z": "/1", "/a": "/2"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if want := (SourceMap{{"/z", "/1"}, {"/a", "/2"}}); !reflect.DeepEqual(got.SourceMap, want) {
		t.Errorf("got %v, want %v", got.SourceMap, want)
	}
}

// lldb-dap has attributes that the adapter need not know; an editor adds its own.
func TestOtherAttributesAreLeftAlone(t *testing.T) {
	for _, more := range []string{
		`"sourceMap": [["/a", "/b"]]`, `"timeout": "30"`, `"__sessionId": 7`, `"agents": 5`,
		`"agent": {"name": 1}`, `"agent": null`, `"gate": null`, `"attachCommands": null`, `"pid": null`,
	} {
		if _, err := Parse([]byte(`{"target": "local", ` + more + `}`)); err != nil {
			t.Errorf("%s: %v", more, err)
		}
	}
}

// Each fault names the attribute, what is wrong with it, and the fix.
func TestWrongValuesAreNamedWithTheirFix(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
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
		{`"agent": {"cwd": "/does/not/exist"}`, "agent.cwd", `is "/does/not/exist", which is no folder`, "Create it"},
		{`"agent": {"cwd": ` + quoted(file) + `}`, "agent.cwd", "which is no folder", "name another one"},
		{`"agent": {"start": true}`, "agent.start", "is true or false", "a string"},
		{`"agent": {"start": "later"}`, "agent.start", `is "later"`, `"whenArmed" or "manual"`},
		{`"agent": {"start": ""}`, "agent.start", `is ""`, `"whenArmed" or "manual"`},
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
		{`"workTree": "src"`, "workTree", `is "src", which is no folder`, "absolute path"},
		{`"workTree": "/does/not/exist"`, "workTree", "which is no folder", "absolute path"},
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
		c, err := Parse([]byte(`{"target": "local", ` + test.attributes + `}`))
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
	for target, code := range map[string]int{`"pod/x"`: 1003, `""`: 1003, `null`: 1003, `"Local"`: 1003, `5`: 1001} {
		_, err := Parse([]byte(`{"target": ` + target + `}`))
		var f *fault.Fault
		if !errors.As(err, &f) || f.Code != code || !strings.Contains(f.What, `"target"`) {
			t.Errorf("target %s: %v", target, err)
		}
	}
}

func TestArgumentsThatAreNoObject(t *testing.T) {
	for _, arguments := range []string{``, `[]`, `"local"`, `{"target": "local"`} {
		var f *fault.Fault
		if _, err := Parse([]byte(arguments)); !errors.As(err, &f) || f.Code != 1001 {
			t.Errorf("%q: %v", arguments, err)
		}
	}
}

func quoted(s string) string {
	b, _ := json.Marshal(s) // a string always can be
	return string(b)
}
