package command

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const service = "kind: Service   # as it was\nmetadata: {name: web}\n"

const deployment = `kind: Deployment
metadata: {name: web}
spec:
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [] # none
`

// holdManifests runs hold with manifests.
func holdManifests(t *testing.T, stdin string, args ...string) (out, errs string, err error) {
	t.Helper()
	root := newRoot(targetOf)
	var stdout, stderr bytes.Buffer
	root.SetArgs(append([]string{"hold"}, args...))
	root.SetIn(strings.NewReader(stdin))
	root.SetOut(&stdout)
	root.SetErr(&stderr)
	err = root.Execute()
	return stdout.String(), stderr.String(), err
}

func TestManifestsAreHeldFromFilesFoldersAndStdin(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a.yaml": service, "b.yml": deployment, "c.txt": "no manifest: ["} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, errs, err := holdManifests(t, "", "-f", dir)
	if err != nil || !strings.HasPrefix(out, service+"---\nkind: Deployment\n") || !strings.Contains(out, "containers: [] # none") || !strings.Contains(errs, "b.yml: Deployment/web is held") {
		t.Errorf("%v\n%s\n%s", err, errs, out)
	}
	if out, _, err = holdManifests(t, deployment, "-f", "-", "-o", "json"); err != nil || !strings.Contains(out, `"envoydbg.dev/hold": "workload"`) {
		t.Errorf("%v\n%s", err, out)
	}
	if out, _, err = holdManifests(t, deployment, "-f", "-", "--diff"); err != nil || !strings.Contains(out, "\n+  labels:\n") && !strings.Contains(out, "\n+    envoydbg.dev/hold: workload\n") || strings.Contains(out, "# none\n+") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, errs, err = holdManifests(t, service, "-f", "-"); err != nil || out != service || !strings.Contains(errs, "Nothing is changed") {
		t.Errorf("%v\n%s\n%s", err, errs, out)
	}
	for want, args := range map[string][]string{
		"not there":    {"-f", filepath.Join(dir, "none.yaml")},
		"ED1710":       {"-f", filepath.Join(dir, "c.txt")},
		"yaml or json": {"-f", dir, "-o", "table"},
		"client":       {"-f", dir, "--dry-run", "x"},
		"--workload":   {"-f", dir, "--workload"},
		"Name some":    {"pod/x", "--diff"},
	} {
		if out, _, err := holdManifests(t, "", args...); err == nil || !strings.Contains(err.Error(), want) || out != "" {
			t.Errorf("%q: %v, want %q\n%s", args, err, want, out)
		}
	}
}
