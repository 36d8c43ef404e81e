package stories_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/test/support/cluster"
)

// unprepared is a workload whose pods nobody has prepared: the injector adds a sidecar, which
// starts Envoy. more are lines of its specification, annotations those of its template.
func unprepared(kind, name, more, annotations string) string {
	version := map[bool]string{true: "batch/v1", false: "apps/v1"}[kind == "Job"]
	selector := fmt.Sprintf("  selector: {matchLabels: {app: %s}}\n", name)
	restart := "Always"
	if kind == "Job" {
		selector, restart = "", "Never"
	}
	return fmt.Sprintf(`
apiVersion: v1
kind: Service
metadata: {name: %[3]s}
spec: {selector: {app: %[3]s}, ports: [{name: http, port: 8080}]}
---
apiVersion: %[1]s
kind: %[2]s
metadata: {name: %[3]s}
spec:
%[4]s%[5]s  template:
    metadata: {labels: {app: %[3]s}, annotations: {%[6]s}}
    spec:
      terminationGracePeriodSeconds: 1
      restartPolicy: %[7]s
      containers:
        - name: main-app
          image: envoydbg.test/app:1
          args: [serve, ":8080"]
          ports: [{containerPort: 8080}]
          livenessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
`, version, kind, name, selector, more, annotations, restart)
}

const (
	nativeSidecar  = `sidecar.istio.io/nativeSidecar: "true"`
	classicSidecar = `sidecar.istio.io/nativeSidecar: "false"`
)

// unpreparedStatefulSet is a ready StatefulSet fortio with a pod fortio-0.
func unpreparedStatefulSet(c *cluster.Cluster, sidecar string) (namespace string) {
	namespace = c.Namespace("istio-injection=enabled")
	c.ApplyIn(namespace, unprepared("StatefulSet", "fortio", "  serviceName: fortio\n", sidecar))
	c.WaitReady(namespace, "pod/fortio-0")
	return namespace
}

// contents are the workloads and pods of a namespace, without what the cluster itself
// counts and reports.
func contents(t *testing.T, c *cluster.Cluster, namespace string) map[string]string {
	t.Helper()
	var list struct {
		Items []map[string]any `json:"items"`
	}
	if err := json.Unmarshal([]byte(c.Kubectl("get", "statefulsets,deployments,daemonsets,jobs,pods,services", "-n", namespace, "-o", "json")), &list); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, o := range list.Items {
		metadata := o["metadata"].(map[string]any)
		delete(o, "status")
		for _, name := range []string{"resourceVersion", "managedFields", "generation"} {
			delete(metadata, name)
		}
		if annotations, ok := metadata["annotations"].(map[string]any); ok {
			delete(annotations, "deployment.kubernetes.io/revision")
			delete(annotations, "deprecated.daemonset.template.generation")
		}
		b, err := json.MarshalIndent(o, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		all[fmt.Sprint(o["kind"], "/", metadata["name"])] = string(b)
	}
	return all
}

// unchanged checks that a namespace has what it had, once what was deleted is gone.
func unchanged(t *testing.T, c *cluster.Cluster, namespace string, before map[string]string) {
	t.Helper()
	c.Kubectl("wait", "pod", "-n", namespace, "-l", "envoydbg.dev/hold", "--for=delete", "--timeout="+cluster.Limit.String())
	after := contents(t, c, namespace)
	if !slices.Equal(slices.Sorted(maps.Keys(before)), slices.Sorted(maps.Keys(after))) {
		t.Errorf("there were %q, there are %q", slices.Sorted(maps.Keys(before)), slices.Sorted(maps.Keys(after)))
	}
	for name := range before {
		if after[name] != before[name] {
			t.Errorf("%s was\n%s\nand is\n%s", name, before[name], after[name])
		}
	}
}

// copies are the names of the held copies in a namespace.
func copies(c *cluster.Cluster, namespace string) []string {
	return strings.Fields(c.Kubectl("get", "pods", "-n", namespace, "-l", "envoydbg.dev/hold=copy", "-o", "name"))
}

// hold makes a held copy and returns its name, as pod/NAME.
func (p *product) hold(namespace, target string, more ...string) string {
	p.t.Helper()
	s := p.start(append([]string{"hold", target, "-n", namespace}, more...)...)
	s.ends(0, "is held until")
	_, rest, _ := strings.Cut(s.text(), "\npod/")
	for _, line := range strings.Split(s.text(), "\n") {
		if strings.HasPrefix(line, "pod/") && strings.Contains(line, " is held until") {
			name, _, _ := strings.Cut(line, " ")
			return name
		}
	}
	p.t.Fatalf("no name in %s (%s)", s.text(), rest)
	return ""
}
