package stories_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/test/support/checkout"
	"github.com/envoydbg/envoydbg/test/support/cluster"
)

// workloadsOf are the contents of a namespace without its pods, which are made anew.
func workloadsOf(t *testing.T, c *cluster.Cluster, namespace string) map[string]string {
	t.Helper()
	all := contents(t, c, namespace)
	for name := range all {
		if strings.HasPrefix(name, "Pod/") {
			delete(all, name)
		}
	}
	return all
}

// givenBack checks that the workloads are what they were, and that their pods start Envoy
// again.
func givenBack(t *testing.T, c *cluster.Cluster, namespace string, before map[string]string) {
	t.Helper()
	for name, now := range workloadsOf(t, c, namespace) {
		if now != before[name] {
			t.Errorf("%s was\n%s\nand is\n%s", name, before[name], now)
		}
	}
	c.Kubectl("wait", "pod", "-n", namespace, "-l", "envoydbg.dev/hold", "--for=delete", "--timeout="+cluster.Limit.String())
}

// injected is a Deployment whose manifest was injected before it came to the cluster.
func injected(t *testing.T, c *cluster.Cluster, name, sidecar string) string {
	t.Helper()
	_, manifest, _ := strings.Cut(unprepared("Deployment", name, "", sidecar), "---") // without the Service
	istioctl := exec.Command(checkout.Path(t, "bin/tools/istio/istioctl"), "kube-inject", "--revision", "default", "-f", "-")
	istioctl.Env = append(os.Environ(), "KUBECONFIG="+c.Kubeconfig())
	istioctl.Stdin = strings.NewReader(manifest)
	out, err := istioctl.Output()
	if err != nil {
		t.Fatalf("istioctl kube-inject: %v: %s", err, out)
	}
	return string(out)
}

// A workload of each kind is held, with each kind of sidecar, injected by the webhook or
// before; one of its pods is debugged; and it is given back exactly as it was.
func TestAWorkloadIsHeldAndGivenBack(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Namespace("istio-injection=enabled")
	for i, x := range []struct{ target, manifest string }{
		{"statefulset/native", unprepared("StatefulSet", "native", "  serviceName: native\n", nativeSidecar)},
		{"statefulset/classic", unprepared("StatefulSet", "classic", "  serviceName: classic\n", classicSidecar)},
		{"deployment/web", unprepared("Deployment", "web", "  replicas: 2\n", classicSidecar+`, proxy.istio.io/config: '{"holdApplicationUntilProxyStarts": true}'`)},
		{"daemonset/each", unprepared("DaemonSet", "each", "", nativeSidecar)},
		{"deployment/gateway", gateway},
		{"deployment/injected-classic", injected(t, c, "injected-classic", classicSidecar)},
		{"deployment/injected-native", injected(t, c, "injected-native", nativeSidecar)},
	} {
		lldb := lldbs[i%len(lldbs)]
		t.Run("LLDB "+lldb+", "+x.target, func(t *testing.T) {
			c.ApplyIn(namespace, x.manifest)
			c.Kubectl("rollout", "status", x.target, "-n", namespace, "--timeout="+cluster.Limit.String())
			before := workloadsOf(t, c, namespace)
			p := productOf(t, c, lldb)
			s := p.start("hold", x.target, "-n", namespace, "--workload")
			s.ends(0)
			_, pod, _ := strings.Cut(s.text(), "Envoy; ")
			pod, _, _ = strings.Cut(pod, " waits")
			p.start("status").ends(0, x.target, "held")
			p.debug(namespace, pod, "-x", "bt", "-x", "continue", "-x", "await starting main dispatch loop", "-x", "quit").
				ends(0, "✓ attached", "before its first instruction", "● stopped at main", "starting main dispatch loop", "nothing is left running")
			p.start("release", x.target, "-n", namespace).ends(0, x.target+" released")
			givenBack(t, c, namespace, before)
			// Who applies it next owns it without a conflict.
			c.ApplyIn(namespace, strings.ReplaceAll(x.manifest, "periodSeconds: 1", "periodSeconds: 2"))
			c.Kubectl("delete", "-n", namespace, x.target)
		})
	}
}

