package stories_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/sourcegraph/jsonrpc2"

	"github.com/envoydbg/envoydbg/adapter/control"
	"github.com/envoydbg/envoydbg/test/support/backend"
	"github.com/envoydbg/envoydbg/test/support/cluster"
)

// window is an `envoydbg serve` with what the extension does at its other end.
type window struct {
	*backend.Backend
	t     *testing.T
	ctx   context.Context
	notes chan string // what requests have said of their progress
}

// window starts a backend, which ends with the test.
func (p *product) window() *window {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*cluster.Limit) // outlives the test's own, which ends before its clean-up
	win := &window{t: p.t, ctx: ctx, notes: make(chan string, 10_000)}
	win.Backend = backend.Start(ctx, p.t, backend.Options{Program: p.program, Env: append(os.Environ(), "KUBECONFIG="+p.kubeconfig), Heard: win.heard})
	p.t.Cleanup(func() {
		defer cancel()
		win.End()
	})
	return win
}

func (w *window) heard(method string, params json.RawMessage) {
	var note control.ProgressNote
	if method == "progress" && json.Unmarshal(params, &note) == nil {
		w.notes <- note.Message
	}
}

// begin makes a request whose answer is waited for later.
func (w *window) begin(id, method string, params any) jsonrpc2.Waiter {
	w.t.Helper()
	waiter, err := w.DispatchCall(w.ctx, method, params, jsonrpc2.PickID(jsonrpc2.ID{Str: id, IsString: true}))
	if err != nil {
		w.t.Fatal(err)
	}
	return waiter
}

// cancelled cancels a request, and checks that it ends as one that was.
func (w *window) cancelled(id string, waiter jsonrpc2.Waiter) {
	w.t.Helper()
	if err := w.Notify(w.ctx, "$/cancelRequest", map[string]string{"id": id}); err != nil {
		w.t.Fatal(err)
	}
	var refusal *jsonrpc2.Error
	if err := waiter.Wait(w.ctx, nil); !errors.As(err, &refusal) || refusal.Code != -32800 {
		w.t.Errorf("it is not cancelled: %v", err)
	}
}

// until waits until a request has said a text of its progress.
func (w *window) until(text string) {
	w.t.Helper()
	for {
		select {
		case note := <-w.notes:
			if strings.Contains(note, text) {
				return
			}
		case <-w.ctx.Done():
			w.t.Fatalf("no request says %q", text)
		}
	}
}

