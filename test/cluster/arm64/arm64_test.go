package arm64_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/test/support/checkout"
	"github.com/envoydbg/envoydbg/test/support/cluster"
	"github.com/envoydbg/envoydbg/test/support/pidns"
)

func TestMain(m *testing.M) { pidns.Main(m, cluster.UpWithArm64) }

// limit bounds a session.
const limit = 10 * time.Minute

// pod is the pod on the node.
const pod = "on-arm64"

// The lldb-server of this machine is none for that node, which is told before anything is
// brought. With one of a debug image, and the helper for arm64 placed by exec, the startup
// goes on to main and beyond, and nothing is left.
func TestASidecarOnAnArm64NodeIsDebugged(t *testing.T) {
	c := cluster.Of(t)
	namespace := held(t, c)
	out, code := envoydbg(t, c, "22", namespace, "-x", "quit")
	if code != 1 || strings.Contains(out, "uploading") {
		t.Errorf("exit code %d, want 1, and no upload:\n%s", code, out)
	}
	inOrder(t, out, "is for amd64, but the node of", "is arm64", "--debug-image", "[ED1615]")
	parked(t, c, namespace)
	for _, version := range []string{"19", "22"} {
		t.Run("LLDB "+version, func(t *testing.T) {
			out, _ := envoydbg(t, c, version, namespace,
				"--lldb-server", "image:/usr/lib/llvm-"+version+"/bin/lldb-server", "--debug-image", "envoydbg.test/lldb:"+version,
				"-x", "bt", "-x", "next", "-x", "p argc", "-x", "continue", "-x", "await starting main dispatch loop", "-x", "quit")
			inOrder(t, out, "✓ preflight", "pod/"+pod, "✓ debug server", "✓ armed", "✓ agent started", "✓ attached",
				"before its first instruction", "✓ breakpoints", "● stopped at main", "Envoy::MainCommon::main", "test/sample/source/exe/main_common.cc:19",
				"● stopped: step over", "main_common.cc:20", "starting main dispatch loop")
			// Such a machine may need longer for the end than a session waits. That says
			// so then (ED1905), and the helper ends the rest.
			if !strings.Contains(out, "nothing is left running") && !strings.Contains(out, "[ED1905]") {
				t.Errorf("it did not end as it should:\n%s", out)
			}
			parked(t, c, namespace)
		})
	}
}

// held makes a pod on the node, with the containers of a held sidecar that Istio has
// injected, and returns its namespace.
func held(t *testing.T, c *cluster.Cluster) (namespace string) {
	t.Helper()
	namespace = c.Demo()
	var injected struct {
		Spec map[string]any `json:"spec"`
	}
	if err := json.Unmarshal([]byte(c.Kubectl("get", "pod", "fortio-server-classic-0", "-n", namespace, "-o", "json")), &injected); err != nil {
		t.Fatal(err)
	}
	delete(injected.Spec, "nodeName")
	delete(injected.Spec, "initContainers")
	injected.Spec["nodeSelector"] = map[string]string{"kubernetes.io/arch": "arm64"}
	injected.Spec["tolerations"] = []map[string]string{{"key": "kubernetes.io/arch", "operator": "Exists"}}
	text, err := json.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Pod",
		"metadata": map[string]any{"name": pod, "annotations": map[string]string{"sidecar.istio.io/inject": "false"}},
		"spec":     injected.Spec,
	})
	if err != nil {
		t.Fatal(err)
	}
	c.ApplyIn(namespace, string(text))
	c.WaitRunning(namespace, "pod/"+pod, "istio-proxy")
	return namespace
}

// envoydbg runs a session in the pod, with the sample, and returns what it has printed.
func envoydbg(t *testing.T, c *cluster.Cluster, version, namespace string, more ...string) (out string, code int) {
	t.Helper()
	root, err := checkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	bin := func(path string) string { return filepath.Join(root, "bin", path) }
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, bin("envoydbg"), append([]string{"run", "pod/" + pod, "-n", namespace,
		"--lldb-dap", bin("tools/lldb-" + version + "/bin/lldb-dap"), "--work-tree", filepath.Join(root, "test/sample"),
		"--program", bin("tools/arm64-sample/envoy.debug"), "--envoy-path", "/usr/local/bin/envoy-sample", "--set", "startTimeout=300"}, more...)...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+c.Kubeconfig())
	text, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil || ctx.Err() != nil {
		t.Fatalf("%v after %v:\n%s", err, limit, text)
	}
	return string(text), cmd.ProcessState.ExitCode()
}

// parked checks that nothing runs in the sidecar but what parks it. Its image has busybox.
func parked(t *testing.T, c *cluster.Cluster, namespace string) {
	t.Helper()
	out := ""
	for deadline := time.Now().Add(cluster.Limit); time.Now().Before(deadline); time.Sleep(time.Second) {
		out = c.Kubectl("exec", "-n", namespace, pod, "-c", "istio-proxy", "--", "ps", "-o", "stat,args")
		left := false
		for line := range strings.Lines(out) {
			// The process that parks the sidecar waits for no child: what has ended stays a zombie.
			left = left || !strings.HasPrefix(line, "Z") &&
				(strings.Contains(line, "envoy") || strings.Contains(line, "lldb") || strings.Contains(line, "proxy sidecar"))
		}
		if !left {
			return
		}
	}
	t.Errorf("left in the pod:\n%s", out)
}

// inOrder checks that the texts are there, each behind the one before.
func inOrder(t *testing.T, out string, texts ...string) {
	t.Helper()
	rest := out
	for _, text := range texts {
		_, after, found := strings.Cut(rest, text)
		if !found {
			t.Errorf("no %q in its place in\n%s", text, out)
			return
		}
		rest = after
	}
}