// A session holds the workload for its time.
func TestASessionHoldsTheWorkload(t *testing.T) {
	c := cluster.Of(t)
	namespace := unpreparedStatefulSet(c, nativeSidecar)
	before := workloadsOf(t, c, namespace)
	for _, lldb := range lldbs {
		t.Run("LLDB "+lldb, func(t *testing.T) {
			p := productOf(t, c, lldb)
			p.debug(namespace, "statefulset/fortio", "--hold=workload", "-x", "bt", "-x", "quit").
				ends(0, "statefulset/fortio is held, and its pods are made anew; pod/fortio-0 is debugged", "● stopped at main", "nothing is left running")
			givenBack(t, c, namespace, before)
			c.WaitReady(namespace, "pod/fortio-0")
		})
	}
	t.Run("Ctrl-C", func(t *testing.T) {
		p := productOf(t, c, "22")
		s := p.start("hold", "statefulset/fortio", "-n", namespace, "--workload")
		c.Kubectl("wait", "statefulset", "-n", namespace, "-l", "envoydbg.dev/hold", "--for=create", "--timeout="+cluster.Limit.String())
		if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		s.ends(130, "nothing is held")
		c.Kubectl("rollout", "status", "statefulset/fortio", "-n", namespace, "--timeout="+cluster.Limit.String())
		givenBack(t, c, namespace, before)
	})
	t.Run("killed", func(t *testing.T) {
		p := productOf(t, c, "22")
		s := p.debug(namespace, "statefulset/fortio", "--hold=workload", "-x", "await what never comes")
		c.Kubectl("wait", "statefulset", "-n", namespace, "-l", "envoydbg.dev/hold", "--for=create", "--timeout="+cluster.Limit.String())
		if err := s.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		s.end()
		p.start("release", "--all").ends(0, "statefulset/fortio released")
		givenBack(t, c, namespace, before)
	})
}

// A StatefulSet waits for a broken pod for ever; it is moved on when it is held, and when it
// is given back.
func TestAStatefulSetStuckOnABrokenPodIsMovedOn(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Namespace("istio-injection=enabled")
	c.ApplyIn(namespace, unprepared("StatefulSet", "broken", "  serviceName: broken\n", classicSidecar+", sidecar.istio.io/logLevel: nonsense"))
	c.Kubectl("wait", "-n", namespace, "pod/broken-0", "--for=create", "--timeout="+cluster.Limit.String())
	c.Kubectl("wait", "-n", namespace, "pod/broken-0", "--timeout="+cluster.Limit.String(),
		`--for=jsonpath={.status.containerStatuses[?(@.name=="istio-proxy")].lastState.terminated}`)
	before := workloadsOf(t, c, namespace)
	p := productOf(t, c, "22")
	p.start("hold", "statefulset/broken", "-n", namespace, "--workload").ends(0, "pod/broken-0 is not ready", "it is deleted", "pod/broken-0 waits")
	p.debug(namespace, "statefulset/broken", "-x", "bt", "-x", "quit").ends(0, "● stopped at main", "nothing is left running")
	p.start("release", "statefulset/broken", "-n", namespace).ends(0, "released")
	givenBack(t, c, namespace, before)
}

