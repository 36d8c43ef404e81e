package stories_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/test/support/cluster"
	"github.com/envoydbg/envoydbg/test/support/pty"
)

// A session with a pod that nobody has prepared debugs a copy of it, and leaves all as it
// was.
func TestASidecarThatNobodyPreparedIsDebugged(t *testing.T) {
	c := cluster.Of(t)
	namespace := unpreparedStatefulSet(c, nativeSidecar)
	c.ApplyIn(namespace, unprepared("Deployment", "web", "  replicas: 2\n", classicSidecar))
	c.Kubectl("rollout", "status", "deployment/web", "-n", namespace, "--timeout="+cluster.Limit.String())
	before := contents(t, c, namespace)
	for _, lldb := range lldbs {
		for _, target := range []string{"statefulset/fortio", "deployment/web"} {
			t.Run(fmt.Sprintf("LLDB %s, %s", lldb, target), func(t *testing.T) {
				s := productOf(t, c, lldb).debug(namespace, target, "-x", "bt", "-x", "continue", "-x", "await starting main dispatch loop", "-x", "quit")
				s.ends(0, "Envoy is running. A held copy is debugged, pod/", "the workload is not touched", "✓ preflight", "-hold-", "✓ attached",
					"before its first instruction", "● stopped at main", "Envoy::MainCommon::main", "starting main dispatch loop", "nothing is left running")
				unchanged(t, c, namespace, before)
			})
		}
	}
	productOf(t, c, "22").doctor("statefulset/fortio", "-n", namespace).
		ends(0, "held", "Envoy is running; a session makes a held copy", "may create pods", "may delete pods", "tracing", "permitted")
}

// Without a pod the copy is made from the template, with what the webhook adds.
func TestACopyIsMadeWhereNoPodRuns(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Namespace("istio-injection=enabled")
	claims := `  replicas: 0
  serviceName: fortio
  volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}}]
`
	c.ApplyIn(namespace, unprepared("StatefulSet", "fortio", claims, nativeSidecar))
	before := contents(t, c, namespace)
	for _, lldb := range lldbs {
		t.Run("LLDB "+lldb, func(t *testing.T) {
			productOf(t, c, lldb).debug(namespace, "statefulset/fortio", "-x", "bt", "-x", "quit").
				ends(0, "the volume data is empty in the copy", "no pod runs. A held copy is debugged", "● stopped at main", "nothing is left running")
			unchanged(t, c, namespace, before)
		})
	}
}

// A copy gets its certificate and its configuration, and its application reaches Services
// through it; but no Service leads to the copy.
func TestACopyIsInTheMeshButInNoService(t *testing.T) {
	c := cluster.Of(t)
	namespace := unpreparedStatefulSet(c, nativeSidecar)
	before := contents(t, c, namespace)
	p := productOf(t, c, "22")
	name := p.hold(namespace, "statefulset/fortio", "--same-node")
	if out, err := c.TryKubectl("exec", "-n", namespace, name, "-c", "main-app", "--", "/app", "get", "http://fortio."+namespace+":8080/hello"); err == nil {
		t.Errorf("a request got through while the copy is held:\n%s", out)
	}
	s := p.start("run", name, "-n", namespace, "--lldb-dap", p.tool("tools/lldb-22/bin/lldb-dap"), "--program", p.tool("tools/envoy"), "-x", "continue", "-x", "await what never comes")
	s.until("● stopped at main")
	waitConfigured(c, namespace, name)
	out := c.Kubectl("exec", "-n", namespace, name, "-c", "main-app", "--", "/app", "get", "http://fortio."+namespace+":8080/hello")
	if !strings.Contains(out, "server: envoy") || !strings.Contains(out, "answered by fortio-0") {
		t.Errorf("the request did not pass Envoy to the pod:\n%s", out)
	}
	labels := c.Kubectl("exec", "-n", namespace, name, "-c", "istio-proxy", "--", "cat", "/etc/istio/proxy/envoy-rev.json")
	if !strings.Contains(labels, `"app":"fortio"`) && !strings.Contains(labels, `"app": "fortio"`) {
		t.Errorf("the agent does not tell istiod the pod's labels")
	}
	ip := c.Kubectl("get", name, "-n", namespace, "-o", "jsonpath={.status.podIP}")
	if endpoints := c.Kubectl("get", "endpointslices", "-n", namespace, "-o", "jsonpath={.items[*].endpoints[*].addresses}"); ip == "" || strings.Contains(endpoints, `"`+ip+`"`) {
		t.Errorf("the copy %s is among the endpoints %s", ip, endpoints)
	}
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	s.ends(130, "nothing is left running")
	if got := copies(c, namespace); len(got) != 1 {
		t.Errorf("a copy that was there before the session is %q after it", got)
	}
	p.start("release", name, "-n", namespace).ends(0, name+" released")
	unchanged(t, c, namespace, before)
}

