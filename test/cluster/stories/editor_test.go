package stories_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
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
