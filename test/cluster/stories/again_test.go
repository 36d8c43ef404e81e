package stories_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/adapter/client"
	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/test/support/cluster"
)

// editor is a session that an editor has begun, which stands in main.
type editor struct {
	*client.Client
	t    *testing.T
	done chan error
	ctx  context.Context
}

// edit begins a session as an editor does, with more launch attributes.
func (p *product) edit(namespace, target string, more map[string]any) *editor {
	p.t.Helper()
	cmd := exec.Command(p.program, "dap")
	cmd.Env = append(os.Environ(), "KUBECONFIG="+p.kubeconfig)
	in, err := cmd.StdinPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(p.t.Context(), cluster.Limit)
	e := &editor{Client: client.New(out, in), t: p.t, done: make(chan error, 1), ctx: ctx}
	go func() {
		_, _ = e.Wait(ctx, 0, func(client.Entry) bool { return false }) // all is read then
		e.done <- cmd.Wait()
	}()
	p.t.Cleanup(func() {
		defer cancel()
		if p.t.Failed() {
			p.t.Log(e.Dump())
		}
		_ = cmd.Process.Kill()
	})
	e.call("initialize", map[string]any{"adapterID": "envoy", "linesStartAt1": true, "columnsStartAt1": true})
	attributes := map[string]any{"target": target, "namespace": namespace, "program": p.tool("sample/envoy.debug"), "envoyPath": "/usr/local/bin/envoy-sample",
		"workTree": filepath.Join(p.root, "test/sample"), "lldbDap": p.tool("tools/lldb-" + p.lldb + "/bin/lldb-dap"), "breakpointPresets": []string{"main"}}
	for name, value := range more {
		attributes[name] = value
	}
	launch, err := e.Send("launch", attributes)
	if err != nil {
		p.t.Fatal(err)
	}
	e.call("configurationDone", nil)
	if err := e.Answer(ctx, launch, nil); err != nil {
		p.t.Fatalf("launch: %v", err)
	}
	if _, err := e.Event(ctx, 0, "stopped"); err != nil {
		p.t.Fatalf("it does not stop: %v", err)
	}
	return e
}

func (e *editor) call(command string, arguments any) {
	e.t.Helper()
	if err := e.Call(e.ctx, command, arguments, nil); err != nil {
		e.t.Fatalf("%s: %v", command, err)
	}
}

// leaves ends the session by a request, and waits for its end.
func (e *editor) leaves(command string, arguments map[string]any) {
	e.t.Helper()
	e.call(command, arguments)
	if command == "terminate" {
		if _, err := e.Event(e.ctx, 0, "terminated"); err != nil {
			e.t.Fatal(err)
		}
		e.call("disconnect", arguments)
	}
	e.Close()
	select {
	case <-e.done:
	case <-e.ctx.Done():
		e.t.Fatal("envoydbg dap does not end")
	}
}

// said is what the session has written to the console.
func (e *editor) said() string {
	var b strings.Builder
	for _, m := range e.Log() {
		if m.Type == dapio.Event && m.Name == "output" {
			b.WriteString(m.Get("body.output").String())
		}
	}
	return b.String()
}

// An editor's Restart ends the session and begins it again, and says so. The same copy is
// debugged then, and nothing is brought into it again.
func TestASessionThatBeginsAgainDebugsTheSameCopy(t *testing.T) {
	c := cluster.Of(t)
	namespace := unpreparedStatefulSet(c, nativeSidecar)
	before := contents(t, c, namespace)
	p := productOf(t, c, "22")
	first := p.edit(namespace, "statefulset/fortio", map[string]any{"atEnd": "run"})
	copied := copies(c, namespace)
	first.leaves("disconnect", map[string]any{"restart": true, "terminateDebuggee": false})
	if got := copies(c, namespace); len(copied) != 1 || !slices.Equal(got, copied) {
		t.Fatalf("it was %q, and before the restart ends it is %q", copied, got)
	}
	second := p.edit(namespace, "statefulset/fortio", nil)
	if got := copies(c, namespace); !slices.Equal(got, copied) {
		t.Errorf("the second session has %q, the first had %q", got, copied)
	}
	if said := second.said(); !strings.Contains(said, "a copy that you hold already. It is removed at the session's end") || strings.Contains(said, "uploading") {
		t.Errorf("the second session said\n%s", said)
	}
	second.leaves("terminate", map[string]any{"restart": true})
	third := p.edit(namespace, "statefulset/fortio", nil)
	if got := copies(c, namespace); !slices.Equal(got, copied) {
		t.Errorf("the third session has %q, the first had %q", got, copied)
	}
	third.leaves("disconnect", map[string]any{"terminateDebuggee": true})
	unchanged(t, c, namespace, before)
}