// Two copies of one workload are there at once, each with its session. What is somebody
// else's is released by its own name alone.
func TestTwoCopiesAtOnce(t *testing.T) {
	c := cluster.Of(t)
	namespace := unpreparedStatefulSet(c, nativeSidecar)
	before := contents(t, c, namespace)
	p := productOf(t, c, "22")
	first, second := p.hold(namespace, "statefulset/fortio"), p.hold(namespace, "pod/fortio-0", "--for", "30m")
	var sessions []*session
	for _, name := range []string{first, second} {
		s := p.debug(namespace, name, "-x", "await what never comes")
		s.until("● stopped at main")
		sessions = append(sessions, s)
	}
	for _, s := range sessions {
		if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		s.ends(130, "nothing is left running")
	}
	record := strings.Replace(c.Kubectl("get", second, "-n", namespace, "-o", `jsonpath={.metadata.annotations.envoydbg\.dev/record}`), `"who":"`, `"who":"ann.`, 1)
	c.Kubectl("annotate", "-n", namespace, second, "--overwrite", "envoydbg.dev/record="+record)
	status := p.start("status")
	status.ends(0, "NAMESPACE")
	for _, want := range []string{first, second, "ann.", "statefulset/fortio", "pod/fortio-0", " held "} {
		if !strings.Contains(status.text(), want) {
			t.Errorf("no %q in\n%s", want, status.text())
		}
	}
	p.start("release", "pod/fortio-0", "-n", namespace).ends(1, "[ED1704]")
	p.start("release", "statefulset/fortio", "-n", namespace).ends(0, first+" released")
	if got := copies(c, namespace); !slices.Equal(got, []string{second}) {
		t.Errorf("left %q, want %q", got, second)
	}
	p.start("release", second, "-n", namespace).ends(0, second+" released")
	unchanged(t, c, namespace, before)
}

// Whenever a session is killed, what it has held is found by the next command, and given
// back.
func TestWhatAKilledSessionHoldsIsReleasedLater(t *testing.T) {
	c := cluster.Of(t)
	namespace := unpreparedStatefulSet(c, nativeSidecar)
	before := contents(t, c, namespace)
	p := productOf(t, c, "22")
	const there = "the pod is made"
	reached := func(s *session, at string) {
		t.Helper()
		if at != there {
			s.until(at)
			return
		}
		c.Kubectl("wait", "pod", "-n", namespace, "-l", "envoydbg.dev/hold", "--for=create", "--timeout="+cluster.Limit.String())
	}
	for _, at := range []string{"holding a copy", there, "A held copy is debugged", "✓ preflight", "✓ armed", "● stopped at main"} {
		t.Run(at, func(t *testing.T) {
			s := p.debug(namespace, "statefulset/fortio", "-x", "await what never comes")
			reached(s, at)
			if err := s.cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			s.end()
			if at != "holding a copy" { // it may not be there yet
				p.start("status").ends(0, copies(c, namespace)[0], "statefulset/fortio")
				p.start("release", "statefulset/fortio", "-n", namespace).ends(0, "released")
			}
			p.start("release", "--all").ends(0)
			unchanged(t, c, namespace, before)
		})
	}
	// An end in order undoes it itself, wherever it comes.
	for _, at := range []string{"holding a copy", there, "A held copy is debugged", "✓ armed"} {
		t.Run("Ctrl-C: "+at, func(t *testing.T) {
			s := p.debug(namespace, "statefulset/fortio", "-x", "await what never comes")
			reached(s, at)
			if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			s.ends(130)
			unchanged(t, c, namespace, before)
		})
	}
}

