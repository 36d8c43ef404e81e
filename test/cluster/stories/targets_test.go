package stories_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/envoydbg/envoydbg/test/support/cluster"
)

// workload is a manifest of a workload of a kind with pods that have a container
// istio-proxy, which nothing runs in.
func workload(version, kind, name, more, restart string) string {
	selector := fmt.Sprintf("  selector: {matchLabels: {app: %s}}\n", name)
	if kind == "Job" {
		selector = "" // its controller makes one
	}
	return fmt.Sprintf(`
apiVersion: %s
kind: %s
metadata: {name: %s}
spec:
%s%s  template:
    metadata: {labels: {app: %s}}
    spec:
      terminationGracePeriodSeconds: 1
      restartPolicy: %s
      containers:
        - name: istio-proxy
          image: envoydbg.test/proxyv2:1
          command: [pilot-agent, wait, --url, "http://127.0.0.1:1/", --timeoutSeconds, "2147483"]
`, version, kind, name, selector, more, name, restart)
}

// Every kind of workload, and a label selector, lead to their pod.
func TestATargetIsWhatKubectlTakes(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Namespace()
	for _, manifest := range []string{
		workload("apps/v1", "Deployment", "web", "", "Always"),
		workload("apps/v1", "Deployment", "many", "  replicas: 2\n", "Always"),
		workload("apps/v1", "DaemonSet", "every-node", "", "Always"),
		workload("batch/v1", "Job", "once", "", "Never"),
	} {
		c.ApplyIn(namespace, manifest)
	}
	for _, app := range []string{"web", "many", "every-node", "once"} {
		c.Kubectl("wait", "-n", namespace, "pod", "-l", "app="+app, "--for=create", "--timeout="+cluster.Limit.String())
		c.Kubectl("wait", "-n", namespace, "pod", "-l", "app="+app, "--for=condition=Ready", "--timeout="+cluster.Limit.String())
	}
	p := productOf(t, c, "22")
	for target, app := range map[string]string{
		"deployment/web": "web", "deploy/web": "web", "deployments.apps/web": "web", "daemonset/every-node": "every-node", "ds/every-node": "every-node",
		"job/once": "once", "app=web": "web", "app in (web), app!=many": "web",
	} {
		name := strings.TrimPrefix(strings.TrimSpace(c.Kubectl("get", "pod", "-n", namespace, "-l", "app="+app, "-o", "name")), "pod/")
		p.doctor(target, "-n", namespace).ends(0, name+" on node node")
	}
	// More than one is a choice to be made.
	p.debug(namespace, "deployment/many", "-x", "quit").ends(1, "pod/many-", "pod/many-", "[ED1603]")
}

// doctor runs the checks of a target.
func (p *product) doctor(target string, more ...string) *session {
	p.t.Helper()
	return p.start(append([]string{"doctor", target, "--lldb-dap", p.tool("tools/lldb-" + p.lldb + "/bin/lldb-dap")}, more...)...)
}

// The way to the API server is kubectl's: a user who comes from a program, in a
// kubeconfig of its own, through a proxy.
func TestTheWayToTheClusterIsKubectls(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Demo()
	dir := t.TempDir()
	text, err := os.ReadFile(c.Kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	var whole map[string]any
	if err := yaml.Unmarshal(text, &whole); err != nil {
		t.Fatal(err)
	}
	user := entry(whole, "users", "user")

	// The certificate and key of the user come from a program.
	credential, err := yaml.Marshal(map[string]any{
		"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
		"status": map[string]any{"clientCertificateData": decoded(t, user["client-certificate-data"]), "clientKeyData": decoded(t, user["client-key-data"])},
	})
	if err != nil {
		t.Fatal(err)
	}
	if credential, err = yaml.YAMLToJSON(credential); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "credential.json")
	if err := os.WriteFile(file, credential, 0o600); err != nil {
		t.Fatal(err)
	}
	var passed atomic.Int32
	proxy := httptest.NewServer(connectProxy(&passed))
	defer proxy.Close()
	server := entry(whole, "clusters", "cluster")
	server["proxy-url"] = proxy.URL
	// One file has the cluster and the context, the other one the user.
	users := map[string]any{"apiVersion": "v1", "kind": "Config", "users": []any{map[string]any{
		"name": whole["users"].([]any)[0].(map[string]any)["name"],
		"user": map[string]any{"exec": map[string]any{"apiVersion": "client.authentication.k8s.io/v1", "command": "cat", "args": []string{file}, "interactiveMode": "Never"}},
	}}}
	delete(whole, "users")
	var paths []string
	for name, content := range map[string]any{"cluster": whole, "users": users} {
		b, err := yaml.Marshal(content)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, filepath.Join(dir, name))
		if err := os.WriteFile(paths[len(paths)-1], b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := productOf(t, c, "22")
	p.kubeconfig = strings.Join(paths, string(os.PathListSeparator))
	p.debug(namespace, "pod/fortio-server-0", "-x", "quit").ends(0, "✓ attached", "nothing is left running")
	if passed.Load() == 0 {
		t.Error("nothing went through the proxy")
	}
	parked(t, c, namespace, "fortio-server-0")
}

// entry is the first of a list in a kubeconfig, without its name.
func entry(config map[string]any, list, inner string) map[string]any {
	return config[list].([]any)[0].(map[string]any)[inner].(map[string]any)
}

// decoded is a value of a kubeconfig that is kept in base64.
func decoded(t *testing.T, value any) string {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(value.(string))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// connectProxy is an HTTP proxy that knows CONNECT, as they are for TLS.
func connectProxy(passed *atomic.Int32) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			http.Error(w, "CONNECT only", http.StatusMethodNotAllowed)
			return
		}
		far, err := net.Dial("tcp", r.Host)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer far.Close()
		near, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer near.Close()
		passed.Add(1)
		_, _ = io.WriteString(near, "HTTP/1.1 200 OK\r\n\r\n")
		go func() {
			_, _ = io.Copy(far, near)
			_ = far.Close()
		}()
		_, _ = io.Copy(near, far)
	})
}

// What is no target is told as that.
func TestWhatIsNoTargetInTheCluster(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Demo()
	p := productOf(t, c, "22")
	for target, want := range map[string]string{
		"pod/nothing":                    "[ED1602]",
		"deployment/nothing":             "[ED1602]",
		"pod/fortio-server-0 -c main-ap": "[ED1604]",
	} {
		s := p.debug(namespace, strings.Fields(target)[0], append(strings.Fields(target)[1:], "-x", "quit")...)
		s.ends(1, want)
	}
}
