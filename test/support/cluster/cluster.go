package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/test/support/checkout"
	"github.com/envoydbg/envoydbg/test/support/relay"
	"sigs.k8s.io/yaml"
)

// Limit bounds what a test waits for in the cluster.
const Limit = 60 * time.Second

// upLimit bounds the start of the cluster, of which an arm64 node takes minutes.
const upLimit = 8 * time.Minute

// shared is the cluster of the process's tests; Up sets it.
var shared struct {
	root, kubeconfig, folder string
	relay                    *relay.Relay
	err                      error
}

// Up starts the cluster and makes a way to it. It is for pidns.Main. When it fails,
// so does each test that calls Of.
func Up() (tearDown func()) { return upWith("up") }

// UpWithArm64 is Up for a cluster with an arm64 node.
func UpWithArm64() (tearDown func()) { return upWith("up", "--arm64") }

func upWith(command ...string) (tearDown func()) {
	started, err := up(command...)
	shared.err = err
	return func() {
		if shared.relay != nil {
			shared.relay.Close()
		}
		os.RemoveAll(shared.folder)
		if !started {
			return
		}
		if out, err := control(context.Background(), "down"); err != nil {
			fmt.Fprintf(os.Stderr, "cluster down: %v: %s\n", err, out)
		}
	}
}

func up(command ...string) (started bool, err error) {
	if shared.root, err = checkout.Root(); err != nil {
		return false, err
	}
	_, wasDown := control(context.Background(), "status")
	ctx, cancel := context.WithTimeout(context.Background(), upLimit)
	defer cancel()
	out, err := control(ctx, command...)
	if err != nil {
		return false, fmt.Errorf("cluster up: %w: %s", err, out)
	}
	started = wasDown != nil
	_, path, found := strings.Cut(out, "export KUBECONFIG=")
	if !found {
		return started, fmt.Errorf("cluster up names no kubeconfig: %s", out)
	}
	if shared.folder, err = os.MkdirTemp("", "cluster-"); err != nil {
		return started, err
	}
	return started, connect(strings.TrimSpace(path))
}

// control runs the command bin/cluster.
func control(ctx context.Context, arguments ...string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(shared.root, "bin/cluster"), arguments...)
	cmd.Dir = shared.root
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// connect writes a kubeconfig that leads through a relay of this process.
func connect(kubeconfig string) error {
	text, err := os.ReadFile(kubeconfig)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	socket := filepath.Join(filepath.Dir(kubeconfig), "api.sock")
	shared.relay = relay.Start(listener, func() (net.Conn, error) { return net.Dial("unix", socket) })
	var config map[string]any
	if err := yaml.Unmarshal(text, &config); err != nil {
		return err
	}
	clusters, _ := config["clusters"].([]any)
	if len(clusters) != 1 {
		return fmt.Errorf("%s has %d clusters, want one", kubeconfig, len(clusters))
	}
	clusters[0].(map[string]any)["cluster"].(map[string]any)["server"] = "https://" + listener.Addr().String()
	if text, err = yaml.Marshal(config); err != nil {
		return err
	}
	shared.kubeconfig = filepath.Join(shared.folder, "kubeconfig")
	return os.WriteFile(shared.kubeconfig, text, 0o600)
}

// Cluster is the cluster as one test sees it.
type Cluster struct {
	tb         testing.TB
	namespaces []string // to be printed when the test fails
}

// Of returns the cluster. It ends the test when the cluster could not be started.
func Of(tb testing.TB) *Cluster {
	tb.Helper()
	if shared.err != nil || shared.kubeconfig == "" {
		tb.Fatalf("there is no cluster: %v", errors.Join(shared.err))
	}
	c := &Cluster{tb: tb}
	tb.Cleanup(func() {
		if tb.Failed() {
			c.print()
		}
	})
	return c
}

// Kubeconfig is the path of an administrator's kubeconfig.
func (c *Cluster) Kubeconfig() string { return shared.kubeconfig }

// Cut ends all of the tests' connections to the API server; new ones are accepted.
func (c *Cluster) Cut() { shared.relay.Cut() }

// Part kills, stops or starts a part of the cluster, such as "kubelet", and returns
// when that part has ended, or has been told to start. One that was stopped is started
// again at the test's end.
func (c *Cluster) Part(do, name string) {
	c.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Limit)
	defer cancel()
	if out, err := control(ctx, do, name); err != nil {
		c.tb.Fatalf("cluster %s %s: %v: %s", do, name, err, out)
	}
	if do == "stop" {
		c.tb.Cleanup(func() { c.Part("start", name) })
	}
}

// Namespace makes a namespace for this test alone, with these labels, such as
// "istio-injection=enabled". It is deleted when the test has ended.
func (c *Cluster) Namespace(labels ...string) string {
	c.tb.Helper()
	name := "test-" + strings.ToLower(strings.Map(func(r rune) rune {
		if ('a' <= r && r <= 'z') || ('A' <= r && r <= 'Z') || ('0' <= r && r <= '9') {
			return r
		}
		return '-'
	}, c.tb.Name()))
	name = strings.Trim(name[:min(len(name), 50)], "-") + fmt.Sprintf("-%x", time.Now().UnixNano()&0xffffff)
	c.Kubectl("create", "namespace", name)
	c.tb.Cleanup(func() { c.Kubectl("delete", "namespace", name, "--wait=false") })
	if len(labels) > 0 {
		c.Kubectl(append([]string{"label", "namespace", name}, labels...)...)
	}
	// A pod without its account is refused, and one without Istio's certificate waits
	// for it in steps that double.
	c.Kubectl("wait", "serviceaccount/default", "-n", name, "--for=create", "--timeout="+Limit.String())
	c.Kubectl("wait", "configmap/istio-ca-root-cert", "-n", name, "--for=create", "--timeout="+Limit.String())
	return name
}

