package stories_test

import (
	"os"
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/test/support/cluster"
)

// served is the answer of the other workload.
const served = "answered by fortio-server-classic-0"

// requestStory is a pod that sends, of whose sidecar the agent is not started, and the
// other one that answers.
func requestStory(t *testing.T) (c *cluster.Cluster, p *product, namespace string, send func(more ...string) *session) {
	t.Helper()
	c = cluster.Of(t)
	namespace = c.Demo()
	p = productOf(t, c, "22")
	startAgent(c, namespace, "fortio-server-classic-0")
	return c, p, namespace, func(more ...string) *session {
		return p.start(append([]string{"request", "statefulset/fortio-server", "http://fortio-server-classic:8080/hello", "-n", namespace}, more...)...)
	}
}

// A request comes from the application's container, whose image has nothing but the
// application, and the kernel shows that Envoy has handled it. What the response says of
// itself shows nothing: past the sidecar its headers are an Envoy's, too.
func TestARequestComesThroughTheSidecar(t *testing.T) {
	c, p, namespace, send := requestStory(t)
	send().ends(1, "no shell", "--debug-image", "[ED1611]")
	// A parked sidecar is told at once.
	send(withShell).ends(1, "parked", "port 15001", "connection refused", "envoydbg agent start", "[ED1802]")

	p.start("agent", "start", "pod/fortio-server-0", "-n", namespace).ends(0, "agent started")
	waitConfigured(c, namespace, "fortio-server-0")
	send("-H", "X-Story: 1").ends(0, "HTTP/1.1 200 OK", "server: envoy", "GET /hello to fortio-server-classic:8080 "+served,
		"✓ Envoy has handled it", "redirected to 127.0.0.1:15001, and Envoy (pid ", "istio-proxy", "has accepted it")
	send("-H", "Connection: close").ends(0, "200 OK", "✓ Envoy has handled it")
	send("-d", "body", "-o", "json").ends(0, `"code": 200`, `"redirected": "127.0.0.1:15001"`, `"envoy": true`, `"body": "POST /hello`)
	send("--count", "20", "--concurrency", "4").ends(0, "20 requests", "20 × 200 OK", "Envoy has handled 20 of 20")
	send("--run-as", "1337").ends(1, "200 OK", "server: istio-envoy", served, "1 of 1 did not", "leads past the sidecar",
		"connections of user 1337 are not redirected", "[ED1807]")
	p.start("request", "pod/fortio-server-0", "http://no-such-name.invalid/", "-n", namespace).ends(1, "no-such-name.invalid", "[ED1804]")
	p.start("request", "pod/fortio-server-0", "http://fortio-server-classic:9/", "-n", namespace).ends(1, "redirected to 127.0.0.1:15001", "has closed it", "[ED1805]")
	p.start("agent", "stop", "pod/fortio-server-0", "-n", namespace).ends(0, "ended")
	p.start("clean", "pod/fortio-server-0", "-n", namespace).ends(0, "removed /var/lib/istio/data/.envoydbg\n", "removed /.envoydbg in container main-app")
}

// While Envoy is stopped in a debugger, before it listens or after, the request waits and
// says why, and the time does not count. Who interrupts it leaves nothing behind.
func TestARequestWaitsForAnEnvoyThatIsStopped(t *testing.T) {
	c, p, namespace, send := requestStory(t)
	s := p.typed(func(in *os.File) *session {
		return p.startFrom(in, "run", "pod/fortio-server-0", "-n", namespace, "--lldb-dap", p.tool("tools/lldb-22/bin/lldb-dap"), "--program", p.tool("tools/envoy"))
	})
	s.until("● stopped at main")
	early := send(withShell, "--timeout", "20s")
	early.until("is stopped in a debugger, before it listens on port 15001")
	s.say("continue")
	early.ends(0, "200 OK", served, "✓ Envoy has handled it")

	s.say("pause")
	s.until("● stopped: pause")
	late := send("--timeout", "500ms")
	late.until("is stopped in a debugger: the request waits")
	given := send()
	given.until("the request waits")
	if err := given.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	given.ends(130)
	s.say("continue")
	late.ends(0, "200 OK", "✓ Envoy has handled it")
	s.say("quit")
	s.ends(0, "nothing is left running")
	parked(t, c, namespace, "fortio-server-0")

	c.Kubectl("debug", "pod/fortio-server-0", "-n", namespace, "--image=envoydbg.test/proxyv2:1", "--target=main-app", "--container=look", "--", "ps", "-e", "-o", "args=")
	c.Kubectl("wait", "pod/fortio-server-0", "-n", namespace, "--timeout="+cluster.Limit.String(),
		`--for=jsonpath={.status.ephemeralContainerStatuses[?(@.name=="look")].state.terminated}`)
	if left := c.Kubectl("logs", "pod/fortio-server-0", "-n", namespace, "-c", "look"); strings.Contains(left, "helper") {
		t.Errorf("left beside the application:\n%s", left)
	}
	p.start("clean", "pod/fortio-server-0", "-n", namespace).ends(0, "removed /.envoydbg in container main-app")
}

// another is a pod as the mesh has it, whose application is not root and has a shell.
const another = `
apiVersion: v1
kind: Pod
metadata:
  name: another
  annotations: {sidecar.istio.io/nativeSidecar: "false"}
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - {name: main-app, image: "envoydbg.test/proxyv2:1", command: [sleep, "3600"], securityContext: {runAsUser: 1000, runAsGroup: 1000}}
`

// A sidecar that nobody holds or debugs handles requests, too. Only root may send as
// somebody else, and who is killed in the middle leaves no process behind.
func TestARequestFromAnOrdinaryPod(t *testing.T) {
	c, p, namespace, _ := requestStory(t)
	c.ApplyIn(namespace, another)
	c.WaitReady(namespace, "pod/another")
	send := func(more ...string) *session {
		return p.start(append([]string{"request", "another", "http://fortio-server-classic:8080/hello", "-n", namespace}, more...)...)
	}
	send().ends(0, "200 OK", served, "✓ Envoy has handled it", "istio-proxy")
	send("--run-as", "0").ends(1, "user 1000, group 1000 cannot become user 0, group 0", "[ED1801]")
	send("--from-container", "no-such").ends(1, "no-such", "[ED1604]")

	envoy := strings.TrimSpace(c.Kubectl("exec", "-n", namespace, "another", "-c", "istio-proxy", "--", "pgrep", "-x", "envoy"))
	signal := func(name string) {
		c.Kubectl("exec", "-n", namespace, "another", "-c", "istio-proxy", "--", "kill", "-"+name, envoy)
	}
	signal("STOP")
	t.Cleanup(func() { signal("CONT") })
	late := send("--timeout", "500ms")
	killed := send()
	for _, s := range []*session{late, killed} {
		s.until("Envoy (pid " + envoy + ") is stopped by a signal: the request waits")
	}
	if err := killed.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	killed.end()
	signal("CONT")
	late.ends(0, "200 OK", "✓ Envoy has handled it")
	for _, container := range []string{"main-app", "istio-proxy"} {
		c.Eventually("exec", "-n", namespace, "another", "-c", container, "--", "sh", "-c", "! pgrep -f 'helper-[0-9a-f]* forward' || { ps -e -o pid,args; false; }")
	}
	p.start("clean", "pod/another", "-n", namespace).ends(0, "removed /var/lib/istio/data/.envoydbg\n", "removed /tmp/.envoydbg in container main-app")
}