// While the API server is gone, what is held is waited for.
func TestACopyIsMadeThroughTheDeathOfTheAPIServer(t *testing.T) {
	c := cluster.Of(t)
	namespace := unpreparedStatefulSet(c, nativeSidecar)
	before := contents(t, c, namespace)
	p := productOf(t, c, "22")
	s := p.start("hold", "statefulset/fortio", "-n", namespace)
	s.until("starting")
	c.Part("kill", "kube-apiserver")
	s.ends(0, "is held until")
	c.Eventually("get", "pods", "-n", namespace)
	p.start("release", "statefulset/fortio", "-n", namespace).ends(0, "released")
	unchanged(t, c, namespace, before)
}

// What a session keeps, the next one debugs, and the user is told how to give it back.
func TestASessionKeepsItsCopyWhenItIsToldSo(t *testing.T) {
	c := cluster.Of(t)
	namespace := unpreparedStatefulSet(c, nativeSidecar)
	before := contents(t, c, namespace)
	p := productOf(t, c, "22")
	p.debug(namespace, "statefulset/fortio", "--hold-at-end=keep", "-x", "quit").ends(0, "The copy is removed by \"envoydbg release pod/fortio-0-hold-", "nothing is left running")
	name := copies(c, namespace)[0]
	p.debug(namespace, name, "--at-end=run", "-x", "quit").ends(0, "✓ attached", "they run on", "envoydbg agent stop "+name)
	p.start("release", name, "-n", namespace).ends(0, "released")
	// Envoy that runs on needs its pod.
	p.debug(namespace, "statefulset/fortio", "--at-end=run", "-x", "quit").ends(0, "they run on", "envoydbg release pod/fortio-0-hold-")
	p.start("release", "statefulset/fortio", "-n", namespace).ends(0, "released")
	unchanged(t, c, namespace, before)
	p.debug(namespace, "statefulset/fortio", "--hold=never", "-x", "quit").ends(1, "An agent or Envoy runs in", "already", "envoydbg hold", "[ED1520]")
}

// Whoever is at a keyboard is asked.
func TestAUserAtAKeyboardIsAskedBeforeACopyIsMade(t *testing.T) {
	c := cluster.Of(t)
	namespace := unpreparedStatefulSet(c, nativeSidecar)
	before, workloads := contents(t, c, namespace), workloadsOf(t, c, namespace)
	p := productOf(t, c, "22")
	for _, x := range []struct {
		answer string
		code   int
		lines  []string
	}{
		{"n\n", 1, []string{"Nothing was held."}},
		{"\x04", 1, []string{"Nothing was held."}},
		{"\n", 0, []string{"A held copy is debugged", "● stopped at main", "nothing is left running"}},
		{"w\n", 0, []string{"statefulset/fortio is held", "● stopped at main", "nothing is left running"}},
	} {
		t.Run(fmt.Sprintf("%q", x.answer), func(t *testing.T) {
			person, programs, err := pty.Open()
			if err != nil {
				t.Fatal(err)
			}
			defer person.Close()
			s := p.debugFrom(programs, namespace, "statefulset/fortio")
			programs.Close()
			s.until("[w]orkload: its pods are made anew   [n]o")
			if got := copies(c, namespace); len(got) > 0 {
				t.Errorf("held before the answer: %q", got)
			}
			if _, err := person.WriteString(x.answer); err != nil {
				t.Fatal(err)
			}
			if x.code == 0 {
				s.until("● stopped at main")
				if _, err := person.WriteString("quit\n"); err != nil {
					t.Fatal(err)
				}
			}
			s.ends(x.code, append([]string{"fortio-0 / istio-proxy (native sidecar), Envoy is running"}, x.lines...)...)
			if x.answer == "w\n" { // its pods are made anew
				givenBack(t, c, namespace, workloads)
				return
			}
			unchanged(t, c, namespace, before)
		})
	}
}