// Kubectl runs kubectl as an administrator and returns what it prints on standard
// output. Its failure is the test's.
func (c *Cluster) Kubectl(arguments ...string) string {
	c.tb.Helper()
	return c.run("", arguments)
}

// TryKubectl is Kubectl for a command that may fail. The error has what it printed
// on standard error.
func (c *Cluster) TryKubectl(arguments ...string) (string, error) {
	return c.try("", arguments)
}

// Eventually runs kubectl until it succeeds, and ends the test when it has not
// within Limit. It is for the time after Part.
func (c *Cluster) Eventually(arguments ...string) string {
	c.tb.Helper()
	for deadline := time.Now().Add(Limit); ; time.Sleep(100 * time.Millisecond) {
		out, err := c.TryKubectl(arguments...)
		if err == nil {
			return out
		}
		if time.Now().After(deadline) {
			c.tb.Fatalf("not within %v: %v", Limit, err)
		}
	}
}

// Apply creates or changes the objects of a manifest.
func (c *Cluster) Apply(manifest string) {
	c.tb.Helper()
	c.run(manifest, []string{"apply", "--server-side", "-f", "-"})
}

// ApplyIn is Apply for objects that name no namespace.
func (c *Cluster) ApplyIn(namespace, manifest string) {
	c.tb.Helper()
	c.run(manifest, []string{"apply", "--server-side", "-n", namespace, "-f", "-"})
}

// Demo makes a namespace with the workloads of test/cluster/manifests/demo.yaml: the
// StatefulSets fortio-server and fortio-server-classic. It returns when the containers
// of their pods, NAME-0, run, with the sidecars held.
func (c *Cluster) Demo() (namespace string) {
	c.tb.Helper()
	text, err := os.ReadFile(filepath.Join(shared.root, "test/cluster/manifests/demo.yaml"))
	if err != nil {
		c.tb.Fatal(err)
	}
	namespace = c.Namespace()
	c.Apply(strings.ReplaceAll(string(text), ": demo\n", ": "+namespace+"\n"))
	c.WaitReady(namespace, "pod/fortio-server-0")
	c.WaitRunning(namespace, "pod/fortio-server-classic-0", "main-app", "istio-proxy")
	return namespace
}

// WaitRunning waits until what is named like "pod/NAME" exists and these of its
// containers run, ready or not.
func (c *Cluster) WaitRunning(namespace, name string, containers ...string) {
	c.tb.Helper()
	c.Kubectl("wait", "-n", namespace, name, "--for=create", "--timeout="+Limit.String())
	for _, container := range containers {
		c.Kubectl("wait", "-n", namespace, name, "--timeout="+Limit.String(),
			`--for=jsonpath={.status.containerStatuses[?(@.name=="`+container+`")].state.running}`)
	}
}

// WaitReady waits until what is named like "pod/NAME" exists and is ready.
func (c *Cluster) WaitReady(namespace, name string) {
	c.tb.Helper()
	c.Kubectl("wait", "-n", namespace, name, "--for=create", "--timeout="+Limit.String())
	c.Kubectl("wait", "-n", namespace, name, "--for=condition=Ready", "--timeout="+Limit.String())
}

// Post sends an object to a path of the API.
func (c *Cluster) Post(path, object string) {
	c.tb.Helper()
	c.run(object, []string{"create", "--raw", path, "-f", "-"})
}

func (c *Cluster) run(input string, arguments []string) string {
	c.tb.Helper()
	out, err := c.try(input, arguments)
	if err != nil {
		c.tb.Fatal(err)
	}
	return out
}

func (c *Cluster) try(input string, arguments []string) (string, error) {
	c.note(arguments)
	// The command's own time-out speaks first.
	ctx, cancel := context.WithTimeout(context.Background(), Limit+30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(shared.root, "bin/tools/kubectl"), arguments...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+shared.kubeconfig)
	cmd.Stdin = strings.NewReader(input)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("kubectl %s: %w: %s%s", strings.Join(arguments, " "), err, &stdout, &stderr)
	}
	return stdout.String(), nil
}

// note keeps the namespace that a command names.
func (c *Cluster) note(arguments []string) {
	i := slices.Index(arguments, "-n")
	if i >= 0 && i+1 < len(arguments) && !slices.Contains(c.namespaces, arguments[i+1]) {
		c.namespaces = append(c.namespaces, arguments[i+1])
	}
}

// print shows what helps to see why the test failed.
func (c *Cluster) print() {
	for _, namespace := range slices.Clone(c.namespaces) {
		for _, arguments := range [][]string{
			{"get", "pods", "-n", namespace, "-o", "wide"},
			{"get", "events", "-n", namespace, "--sort-by=.metadata.creationTimestamp"},
			{"logs", "-n", namespace, "--all-containers", "--prefix", "--tail=20", "--selector=!none"},
		} {
			out, err := c.try("", arguments)
			c.tb.Logf("kubectl %s: %v\n%s", strings.Join(arguments, " "), err, out)
		}
	}
}
