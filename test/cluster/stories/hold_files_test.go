package stories_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/kube/hold"
	"github.com/envoydbg/envoydbg/test/support/cluster"
)

// webManifest is a workload as its owner keeps it.
const webManifest = `# kept in a repository
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  selector: {matchLabels: {app: web}} # in one line
  template:
    metadata:
      labels:
        app: web
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - {name: main-app, image: "envoydbg.test/app:1", args: [serve, ":8080"]}
`

// The held form of a manifest is applied: its pod waits, and release makes the workload what
// the manifest says.
func TestAHeldManifestIsAppliedAndReleased(t *testing.T) {
	c := cluster.Of(t)
	p := productOf(t, c, "22")
	namespace := c.Namespace("istio-injection=enabled")
	c.ApplyIn(namespace, webManifest)
	c.Kubectl("rollout", "status", "deployment/web", "-n", namespace, "--timeout="+cluster.Limit.String())
	spec := func() string {
		return c.Kubectl("get", "deployment/web", "-n", namespace, "-o", "jsonpath={.spec.template}{.metadata.labels}")
	}
	before := spec()
	file := filepath.Join(t.TempDir(), "web.yaml")
	if err := os.WriteFile(file, []byte(webManifest), 0o600); err != nil {
		t.Fatal(err)
	}
	p.start("hold", "-f", file, "-n", namespace, "--dry-run=server").ends(0, "envoydbg.dev/hold", "progressDeadlineSeconds")
	if now := spec(); now != before {
		t.Fatalf("a dry run has changed it:\n%s\n%s", before, now)
	}
	s := p.start("hold", "-f", file)
	s.ends(0, "# kept in a repository", "selector: {matchLabels: {app: web}} # in one line", "proxy.istio.io/overrides")
	_, held, _ := strings.Cut(s.text(), "is held\n")
	if !strings.HasPrefix(held, "# kept") {
		held, _, _ = strings.Cut(s.text(), file)
	}
	c.ApplyIn(namespace, held)
	c.Kubectl("rollout", "status", "deployment/web", "-n", namespace, "--timeout="+cluster.Limit.String())
	p.start("status", "-n", namespace).ends(0, "web")
	p.start("agent", "status", "deployment/web", "-n", namespace).ends(0, "parked")
	p.start("release", "deployment/web", "-n", namespace).ends(0)
	if now := spec(); now != before {
		t.Errorf("it was\n%s\nand is\n%s", before, now)
	}
}

// onceManifest has a Job and a pod, whose templates cannot be changed once they are there.
const onceManifest = `apiVersion: v1
kind: List
items:
- apiVersion: batch/v1
  kind: Job
  metadata: {name: once} # a job
  spec:
    template:
      metadata: {annotations: {sidecar.istio.io/nativeSidecar: "true"}}
      spec:
        restartPolicy: Never
        terminationGracePeriodSeconds: 1
        containers: [{name: main-app, image: "envoydbg.test/app:1", args: [serve, ":8080"]}]
- apiVersion: v1
  kind: Pod
  metadata: {name: alone, annotations: {sidecar.istio.io/nativeSidecar: "false"}}
  spec:
    terminationGracePeriodSeconds: 1
    containers: [{name: main-app, image: "envoydbg.test/app:1", args: [serve, ":8080"]}]
`

// They come up waiting, too, and are debugged as they are.
func TestAHeldJobAndPodAreDebugged(t *testing.T) {
	c := cluster.Of(t)
	p := productOf(t, c, "22")
	namespace := c.Namespace("istio-injection=enabled")
	documents, err := hold.Manifest(onceManifest, hold.WorkloadOptions{Who: "ann@laptop", Container: "istio-proxy", Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	c.ApplyIn(namespace, documents[0].Text)
	c.WaitRunning(namespace, "pod/alone", "main-app", "istio-proxy")
	c.Kubectl("wait", "pod", "-n", namespace, "-l", "job-name=once", "--for=jsonpath={.status.phase}=Running", "--timeout="+cluster.Limit.String())
	for _, target := range []string{"job/once", "pod/alone"} {
		t.Run(target, func(t *testing.T) {
			p.debug(namespace, target, "-x", "bt", "-x", "quit").ends(0, "before its first instruction", "● stopped at main", "nothing is left running")
		})
	}
	p.start("status").ends(0, "nothing is held") // what is to be deleted is nobody's to release
}