// silentWebhook is asked about each pod of a namespace, and never answers.
const silentWebhook = `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: NAMESPACE}
webhooks:
  - name: silent.envoydbg.test
    admissionReviewVersions: [v1]
    sideEffects: None
    timeoutSeconds: 1
    clientConfig: {url: "https://127.0.0.1:1/"}
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: NAMESPACE}}
    rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
`

// What the cluster does not let be held is told before anything is made.
func TestWhatTheClusterDoesNotLetBeHeld(t *testing.T) {
	c := cluster.Of(t)
	namespace := unpreparedStatefulSet(c, nativeSidecar)
	before := contents(t, c, namespace)
	p := productOf(t, c, "22")
	page, err := os.ReadFile(filepath.Join(p.root, "docs/security.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(page), "```yaml\n")
	role, _, _ := strings.Cut(blocks[1], "```")
	_, rest, _ := strings.Cut(string(page), "## Holding")
	_, rules, _ := strings.Cut(rest, "```yaml\n")
	rules, _, _ = strings.Cut(rules, "```")
	c.ApplyIn(namespace, role)
	c.Kubectl("create", "rolebinding", "envoydbg", "-n", namespace, "--role=envoydbg", "--user=jane")
	p.debug(namespace, "statefulset/fortio", "--as=jane", "-x", "quit").ends(1, `cannot create resource "pods"`, "[ED1605]")
	p.start("hold", "statefulset/fortio", "-n", namespace, "--as=jane").ends(1, `cannot create resource "pods"`, "[ED1605]")
	c.ApplyIn(namespace, role+rules)
	p.start("hold", "statefulset/fortio", "-n", namespace, "--as=jane", "--workload").ends(1, `cannot patch resource "statefulsets"`, "[ED1605]")
	p.debug(namespace, "statefulset/fortio", "--as=jane", "-x", "quit").ends(0, "✓ attached", "nothing is left running")
	p.start("status", "-n", namespace, "--as=jane").ends(0, "Only the namespace "+namespace)
	unchanged(t, c, namespace, before)

	c.Kubectl("create", "quota", "full", "-n", namespace, "--hard=pods=1")
	p.start("hold", "statefulset/fortio", "-n", namespace).ends(1, "exceeded quota", "[ED1701]")
	c.Kubectl("delete", "quota", "full", "-n", namespace)
	c.Kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
	p.start("hold", "statefulset/fortio", "-n", namespace).ends(1, "violates PodSecurity", "[ED1701]")
	c.Kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce-")
	unchanged(t, c, namespace, before)

	c.Apply(strings.ReplaceAll(silentWebhook, "NAMESPACE", namespace))
	defer c.Kubectl("delete", "validatingwebhookconfiguration", namespace)
	p.start("hold", "statefulset/fortio", "-n", namespace).ends(1, "failed calling webhook", "[ED1701]")
	p.start("hold", "statefulset/fortio", "-n", namespace, "--workload").ends(1, "failed calling webhook", "[ED1701]")
	unchanged(t, c, namespace, before)
	p.start("release", "statefulset/fortio", "-n", namespace).ends(1, "[ED1704]")
	p.start("hold", "pod/none", "-n", namespace).ends(1, "[ED1602]")
	p.start("hold", "statefulset/fortio", "-n", namespace, "-c", "other").ends(1, "[ED1604]")
}

// After its deadline the cluster itself ends a copy, and says so.
func TestTheClusterEndsACopyAfterItsDeadline(t *testing.T) {
	c := cluster.Of(t)
	namespace := unpreparedStatefulSet(c, classicSidecar)
	before := contents(t, c, namespace)
	p := productOf(t, c, "22")
	began := time.Now()
	name := p.hold(namespace, "pod/fortio-0", "--for", "1m")
	c.Kubectl("wait", name, "-n", namespace, "--for=jsonpath={.status.reason}=DeadlineExceeded", "--timeout=90s")
	if took := time.Since(began); took < 50*time.Second {
		t.Errorf("it was ended after %v", took)
	}
	p.start("status").ends(0, name, "ended")
	p.start("release", "--all").ends(0, name+" released")
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