// Two people cannot hold one workload. What others change meanwhile stays; what they change
// of what was held is not undone.
func TestOthersChangeAWorkloadThatIsHeld(t *testing.T) {
	c := cluster.Of(t)
	namespace := unpreparedStatefulSet(c, nativeSidecar)
	before := workloadsOf(t, c, namespace)
	p := productOf(t, c, "22")
	hold := func() *session { return p.start("hold", "statefulset/fortio", "-n", namespace, "--workload") }
	first, second := hold(), hold()
	if codes := first.end() + second.end(); codes != 1 {
		t.Errorf("of two at once not one has it:\n%s\n%s", first.text(), second.text())
	}
	if said := first.text() + second.text(); !strings.Contains(said, "[ED1707]") {
		t.Errorf("the other is not told: %s", said)
	}

	// Another machine finds it by its name.
	record := strings.Replace(c.Kubectl("get", "statefulset/fortio", "-n", namespace, "-o", `jsonpath={.metadata.annotations.envoydbg\.dev/record}`), `"who":"`, `"who":"ann.`, 1)
	c.Kubectl("annotate", "-n", namespace, "statefulset/fortio", "--overwrite", "envoydbg.dev/record="+record)
	p.start("release", "--all").ends(0)
	p.start("status").ends(0, "statefulset/fortio", "ann.")

	// A rollout of something else is kept, and the rest given back.
	c.Kubectl("patch", "statefulset/fortio", "-n", namespace, "--type=json", `-p=[{"op": "add", "path": "/spec/template/spec/containers/0/env", "value": [{"name": "A", "value": "b"}]}]`)
	p.start("release", "statefulset/fortio", "-n", namespace).ends(0, "released")
	c.Kubectl("patch", "statefulset/fortio", "-n", namespace, "--type=json", `-p=[{"op": "remove", "path": "/spec/template/spec/containers/0/env"}]`)
	givenBack(t, c, namespace, before)
	c.WaitReady(namespace, "pod/fortio-0")

	// A change of what was held is not undone.
	hold().ends(0)
	c.Kubectl("patch", "statefulset/fortio", "-n", namespace, "--type=json", `-p=[{"op": "add", "path": "/spec/template/metadata/annotations/status.sidecar.istio.io~1port", "value": "15020"}]`)
	held := workloadsOf(t, c, namespace)
	p.start("release", "statefulset/fortio", "-n", namespace).ends(1, "others have changed since: spec.template.metadata.annotations.status.sidecar.istio.io/port", "[ED1706]")
	givenNothing := workloadsOf(t, c, namespace)
	for name := range held {
		if held[name] != givenNothing[name] {
			t.Errorf("a release that was refused has changed %s", name)
		}
	}
	c.Kubectl("patch", "statefulset/fortio", "-n", namespace, "--type=json", `-p=[{"op": "replace", "path": "/spec/template/metadata/annotations/status.sidecar.istio.io~1port", "value": "0"}]`)
	p.start("release", "statefulset/fortio", "-n", namespace).ends(0, "released")
	givenBack(t, c, namespace, before)
}

// Who else acts on the workload is told before it is changed; what cannot be changed is not.
func TestWhoElseActsOnAWorkloadIsTold(t *testing.T) {
	c := cluster.Of(t)
	namespace := unpreparedStatefulSet(c, nativeSidecar)
	c.Kubectl("label", "statefulset/fortio", "-n", namespace, "argocd.argoproj.io/instance=shop")
	c.Kubectl("autoscale", "statefulset/fortio", "-n", namespace, "--min=1", "--max=2", "--cpu=50%")
	before := workloadsOf(t, c, namespace)
	p := productOf(t, c, "22")
	p.start("hold", "statefulset/fortio", "-n", namespace, "--workload").ends(0, "Argo CD looks after fortio", "HorizontalPodAutoscaler fortio scales fortio", "changing", "is held")
	p.start("release", "statefulset/fortio", "-n", namespace).ends(0, "released")
	givenBack(t, c, namespace, before)
	c.Kubectl("scale", "statefulset/fortio", "-n", namespace, "--replicas=0")
	p.start("hold", "statefulset/fortio", "-n", namespace, "--workload").ends(1, "it has no replicas", "[ED1703]")
	p.start("hold", "pod/fortio-0", "-n", namespace, "--workload").ends(1, "[ED1703]")
	p.start("hold", "job/none", "-n", namespace, "--workload").ends(1, "[ED1703]")
}
