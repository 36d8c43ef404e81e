package stories_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/test/support/checkout"
	"github.com/envoydbg/envoydbg/test/support/cluster"
)

// withShell is the image that carries the helper in.
const withShell = "--debug-image=envoydbg.test/proxyv2:1"

// withoutShell makes a namespace with the held pod distroless.
func withoutShell(t *testing.T, c *cluster.Cluster) (namespace string) {
	t.Helper()
	namespace = c.Namespace("istio-injection=enabled")
	c.ApplyIn(namespace, distroless)
	c.WaitRunning(namespace, "pod/distroless", "istio-proxy")
	return namespace
}

// carriers are the ephemeral containers of a pod, as "IMAGE EXIT-CODE".
func carriers(t *testing.T, c *cluster.Cluster, namespace, pod string) (all []string) {
	t.Helper()
	text := c.Kubectl("get", "pod", pod, "-n", namespace, "-o", "json")
	var p struct {
		Status struct {
			EphemeralContainerStatuses []struct {
				Name, Image string
				State       struct{ Terminated *struct{ ExitCode int } }
			}
		}
	}
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		t.Fatal(err)
	}
	for _, s := range p.Status.EphemeralContainerStatuses {
		end := "has not ended"
		if s.State.Terminated != nil {
			end = fmt.Sprint(s.State.Terminated.ExitCode)
		}
		if strings.HasPrefix(s.Name, "envoydbg-") {
			all = append(all, s.Image+" "+end)
		}
	}
	return all
}

// The whole startup in a container that has nothing but Envoy and its agent: one
// ephemeral container carries the helper in, and ends; later sessions find it.
func TestASidecarWithoutAShellIsDebugged(t *testing.T) {
	c := cluster.Of(t)
	namespace := withoutShell(t, c)
	productOf(t, c, "22").debug(namespace, "pod/distroless", "-x", "quit").ends(1, "no shell", "--debug-image=envoydbg.test/proxyv2:1", "[ED1611]")
	if got := carriers(t, c, namespace, "distroless"); len(got) > 0 {
		t.Fatalf("an ephemeral container that nobody asked for: %q", got)
	}
	for i, lldb := range lldbs {
		t.Run("LLDB "+lldb, func(t *testing.T) {
			p := productOf(t, c, lldb)
			var lines []string
			if i == 0 {
				lines = []string{"has no shell", "stays listed in the pod"}
			}
			p.debug(namespace, "pod/distroless", withShell, "-x", "next", "-x", "p argc", "-x", "continue",
				"-x", "await starting main dispatch loop", "-x", "quit").
				ends(0, append(lines, "✓ preflight", "pod/distroless", "✓ debug server", "✓ attached", "before its first instruction", "● stopped at main",
					"Envoy::MainCommon::main", "main_common.cc:19", "● stopped: step over", "main_common.cc:20", "starting main dispatch loop",
					"nothing is left running")...)
			// It waits for the helper, which is there, so it is ended by now or in a moment.
			c.Kubectl("wait", "pod/distroless", "-n", namespace, "--timeout="+cluster.Limit.String(),
				"--for=jsonpath={.status.ephemeralContainerStatuses[0].state.terminated}")
			if got := carriers(t, c, namespace, "distroless"); len(got) != 1 || got[0] != "envoydbg.test/proxyv2:1 0" {
				t.Errorf("ephemeral containers: %q", got)
			}
		})
	}
	// All that needs a shell elsewhere is done by the helper.
	p := productOf(t, c, "22")
	s := p.debug(namespace, "pod/distroless", "-x", "await what never comes")
	s.until("● stopped at main")
	p.start("logs", "pod/distroless", "-n", namespace).ends(0, "Proxy role", "Starting proxy agent")
	p.start("clean", "pod/distroless", "-n", namespace).ends(1, "[ED1610]")
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	s.ends(130, "nothing is left running")
	p.start("clean", "pod/distroless", "-n", namespace).ends(0, "removed /var/lib/istio/data/.envoydbg")
	p.start("clean", "pod/distroless", "-n", namespace).ends(0, "nothing was there")
	p.start("logs", "pod/distroless", "-n", namespace).ends(1, "[ED1609]")
	c.Kubectl("debug", "pod/distroless", "-n", namespace, "--image=envoydbg.test/proxyv2:1", "--target=istio-proxy", "--container=look",
		"--", "sh", "-c", "ps -e -o args=; ls -A /proc/1/root/var/lib/istio/data")
	c.Kubectl("wait", "pod/distroless", "-n", namespace, "--timeout="+cluster.Limit.String(),
		`--for=jsonpath={.status.ephemeralContainerStatuses[?(@.name=="look")].state.terminated}`)
	left := c.Kubectl("logs", "pod/distroless", "-n", namespace, "-c", "look")
	if !strings.Contains(left, "pilot-agent wait") || strings.Contains(left, "envoy") || strings.Contains(left, "lldb") || strings.Contains(left, "proxy sidecar") {
		t.Errorf("left in the pod:\n%s", left)
	}
}

