package stories_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

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
