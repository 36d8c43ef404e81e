package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/envoydbg/envoydbg/adapter/fault"
)

func TestPathsAreWrittenOut(t *testing.T) {
	t.Setenv("HOME", "/home/ann")
	t.Setenv("STORY_TREE", "/src/proxy")
	arguments, err := Expand([]byte(`{"target":"local","program":"~/envoy","workTree":"${env:STORY_TREE}","envoyPath":"${userHome}/bin/envoy",
		"agent":{"cwd":"~","command":["~/pilot-agent","~"],"output":"terminal"},"sourceMap":[["~","~/src"]],"trace":true,"initCommands":["~/x ${y}"]}`))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"program": "/home/ann/envoy", "workTree": "/src/proxy", "envoyPath": "/home/ann/bin/envoy", "agent.cwd": "/home/ann",
		"agent.command.0": "/home/ann/pilot-agent", "agent.command.1": "~", "agent.output": "terminal", "sourceMap.0.0": "~", "sourceMap.0.1": "/home/ann/src",
		"trace": "true", "initCommands.0": "~/x ${y}"} {
		if got := gjson.GetBytes(arguments, name).String(); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	// Beside the Envoy of a pod is another home.
	arguments, err = Expand([]byte(`{"target":"pod/x","program":"~/envoy","envoyPath":"~/envoy"}`))
	if err != nil || gjson.GetBytes(arguments, "program").Str != "/home/ann/envoy" || gjson.GetBytes(arguments, "envoyPath").Str != "~/envoy" {
		t.Errorf("%s, %v", arguments, err)
	}
}

func TestAVariableThatNobodyReplacesIsNamed(t *testing.T) {
	for arguments, want := range map[string]string{
		`{"program":"${workspaceFolder}/envoy"}`:            `The launch attribute "program" holds ${workspaceFolder}, which was not replaced.`,
		`{"agent":{"envFile":"${env:STORY_NO_SUCH}/.env"}}`: `The launch attribute "agent.envFile" holds ${env:STORY_NO_SUCH}, and envoydbg's environment has no STORY_NO_SUCH.`,
	} {
		var f *fault.Fault
		if _, err := Expand([]byte(arguments)); !errors.As(err, &f) || f.What != want {
			t.Errorf("%s: %v", arguments, err)
		}
	}
}

func TestAnEnvFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), ".env")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("\ufeff# comment\n\nA=1\r\nexport B = two words # comment\nC=\"line\\nnext \\\"x\\\" \\\\n\" # comment\nD='$HOME \\n'\nE=\nF=a#b\nA=2\nG= # nothing\n")
	got, err := ReadEnvFile("agent.envFile", file)
	want := map[string]string{"A": "2", "B": "two words", "C": "line\nnext \"x\" \\n", "D": `$HOME \n`, "E": "", "F": "a#b", "G": ""}
	if err != nil || len(got) != len(want) {
		t.Errorf("%q, %v", got, err)
	}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s is %q, want %q", name, got[name], value)
		}
	}
	for text, problem := range map[string]string{"A=1\nno assignment s3cr3t\n": "line 2 is not NAME=VALUE", "A=\"s3cr3t\n": "line 1 has a quote", "A='x' s3cr3t": "line 1 has a quote"} {
		write(text)
		if _, err := ReadEnvFile("agent.envFile", file); err == nil || !strings.Contains(err.Error(), problem) || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, path := range []string{"relative", "/nonexistent/.env", t.TempDir(), "/dev/null"} {
		if _, err := ReadEnvFile("envFile", path); err == nil {
			t.Errorf("%s is read", path)
		}
	}
}

// A plain session's variables go where lldb-dap looks, in the form that it was given.
func TestTheEnvFileOfAPlainSession(t *testing.T) {
	file := filepath.Join(t.TempDir(), ".env")
	if err := os.WriteFile(file, []byte("A=file\nB=file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for env, want := range map[string]string{``: `{"A":"file","B":"file"}`, `,"env":{"B":"own","C":1}`: `{"A":"file","B":"own","C":1}`,
		`,"env":["B=own"]`: `["A=file","B=file","B=own"]`} {
		with, values, err := WithEnvFile([]byte(`{"envFile":"` + file + `"` + env + `}`))
		if err != nil || gjson.GetBytes(with, "env").Raw != want || gjson.GetBytes(with, "envFile").Exists() || len(values) != 2 {
			t.Errorf("%s: %s, %v", env, with, err)
		}
	}
	if with, _, err := WithEnvFile([]byte(`{}`)); err != nil || string(with) != `{}` {
		t.Errorf("%s, %v", with, err)
	}
}
