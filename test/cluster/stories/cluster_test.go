package stories_test

import (
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/test/support/cluster"
	"github.com/envoydbg/envoydbg/test/support/pidns"
)

func TestMain(m *testing.M) { pidns.Main(m, cluster.Up) }

// workloads are those that cluster.Demo makes.
var workloads = []string{"fortio-server", "fortio-server-classic"}

// startAgent starts pilot-agent in the held sidecar of the pod, as Istio would have
// started it, and returns when it has its certificate and Envoy its configuration.
func startAgent(c *cluster.Cluster, namespace, pod string) {
	agent := c.Follow("exec", "-n", namespace, pod, "-c", "istio-proxy", "--",
		"pilot-agent", "proxy", "sidecar", "--domain", namespace+".svc.cluster.local",
		"--proxyLogLevel=warning", "--log_output_level=default:info")
	agent.Until("generated new workload certificate")
	waitConfigured(c, namespace, pod)
}

// waitConfigured waits until Envoy has its configuration.
func waitConfigured(c *cluster.Cluster, namespace, pod string) {
	c.Kubectl("exec", "-n", namespace, pod, "-c", "istio-proxy", "--",
		"pilot-agent", "wait", "--url", "http://127.0.0.1:15000/ready", "--timeoutSeconds", "60")
}

func TestAHeldSidecarHasTheRightsThatIstioGivesIt(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Demo()
	for _, workload := range workloads {
		t.Run(workload, func(t *testing.T) {
			status := c.Kubectl("exec", "-n", namespace, workload+"-0", "-c", "istio-proxy", "--", "cat", "/proc/self/status")
			for _, want := range []string{
				"Uid:\t1337\t1337\t1337\t1337", "Gid:\t1337\t1337\t1337\t1337",
				"CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1",
			} {
				if !strings.Contains(status, want) {
					t.Errorf("no %q in\n%s", want, status)
				}
			}
			if out, err := c.TryKubectl("exec", "-n", namespace, workload+"-0", "-c", "istio-proxy", "--", "touch", "/usr/local/bin/x"); err == nil {
				t.Errorf("its root can be written to: %s", out)
			}
			processes := c.Kubectl("exec", "-n", namespace, workload+"-0", "-c", "istio-proxy", "--", "ps", "-e", "-o", "args=")
			if !strings.Contains(processes, "pilot-agent wait") || strings.Contains(processes, "envoy") {
				t.Errorf("it does not wait:\n%s", processes)
			}
		})
	}
}

func TestAnAgentStartedByHandConnectsTheMesh(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Demo()
	get := func(from, to string) (string, error) {
		return c.TryKubectl("exec", "-n", namespace, from+"-0", "-c", "main-app", "--", "/app", "get", "http://"+to+"."+namespace+":8080/hello")
	}
	if out, err := get("fortio-server", "fortio-server-classic"); err == nil {
		t.Fatalf("a request got through while the sidecars are held:\n%s", out)
	}
	ready := c.Kubectl("get", "pod", "fortio-server-classic-0", "-n", namespace, "-o", `jsonpath={.status.conditions[?(@.type=="Ready")].status}`)
	if ready != "False" {
		t.Errorf("a held sidecar with its probes is ready: %q", ready)
	}
	for _, workload := range workloads {
		startAgent(c, namespace, workload+"-0")
		c.WaitReady(namespace, "pod/"+workload+"-0")
		certificates := c.Kubectl("exec", "-n", namespace, workload+"-0", "-c", "istio-proxy", "--", "pilot-agent", "request", "GET", "certs")
		if identity := "spiffe://cluster.local/ns/" + namespace + "/sa/default"; !strings.Contains(certificates, identity) {
			t.Errorf("%s has no certificate for %s:\n%s", workload, identity, certificates)
		}
	}
	for from, to := range map[string]string{"fortio-server": "fortio-server-classic", "fortio-server-classic": "fortio-server"} {
		out, err := get(from, to)
		if err != nil || !strings.Contains(out, "server: envoy") || !strings.Contains(out, "answered by "+to+"-0") {
			t.Errorf("from %s to %s: %v\n%s", from, to, err, out)
		}
	}
}