// What begins again with a held workload gives it back at its end.
func TestASessionThatBeginsAgainGivesTheWorkloadBack(t *testing.T) {
	c := cluster.Of(t)
	namespace := unpreparedStatefulSet(c, nativeSidecar)
	p := productOf(t, c, "22")
	hold := map[string]any{"hold": "workload"}
	p.edit(namespace, "statefulset/fortio", hold).leaves("disconnect", map[string]any{"restart": true})
	p.start("status").ends(0, "statefulset/fortio")
	p.edit(namespace, "statefulset/fortio", hold).leaves("disconnect", map[string]any{"terminateDebuggee": true})
	p.start("status").ends(0, "nothing is held")
}

// A copy that the user holds is debugged by the workload's name, and stays. Two sessions at
// once have one each.
func TestACopyThatIsHeldServesSessions(t *testing.T) {
	c := cluster.Of(t)
	namespace := unpreparedStatefulSet(c, nativeSidecar)
	before := contents(t, c, namespace)
	p := productOf(t, c, "22")
	name := p.hold(namespace, "statefulset/fortio")
	first := p.debug(namespace, "statefulset/fortio", "-x", "await what never comes")
	first.until("● stopped at main")
	p.debug(namespace, "statefulset/fortio", "-x", "quit").ends(0, "A held copy is debugged", "✓ attached", "nothing is left running")
	if err := first.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	first.ends(130, name+" is debugged, a copy that you hold already", "nothing is left running")
	if got := copies(c, namespace); !slices.Contains(got, name) {
		t.Errorf("left are %q, want %q", got, name)
	}
	p.start("release", "statefulset/fortio", "-n", namespace).ends(0, name+" released")
	unchanged(t, c, namespace, before)
}

// The application of a copy starts when the debugged Envoy is ready, and not before, however
// long that takes.
func TestTheApplicationOfACopyAwaitsEnvoy(t *testing.T) {
	c := cluster.Of(t)
	for _, sidecar := range []string{nativeSidecar, classicSidecar} {
		namespace := unpreparedStatefulSet(c, sidecar)
		before := contents(t, c, namespace)
		p := productOf(t, c, "22")
		s := p.typed(func(in *os.File) *session {
			return p.startFrom(in, "run", "statefulset/fortio", "-n", namespace, "--application=wait", "--lldb-dap", p.tool("tools/lldb-22/bin/lldb-dap"), "--program", p.tool("tools/envoy"))
		})
		s.until("● stopped at main")
		name := copies(c, namespace)[0]
		started := func() string {
			return c.Kubectl("get", name, "-n", namespace, "-o", `jsonpath={.status.containerStatuses[?(@.name=="main-app")].started} {.status.initContainerStatuses[?(@.name=="istio-proxy")].restartCount}`)
		}
		if got := started(); got != "false 0" {
			t.Errorf("before Envoy has run: %q", got)
		}
		s.say("continue")
		c.Kubectl("wait", name, "-n", namespace, "--for=condition=Ready", "--timeout="+cluster.Limit.String())
		if got := started(); got != "true 0" {
			t.Errorf("when Envoy is ready: %q", got)
		}
		s.say("quit")
		s.ends(0, "nothing is left running")
		unchanged(t, c, namespace, before)
	}
}
