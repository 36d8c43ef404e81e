package stories_test

import (
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/test/support/cluster"
)

// gateway is a Deployment whose only container is Envoy, which the injector completes.
const gateway = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: gateway}
spec:
  selector: {matchLabels: {istio: gateway}}
  template:
    metadata:
      labels: {istio: gateway, sidecar.istio.io/inject: "true"}
      annotations: {inject.istio.io/templates: gateway}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: istio-proxy, image: auto, imagePullPolicy: IfNotPresent}]
`

// withoutIstio is a Deployment with an Envoy that no agent starts, in a container of another
// name and an image that has no pilot-agent in its command.
const withoutIstio = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: edge}
spec:
  selector: {matchLabels: {app: edge}}
  template:
    metadata:
      labels: {app: edge, sidecar.istio.io/inject: "false"}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: proxy
        image: "envoydbg.test/proxyv2:1"
        securityContext: {runAsUser: 1337, runAsGroup: 1337, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
        command: [/usr/local/bin/envoy]
        args: [--config-yaml, "{admin: {address: {socket_address: {address: 127.0.0.1, port_value: 9901}}}}"]
`

// An Envoy of its own is held and debugged as a sidecar is: its container is found by what
// it runs, and the gate stands in that command.
func TestAnEnvoyWithoutIstioIsDebugged(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Namespace()
	c.ApplyIn(namespace, withoutIstio)
	c.Kubectl("rollout", "status", "deployment/edge", "-n", namespace, "--timeout="+cluster.Limit.String())
	before := contents(t, c, namespace)
	for _, lldb := range lldbs {
		t.Run("LLDB "+lldb, func(t *testing.T) {
			p := productOf(t, c, lldb)
			p.start("run", "deployment/edge", "-n", namespace, "--lldb-dap", p.tool("tools/lldb-"+lldb+"/bin/lldb-dap"), "--program", p.tool("tools/envoy"),
				"-x", "bt", "-x", "continue", "-x", "await starting main dispatch loop", "-x", "quit").
				ends(0, "/ proxy", "A held copy is debugged", "✓ agent started", "/usr/local/bin/envoy --config-yaml", "✓ attached", "before its first instruction",
					"● stopped at main", "starting main dispatch loop", "nothing is left running")
			unchanged(t, c, namespace, before)
		})
	}
	t.Run("the workload", func(t *testing.T) {
		p := productOf(t, c, "22")
		p.start("run", "deployment/edge", "-n", namespace, "--hold=workload", "--lldb-dap", p.tool("tools/lldb-22/bin/lldb-dap"), "--program", p.tool("tools/envoy"),
			"-x", "bt", "-x", "quit").ends(0, "deployment/edge is held", "● stopped at main", "nothing is left running")
		p.start("status").ends(0, "nothing is held")
	})
}

// An image's entrypoint is in no object: the container's first process tells that it is
// Envoy, and by what command.
func TestAnEnvoyThatOnlyItsImageNamesIsDebugged(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Namespace()
	c.ApplyIn(namespace, strings.NewReplacer("envoydbg.test/proxyv2:1", "envoydbg.test/envoy:1", "        command: [/usr/local/bin/envoy]\n", "").Replace(withoutIstio))
	c.Kubectl("rollout", "status", "deployment/edge", "-n", namespace, "--timeout="+cluster.Limit.String())
	before := contents(t, c, namespace)
	for _, hold := range []string{"copy", "workload"} {
		t.Run(hold, func(t *testing.T) {
			p := productOf(t, c, "22")
			p.start("run", "deployment/edge", "-n", namespace, "--hold="+hold, "--lldb-dap", p.tool("tools/lldb-22/bin/lldb-dap"), "--program", p.tool("tools/envoy"),
				"-x", "bt", "-x", "quit").
				ends(0, "/usr/local/bin/envoy --config-yaml", "before its first instruction", "● stopped at main", "nothing is left running")
			if hold == "copy" { // the workload's own pods are made anew
				unchanged(t, c, namespace, before)
			}
			p.start("status").ends(0, "nothing is held")
		})
	}
}

// bare is a pod without a workload.
const bare = `
apiVersion: v1
kind: Pod
metadata: {name: bare, labels: {app: bare}}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: main-app, image: "envoydbg.test/app:1", args: [serve, ":8080"]}]
`

