package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/helper/elfinfo"
	"github.com/envoydbg/envoydbg/adapter/lldb"
	"github.com/envoydbg/envoydbg/adapter/pod"
	"github.com/envoydbg/envoydbg/kube"
)

var someFindings = []kube.Finding{
	{Check: "pod", State: kube.OK, What: "fortio-server-0 on node n"},
	{Check: "may get pods/exec", State: kube.Failed, What: "no", Why: "it is needed for running commands in the container over WebSocket",
		Fix: "kubectl create role envoydbg-get-pods-exec -n demo --verb=get --resource=pods/exec"},
	{Check: "commit", State: kube.Warning, What: "the image is <of> another", Why: "sources", Fix: "set the folder of your sources, which the program does not tell by itself, with --work-tree"},
}

// The columns stand as kubectl's; text wraps, commands do not.
func TestTheTableOfDoctor(t *testing.T) {
	var b strings.Builder
	if err := printTable(&b, someFindings, 72); err != nil {
		t.Fatal(err)
	}
	want := `CHECK               STATE     FOUND
pod                 ok        fortio-server-0 on node n
may get pods/exec   failed    no
                              why: it is needed for running commands in
                                   the container over WebSocket
                              fix: kubectl create role envoydbg-get-pods-exec -n demo --verb=get --resource=pods/exec
commit              warning   the image is <of> another
                              why: sources
                              fix: set the folder of your sources, which
                                   the program does not tell by itself,
                                   with --work-tree
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	b.Reset()
	if err := printTable(&b, someFindings, 0); err != nil || strings.Count(b.String(), "\n") != 8 {
		t.Errorf("not a terminal: %v\n%s", err, b.String())
	}
}

// What a program reads has these names, and says the same in both formats.
func TestTheFieldsOfDoctor(t *testing.T) {
	var j, y bytes.Buffer
	if err := errors.Join(printed("json", &j), printed("yaml", &y)); err != nil {
		t.Fatal(err)
	}
	var a, b []map[string]string
	if err := errors.Join(json.Unmarshal(j.Bytes(), &a), yaml.Unmarshal(y.Bytes(), &b)); err != nil {
		t.Fatal(err)
	}
	for _, got := range [][]map[string]string{a, b} {
		if len(got) != 3 || len(got[0]) != 3 || got[0]["check"] != "pod" || got[0]["state"] != "ok" || got[0]["what"] == "" ||
			got[1]["state"] != "failed" || got[1]["why"] == "" || got[1]["fix"] == "" || got[2]["what"] != "the image is <of> another" {
			t.Errorf("%v", got)
		}
	}
}

// here runs commands on this machine.
type here struct{ fails error }

func (h here) Exec(ctx context.Context, command []string, stdin io.Reader, stdout io.Writer) error {
	if h.fails != nil {
		return h.fails
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout = stdin, stdout
	return cmd.Run()
}

// linked compiles and links a program with flags.
func linked(t *testing.T, name string, flags ...string) string {
	t.Helper()
	dir := t.TempDir()
	source, path := filepath.Join(dir, "a.c"), filepath.Join(dir, name)
	if err := os.WriteFile(source, []byte("int main(void) { return 0; }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("gcc", append(flags, "-o", path, source)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

func localELFOf(t *testing.T, path string) *localELF {
	t.Helper()
	info, err := elfinfo.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return &localELF{path: path, info: info}
}

// The build of the Envoy in the container is read from the first bytes of its file.
func TestTheBuildsAreCompared(t *testing.T) {
	first, second := linked(t, "a", "-g", "-Wl,--build-id=0x0123456789abcdef"), linked(t, "b", "-Wl,--build-id=0xfedcba9876543210")
	stripped := first + ".stripped"
	if out, err := exec.Command("strip", "-o", stripped, first).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	none := linked(t, "c", "-Wl,--build-id=none")
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("no ELF\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	other := localELFOf(t, first)
	other.info.Machine = "arm64"
	for name, x := range map[string]struct {
		in    pod.Runner
		path  string
		said  string
		local *localELF
		want  kube.State
		says  string
	}{
		"the same":          {here{}, stripped, "", localELFOf(t, first), kube.OK, "0123…cdef"},
		"another":           {here{}, second, "", localELFOf(t, first), kube.Failed, "wrong addresses"},
		"another, commit":   {here{}, second, "istio-proxy:1f2e3d4c", localELFOf(t, first), kube.Failed, "build commit 1f2e3d4c"},
		"another machine":   {here{}, stripped, "", other, kube.Failed, "arm64"},
		"no build-id":       {here{}, none, "", localELFOf(t, none), kube.Failed, "build-id"},
		"no program":        {here{}, stripped, "", nil, kube.Unknown, `"program"`},
		"no such file":      {here{}, "/nonexistent", "", localELFOf(t, first), kube.Failed, "no such file"},
		"no ELF":            {here{}, text, "", localELFOf(t, first), kube.Unknown, "ELF"},
		"it cannot be read": {here{errors.New("upgrade refused")}, stripped, "", localELFOf(t, first), kube.Unknown, "upgrade refused"},
	} {
		f := sameBuild(t.Context(), x.in, x.path, x.said, x.local)
		if f.State != x.want || !strings.Contains(f.What+f.Why+f.Fix, x.says) || f.State != kube.OK && f.Why == "" || f.State == kube.Failed && f.Fix == "" {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestTheCommitsAreCompared(t *testing.T) {
	tree := t.TempDir()
	run := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", tree, "-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"}, args...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	run("init", "-q")
	run("commit", "-q", "--allow-empty", "-m", "one")
	one := run("rev-parse", "HEAD")
	run("commit", "-q", "--allow-empty", "-m", "two")
	two := run("rev-parse", "HEAD")
	local := &localELF{tree: tree}
	for name, x := range map[string]struct {
		said  string
		local *localELF
		want  kube.State
		says  string
	}{
		"the same":           {"istio-proxy:" + two, local, kube.OK, tree},
		"the same, short":    {two[:10], local, kube.OK, tree},
		"another":            {"istio-proxy:" + one, local, kube.Warning, "git -C " + tree + " checkout " + one},
		"of another project": {"istio-proxy:f4526e2523a8e2d1f2d67744f948e3a7392c6845", local, kube.Unknown, "no commit in"},
		"no tree":            {"istio-proxy:" + two, nil, kube.Unknown, `"workTree"`},
		"no work tree":       {"istio-proxy:" + two, &localELF{tree: "/nonexistent"}, kube.Unknown, "git tells no commit"},
		"not said":           {"", local, kube.Unknown, "does not say"},
		"no commit":          {"istio-proxy:unknown", local, kube.Unknown, "does not say"},
	} {
		if f := sameCommit(t.Context(), x.said, x.local); f.State != x.want || !strings.Contains(f.What+f.Fix, x.says) {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestWhetherTheContainerIsHeld(t *testing.T) {
	held := kube.Process{PID: "1", Name: "pilot-agent", Words: "/usr/local/bin/pilot-agentwait--url"}
	agent := kube.Process{PID: "7", Name: "pilot-agent", Words: "pilot-agentproxysidecar--domain"}
	envoy := kube.Process{PID: "9", Name: "envoy", Words: "/usr/local/bin/envoy-c"}
	sample := kube.Process{PID: "9", Name: "envoy-sample-wi", Words: "x"}
	owner := &pod.Owner{Who: "jane@laptop", Since: time.Now(), PID: 5}
	for name, x := range map[string]struct {
		processes []kube.Process
		owner     *pod.Owner
		want      kube.State
		says      string
	}{
		"held":              {[]kube.Process{held}, nil, kube.OK, "held by pilot-agent wait"},
		"running":           {[]kube.Process{held, agent, envoy}, nil, kube.Failed, "pid 9"},
		"of another name":   {[]kube.Process{held, sample}, nil, kube.Failed, "pid 9"},
		"of a session":      {[]kube.Process{held, agent, envoy}, owner, kube.Failed, "wait until that session"},
		"ended, not reaped": {[]kube.Process{held, {PID: "9", Name: "envoy"}}, nil, kube.OK, "not started"},
		"an agent alone":    {[]kube.Process{held, agent}, nil, kube.Warning, "kill 7"},
		"a session's agent": {[]kube.Process{held, agent}, owner, kube.OK, "not started"},
	} {
		s := &kube.Sidecar{Namespace: "demo", Pod: "a", Container: "istio-proxy", Command: []string{"pilot-agent", "wait"}}
		f := envoyThere(s, &kube.Room{Processes: x.processes}, x.owner, "envoy-sample-with-a-long-name")
		if f.State != x.want || !strings.Contains(f.What+f.Fix, x.says) || f.State != kube.OK && (f.Why == "" || f.Fix == "") {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestASessionOfSomebodyElseIsTold(t *testing.T) {
	if f := sessionThere(&kube.Sidecar{}, nil, nil); f.State != kube.OK {
		t.Errorf("%+v", f)
	}
	if f := sessionThere(&kube.Sidecar{}, nil, errors.New("lost")); f.State != kube.Unknown || f.Why == "" {
		t.Errorf("%+v", f)
	}
	f := sessionThere(&kube.Sidecar{}, &pod.Owner{Who: "jane@laptop", Since: time.Date(2026, 1, 2, 3, 4, 5, 0, time.Local)}, nil)
	if f.State != kube.Failed || !strings.Contains(f.What, "jane@laptop") || !strings.Contains(f.What, "2026-01-02 03:04:05") || f.Fix == "" {
		t.Errorf("%+v", f)
	}
}

// What a session has left is no session, and the command that ends it is told.
func TestWhatASessionHasLeftIsTold(t *testing.T) {
	s := &kube.Sidecar{Pod: "fortio-0", Namespace: "demo", Container: "istio-proxy"}
	owner := &pod.Owner{Who: "jane@laptop", State: helper.StateStopped}
	room := &kube.Room{Processes: []kube.Process{{PID: "7", Name: "envoy", Words: "envoy -c x"}}}
	for _, f := range []kube.Finding{sessionThere(s, owner, nil), envoyThere(s, room, owner, "envoy")} {
		if f.State != kube.Failed || f.Fix != "envoydbg agent stop pod/fortio-0 -n demo -c istio-proxy" || strings.Contains(f.What, "debugged") {
			t.Errorf("%+v", f)
		}
	}
}

// The lock that a killed daemon has left is nobody's.
func TestTheOwnerOfASessionLives(t *testing.T) {
	place := t.TempDir()
	dir := filepath.Join(place, ".envoydbg", "session")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	places := pod.Places
	pod.Places = []string{"/nonexistent", place}
	t.Cleanup(func() { pod.Places = places })
	room := &kube.Room{Processes: []kube.Process{{PID: "5", Name: "exe", Words: "helperdaemon--folder/s/1"}, {PID: "6", Name: "exe"}, {PID: "7", Name: "sh", Words: "sh"}}}
	for lock, want := range map[string]string{"": "", "garbage": "", `{"who":"a","pid":5,"dir":"/s/1"}`: "a", `{"who":"a","pid":5,"dir":"/s/2"}`: "",
		`{"who":"a","pid":6,"dir":"/s/1"}`: "", `{"who":"a","pid":7,"dir":"/s/1"}`: "", `{"who":"a","pid":8,"dir":"/s/1"}`: "", `{"who":"a","pid":5}`: ""} {
		if err := os.WriteFile(filepath.Join(dir, "session.lock"), []byte(lock), 0o600); err != nil {
			t.Fatal(err)
		}
		owner, err := pod.FindOwner(t.Context(), here{}, runsWith(room))
		if err != nil || (owner == nil) != (want == "") || owner != nil && owner.Who != want {
			t.Errorf("%q: %+v, %v", lock, owner, err)
		}
	}
	if _, err := pod.FindOwner(t.Context(), here{errors.New("lost")}, runsWith(room)); err == nil {
		t.Error("no error")
	}
}

// The debuggers of this machine are named with their versions, which must be the same.
func TestTheVersionsOfLLDBAreCompared(t *testing.T) {
	dap, err := lldb.FindDAP("")
	if err != nil {
		t.Fatal(err)
	}
	fake := func(script string) string {
		path := filepath.Join(t.TempDir(), "lldb-server")
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, x := range map[string]struct {
		dap, server, want, says string
	}{
		"both":             {dap, "", "lldb-dap ok, index cache ok, lldb-server ok", ""},
		"no lldb-dap":      {"/nonexistent/lldb-dap", "", "lldb-dap failed", "ED1101"},
		"not lldb-dap":     {"/bin/true", "", "lldb-dap failed", "/bin/true"},
		"no lldb-server":   {dap, "/nonexistent/lldb-server", "lldb-dap ok, index cache ok, lldb-server failed", "/nonexistent"},
		"another version":  {dap, fake("echo 'lldb version 3.1.4' >&2"), "lldb-dap ok, index cache ok, lldb-server failed", "3.1.4"},
		"no version":       {dap, fake("echo nothing"), "lldb-dap ok, index cache ok, lldb-server unknown", "nothing"},
		"in the container": {dap, "container:/opt/lldb-server", "lldb-dap ok, index cache ok, lldb-server ok", "/opt/lldb-server"},
	} {
		e := &examination{flags: &doctorFlags{dap: x.dap, server: x.server}}
		e.programs(t.Context())
		var got []string
		said := ""
		for _, f := range e.found {
			got = append(got, f.Check+" "+string(f.State))
			said += f.What + f.Why + f.Fix
		}
		if strings.Join(got, ", ") != x.want || !strings.Contains(said, x.says) {
			t.Errorf("%s: %v, want %s with %q: %s", name, got, x.want, x.says, said)
		}
	}
}

func TestTheLocalProgramIsLookedAt(t *testing.T) {
	for name, x := range map[string]struct{ program, want, says string }{
		"none":      {"", "program unknown", `"program"`},
		"no ELF":    {"/etc/passwd", "program failed", "/etc/passwd"},
		"symbols":   {linked(t, "a", "-g"), "program ok", "build-id"},
		"no lines":  {linked(t, "a"), "program warning", "-c dbg"},
		"split":     {linked(t, "a", "-g", "-gsplit-dwarf"), "program ok, split debug information warning", "a.dwp"},
		"not there": {"/nonexistent", "program failed", "/nonexistent"},
	} {
		e := &examination{flags: &doctorFlags{program: x.program}}
		e.localProgram(t.Context())
		var got []string
		said := ""
		for _, f := range e.found {
			got = append(got, f.Check+" "+string(f.State))
			said += f.What + f.Why + f.Fix
		}
		if strings.Join(got, ", ") != x.want || !strings.Contains(said, x.says) {
			t.Errorf("%s: %v, want %s with %q: %s", name, got, x.want, x.says, said)
		}
	}
}

// printed prints the findings of these tests in a format.
func printed(output string, w io.Writer) error {
	print, err := printerOf(output, findings)
	if err != nil {
		return err
	}
	return print(w, someFindings)
}