// The real Envoy of the image without a shell stops in main, and its sidecar turns ready.
func TestTheRealEnvoyWithoutAShellTurnsReady(t *testing.T) {
	c := cluster.Of(t)
	namespace := withoutShell(t, c)
	p := productOf(t, c, "22")
	s := p.start("run", "pod/distroless", "-n", namespace, "--lldb-dap", p.tool("tools/lldb-22/bin/lldb-dap"), withShell,
		"--program", p.tool("tools/envoy"), "-x", "continue", "-x", "await Envoy proxy is ready", "-x", "await the end of this test")
	s.until("● stopped at main")
	c.WaitReady(namespace, "pod/distroless")
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	s.ends(130, "nothing is left running")
}

// What keeps the ephemeral container from running is told at once, by what the cluster
// says of it.
func TestWhyAnEphemeralContainerDoesNotRun(t *testing.T) {
	c := cluster.Of(t)
	namespace := withoutShell(t, c)
	p := productOf(t, c, "22")
	debug := func(image string, more ...string) *session {
		return p.debug(namespace, "pod/distroless", append(more, "--debug-image="+image, "-x", "quit")...)
	}
	debug("envoydbg.test/app:1").ends(1, "sh: not in PATH", "[ED1613]")
	debug("no image: this").ends(1, "InvalidImageName", "[ED1613]")
	page, err := os.ReadFile(checkout.Path(t, "docs/security.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(page), "```yaml\n")
	role, _, _ := strings.Cut(blocks[1], "```")
	rule, _, _ := strings.Cut(blocks[2], "```")
	c.ApplyIn(namespace, role)
	c.Kubectl("create", "rolebinding", "envoydbg", "-n", namespace, "--role=envoydbg", "--user=jane")
	debug("envoydbg.test/proxyv2:1", "--as=jane").ends(1, `cannot patch resource "pods/ephemeralcontainers"`, "[ED1605]")
	c.ApplyIn(namespace, role+rule)
	c.Kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
	debug("envoydbg.test/proxyv2:1", "--as=jane").ends(1, "violates PodSecurity", "[ED1612]")
	c.Kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce-")
	debug("envoydbg.test/proxyv2:1", "--as=jane").ends(0, "✓ attached", "nothing is left running")
}

func TestAnImageThatCannotBePulledIsToldWhenTheKubeletTellsIt(t *testing.T) {
	c := cluster.Of(t)
	namespace := withoutShell(t, c)
	productOf(t, c, "22").debug(namespace, "pod/distroless", "--debug-image=nosuch.envoydbg.test/image:1", "-x", "quit").
		ends(1, "ImagePull", "nosuch.envoydbg.test", "[ED1613]")
}

// Where the two containers can have no volume in common, the helper goes by the root of the
// sidecar's first process.
func TestTheHelperIsCarriedInWithoutACommonVolume(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Namespace("istio-injection=enabled")
	c.ApplyIn(namespace, strings.Replace(distroless, `"startupProbe"`,
		`"volumeMounts": [{"name": "istio-data", "mountPath": "/var/lib/istio/data", "subPath": "below"}],
        "startupProbe"`, 1))
	c.WaitRunning(namespace, "pod/distroless", "istio-proxy")
	if got := c.Kubectl("get", "pod", "distroless", "-n", namespace, "-o", "jsonpath={.spec.containers[*].volumeMounts[*].subPath}"); got != "below" {
		t.Fatalf("the sub-path is %q", got)
	}
	productOf(t, c, "22").debug(namespace, "pod/distroless", withShell, "-x", "next", "-x", "quit").
		ends(0, "✓ attached", "● stopped at main", "main_common.cc:20", "nothing is left running")
}

// lldb-server can come from an image, too: nothing large leaves this machine, and nothing is
// made again for a second session.
func TestLLDBServerOfAnImageDebugsASidecar(t *testing.T) {
	c := cluster.Of(t)
	namespace := withoutShell(t, c)
	fromImage := []string{"--debug-image=envoydbg.test/lldb:22", "--lldb-server=image:/usr/lib/llvm-22/bin/lldb-server"}
	p := productOf(t, c, "22")
	for range 2 {
		s := p.debug(namespace, "pod/distroless", append(fromImage, "-x", "next", "-x", "quit")...)
		s.ends(0, "✓ debug server", "lldb-server 22.", "✓ attached", "● stopped at main", "main_common.cc:20", "nothing is left running")
		if text := s.text(); strings.Contains(text, "uploading") {
			t.Errorf("something large was brought from here:\n%s", text)
		}
		if got := carriers(t, c, namespace, "distroless"); len(got) != 2 {
			t.Errorf("ephemeral containers, one for the helper and one for lldb-server: %q", got)
		}
	}
	p.start("clean", "pod/distroless", "-n", namespace).ends(0, "removed")
	productOf(t, c, "19").debug(namespace, "pod/distroless", append(fromImage, "-x", "quit")...).ends(1, "is version 22.", "lldb-dap is 19.", "[ED1616]")
}

// strict is a held sidecar of a namespace with a pod security level. It redirects nothing:
// what sets that up needs rights that no such level gives.
const strict = `
apiVersion: v1
kind: Pod
metadata:
  name: strict
  annotations:
    sidecar.istio.io/interceptionMode: NONE
    sidecar.istio.io/proxyImageType: IMAGETYPE
    sidecar.istio.io/nativeSidecar: "NATIVE"
    status.sidecar.istio.io/port: "0"
    sidecar.istio.io/rewriteAppHTTPProbers: "false"
    proxy.istio.io/overrides: |
      {"CONTAINERS": [{
        "name": "istio-proxy",
        "command": ["/usr/local/bin/pilot-agent"],
        "args": ["wait", "--url", "http://127.0.0.1:1/", "--timeoutSeconds", "2147483"],
        "securityContext": {"runAsUser": USER, "runAsGroup": GROUP, "runAsNonRoot": true, "readOnlyRootFilesystem": true,
          "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}
      }]}
spec:
  terminationGracePeriodSeconds: 1
  securityContext: {seccompProfile: {type: RuntimeDefault}, runAsNonRoot: true}
  containers:
    - name: main-app
      image: envoydbg.test/app:1
      args: [serve, ":8080"]
      securityContext: {runAsUser: 1000, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
`

// A sidecar is debugged with nothing but the rights that its namespace's pod security level
// gives it, whoever its user is: Istio's, or one of a range of OpenShift's with the group 0.
func TestEachPodSecurityLevelIsEnough(t *testing.T) {
	c := cluster.Of(t)
	for _, x := range []struct {
		level, image, native, user, group, lldb string
	}{
		{"baseline", "default", "false", "1337", "1337", "22"},
		{"baseline", "distroless", "true", "1000650000", "0", "19"},
		{"restricted", "default", "true", "1000650000", "0", "19"},
		{"restricted", "distroless", "false", "1000650000", "0", "22"},
		{"restricted", "distroless", "true", "1337", "1337", "22"},
	} {
		t.Run(strings.Join([]string{x.level, x.image, "native " + x.native, "user " + x.user}, ", "), func(t *testing.T) {
			namespace := cluster.Of(t).Namespace("istio-injection=enabled", "pod-security.kubernetes.io/enforce="+x.level)
			containers := map[string]string{"true": "initContainers", "false": "containers"}[x.native]
			c.ApplyIn(namespace, strings.NewReplacer("IMAGETYPE", x.image, "NATIVE", x.native, "CONTAINERS", containers, "USER", x.user, "GROUP", x.group).Replace(strict))
			c.WaitRunning(namespace, "pod/strict", "main-app")
			productOf(t, c, x.lldb).debug(namespace, "pod/strict", withShell, "-x", "next", "-x", "quit").
				ends(0, "✓ attached", "● stopped at main", "main_common.cc:19", "main_common.cc:20", "nothing is left running")
		})
	}
}