// A window finds what can be debugged, holds it, and gives it back; a hold that is cancelled
// leaves no copy.
func TestAWindowHoldsAndReleases(t *testing.T) {
	c := cluster.Of(t)
	namespace := unpreparedStatefulSet(c, nativeSidecar)
	before := contents(t, c, namespace)
	w := productOf(t, c, "22").window()
	in := control.Cluster{Namespace: namespace}

	var contexts control.Contexts
	w.Ask("contexts", control.Cluster{}, &contexts)
	if len(contexts.Contexts) != 1 || contexts.Current != contexts.Contexts[0].Name {
		t.Errorf("%+v", contexts)
	}
	var debuggers control.Debuggers
	w.Ask("debuggers", nil, &debuggers)
	if len(debuggers.Debuggers) == 0 || debuggers.Debuggers[0].Problem != "" {
		t.Errorf("%+v", debuggers)
	}
	var found control.Sidecars
	w.Ask("sidecars", control.SidecarsParams{Cluster: in}, &found)
	if len(found.Sidecars) != 1 || found.Sidecars[0].Target != "statefulset/fortio" || found.Sidecars[0].State != "running" {
		t.Fatalf("%+v", found)
	}

	hold := control.HoldParams{Cluster: in, Target: "statefulset/fortio"}
	begun := w.begin("hold", "hold", hold)
	w.until("pod/fortio")
	w.cancelled("hold", begun)
	unchanged(t, c, namespace, before)

	for _, workload := range []bool{false, true} {
		hold.Workload = workload
		var held control.HeldObject
		w.Ask("hold", hold, &held)
		if held.State != "held" || workload != (held.Name == "statefulset/fortio") || held.Who == "" {
			t.Errorf("%+v", held)
		}
		var list control.HeldList
		w.Ask("held", in, &list)
		ours := false
		for _, h := range list.Held {
			ours = ours || h.Namespace == namespace && h.Name == held.Name
		}
		if !ours {
			t.Errorf("%s is not among %+v", held.Name, list)
		}
		var released control.Released
		w.Ask("release", control.ReleaseParams{Cluster: in, Target: held.Name}, &released)
		if len(released.Released) != 1 || released.Released[0].Name != held.Name {
			t.Errorf("%+v", released)
		}
	}
	c.WaitReady(namespace, "pod/fortio-0")
	if left := copies(c, namespace); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

// The checks of a pod say what would go wrong, and can be cancelled.
func TestAWindowChecksAPod(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Demo()
	p := productOf(t, c, "22")
	w := p.window()
	configuration := control.Configuration{LLDBDap: p.tool("tools/lldb-22/bin/lldb-dap"), Attributes: map[string]any{
		"target": "statefulset/fortio-server", "namespace": namespace, "program": p.tool("sample/envoy.debug"), "envoyPath": "/usr/local/bin/envoy-sample"}}
	var found control.Findings
	w.Ask("doctor", configuration, &found)
	checks := map[string]string{}
	for _, f := range found.Findings {
		checks[f.Check] = string(f.State)
	}
	if found.Failed || checks["build"] != "ok" || checks["session"] != "ok" || checks["tracing"] != "ok" {
		t.Errorf("%+v", found)
	}
	configuration.Attributes["envoyPath"] = "/usr/local/bin/envoy"
	w.Ask("doctor", configuration, &found)
	if !found.Failed {
		t.Errorf("another build is no failure: %+v", found)
	}
	w.cancelled("doctor", w.begin("doctor", "doctor", configuration))
}

// What has come of several requests is not lost with the connection; one that waits can be
// cancelled.
func TestAWindowSendsRequests(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Demo()
	p := productOf(t, c, "22")
	startAgent(c, namespace, "fortio-server-classic-0")
	c.ApplyIn(namespace, another)
	c.WaitReady(namespace, "pod/another")
	w := p.window()
	send := control.RequestParams{Cluster: control.Cluster{Namespace: namespace}, Target: "pod/another", URL: "http://fortio-server-classic:8080/hello"}
	var got control.Responses
	w.Ask("request", send, &got)
	if len(got.Responses) != 1 || !got.Responses[0].Envoy || got.Responses[0].Status != "200 OK" || !strings.Contains(got.Responses[0].Body, served) {
		t.Errorf("%+v", got)
	}

	send.Count = 10_000
	many := w.begin("many", "request", send)
	w.until("20 of 10000")
	c.Cut()
	got = control.Responses{}
	if err := many.Wait(w.ctx, &got); err != nil {
		t.Fatalf("what had come is lost: %v", err)
	}
	if len(got.Responses) < 20 || len(got.Responses) == send.Count || got.Failure == nil || got.Failure.ID != "ED1808" {
		t.Errorf("%d responses, then %+v", len(got.Responses), got.Failure)
	}

	send.Count = 1
	envoy := strings.TrimSpace(c.Kubectl("exec", "-n", namespace, "another", "-c", "istio-proxy", "--", "pgrep", "-x", "envoy"))
	signal := func(name string) {
		c.Kubectl("exec", "-n", namespace, "another", "-c", "istio-proxy", "--", "kill", "-"+name, envoy)
	}
	signal("STOP")
	t.Cleanup(func() { signal("CONT") })
	one := w.begin("one", "request", send)
	w.until("the request waits")
	w.cancelled("one", one)
	for _, container := range []string{"main-app", "istio-proxy"} {
		c.Eventually("exec", "-n", namespace, "another", "-c", container, "--", "sh", "-c", "! pgrep -f 'helper-[0-9a-f]* forward' || { ps -e -o pid,args; false; }")
	}
}