// distroless is a held sidecar with Istio's image without a shell.
const distroless = `
apiVersion: v1
kind: Pod
metadata:
  name: distroless
  annotations:
    sidecar.istio.io/proxyImageType: distroless
    sidecar.istio.io/nativeSidecar: "false"
    proxy.istio.io/overrides: |
      {"containers": [{
        "name": "istio-proxy",
        "command": ["/usr/local/bin/pilot-agent"],
        "args": ["wait", "--url", "http://127.0.0.1:1/", "--timeoutSeconds", "2147483"],
        "startupProbe": {"failureThreshold": 1000000}
      }]}
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - {name: main-app, image: "envoydbg.test/app:1", args: [serve, ":8080"]}
`

func TestASidecarWithoutAShellConnectsToo(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Namespace("istio-injection=enabled")
	c.ApplyIn(namespace, distroless)
	c.WaitRunning(namespace, "pod/distroless", "istio-proxy")
	if out, err := c.TryKubectl("exec", "-n", namespace, "distroless", "-c", "istio-proxy", "--", "sh", "-c", "true"); err == nil || !strings.Contains(err.Error(), "executable file not found") {
		t.Errorf("a shell in the image: %v: %s", err, out)
	}
	startAgent(c, namespace, "distroless")
	c.WaitReady(namespace, "pod/distroless")
}

// onNode is a pod in the node's own network.
const onNode = `
apiVersion: v1
kind: Pod
metadata:
  name: on-node
spec:
  hostNetwork: true
  terminationGracePeriodSeconds: 1
  containers:
    - {name: main, image: "envoydbg.test/proxyv2:1", command: [sleep, "3600"]}
`

func TestNoWayLeadsOutOfTheCluster(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Namespace()
	c.ApplyIn(namespace, onNode)
	c.WaitReady(namespace, "pod/on-node")
	ip := func(arguments ...string) []string {
		out := c.Kubectl(append([]string{"exec", "-n", namespace, "on-node", "--", "ip", "-oneline"}, arguments...)...)
		return strings.Split(strings.TrimSpace(out), "\n")
	}
	for _, link := range ip("link") {
		if name := strings.TrimSuffix(strings.Fields(link)[1], ":"); name != "lo" && name != "pods" && !strings.Contains(link, "master pods") {
			t.Errorf("the node has the interface %s", link)
		}
	}
	if routes := ip("route"); len(routes) != 1 || !strings.HasPrefix(routes[0], "10.244.0.0/16 dev pods ") {
		t.Errorf("the node has the routes %q", routes)
	}
}

// A container runtime, a kubelet or an API server that is killed comes back, and
// what runs in the pods goes on.
func TestAKilledPartComesBack(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Demo()
	inPod := []string{"exec", "-n", namespace, "fortio-server-0", "-c", "istio-proxy", "--", "true"}
	for _, part := range []string{"kube-apiserver", "kubelet", "containerd"} {
		t.Run(part, func(t *testing.T) {
			before := c.Kubectl("get", "pod", "fortio-server-0", "-n", namespace, "-o", "jsonpath={.metadata.uid} {.status.containerStatuses[*].restartCount}")
			c.Part("stop", part)
			if _, err := c.TryKubectl(inPod...); err == nil {
				t.Error("a command runs in the pod without it")
			}
			c.Part("start", part)
			c.Part("kill", part)
			c.Eventually(inPod...)
			after := c.Kubectl("get", "pod", "fortio-server-0", "-n", namespace, "-o", "jsonpath={.metadata.uid} {.status.containerStatuses[*].restartCount}")
			if before != after {
				t.Errorf("the pod was %q and is %q", before, after)
			}
		})
	}
}