// What has pods, or is one, can be held in a copy.
func TestACopyOfEachKind(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Namespace("istio-injection=enabled")
	for i, x := range []struct{ target, selector, manifest, says string }{
		{"pod/bare", "app=bare", bare, "native sidecar"},
		{"daemonset/each", "app=each", unprepared("DaemonSet", "each", "", nativeSidecar), "native sidecar"},
		{"job/once", "app=once", unprepared("Job", "once", "", nativeSidecar), "the copy does the job once once more"},
		{"deployment/gateway", "istio=gateway", gateway, "classic sidecar"},
	} {
		lldb := lldbs[i%len(lldbs)]
		t.Run("LLDB "+lldb+", "+x.target, func(t *testing.T) {
			c.ApplyIn(namespace, x.manifest)
			c.Kubectl("wait", "-n", namespace, "pod", "-l", x.selector, "--for=create", "--timeout="+cluster.Limit.String())
			c.Kubectl("wait", "-n", namespace, "pod", "-l", x.selector, "--for=condition=Ready", "--timeout="+cluster.Limit.String())
			before := contents(t, c, namespace)
			productOf(t, c, lldb).debug(namespace, x.target, "-x", "bt", "-x", "continue", "-x", "await starting main dispatch loop", "-x", "quit").
				ends(0, x.says, "A held copy is debugged", "● stopped at main", "starting main dispatch loop", "nothing is left running")
			unchanged(t, c, namespace, before)
			c.Kubectl("delete", "-n", namespace, x.target)
		})
	}
}

// A sidecar that crashes at each start is held before it does, and its start can be seen.
func TestACrashLoopingSidecarIsDebugged(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Namespace("istio-injection=enabled")
	c.ApplyIn(namespace, unprepared("Deployment", "broken", "", classicSidecar+", sidecar.istio.io/logLevel: nonsense"))
	c.Kubectl("wait", "-n", namespace, "pod", "-l", "app=broken", "--for=create", "--timeout="+cluster.Limit.String())
	pod := strings.TrimSpace(c.Kubectl("get", "pod", "-n", namespace, "-l", "app=broken", "-o", "name"))
	c.Kubectl("wait", "-n", namespace, pod, "--timeout="+cluster.Limit.String(),
		`--for=jsonpath={.status.containerStatuses[?(@.name=="istio-proxy")].lastState.terminated}`)
	before := contents(t, c, namespace)
	for _, lldb := range lldbs {
		t.Run("LLDB "+lldb, func(t *testing.T) {
			p := productOf(t, c, lldb)
			s := p.start("run", "deployment/broken", "-n", namespace, "--lldb-dap", p.tool("tools/lldb-"+lldb+"/bin/lldb-dap"),
				"--program", p.tool("tools/envoy"), "-x", "continue", "-x", "await what never comes")
			s.until("● stopped at main")
			s.until("nonsense")
			s.end()
			s.ends(1, "A held copy is debugged", "● stopped at main", "ended")
			unchanged(t, c, namespace, before)
		})
	}
}

// A copy of a sidecar without a shell gets its helper as any other, and goes when that
// fails.
func TestACopyWithoutAShell(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Namespace("istio-injection=enabled")
	c.ApplyIn(namespace, unprepared("Deployment", "bare", "", nativeSidecar+", sidecar.istio.io/proxyImageType: distroless"))
	c.Kubectl("rollout", "status", "deployment/bare", "-n", namespace, "--timeout="+cluster.Limit.String())
	before := contents(t, c, namespace)
	productOf(t, c, "22").debug(namespace, "deployment/bare", "-x", "quit").ends(1, "A held copy is debugged", "no shell", "[ED1611]")
	unchanged(t, c, namespace, before)
	for _, lldb := range lldbs {
		t.Run("LLDB "+lldb, func(t *testing.T) {
			productOf(t, c, lldb).debug(namespace, "deployment/bare", withShell, "-x", "bt", "-x", "quit").
				ends(0, "A held copy is debugged", "● stopped at main", "nothing is left running")
			unchanged(t, c, namespace, before)
		})
	}
}
