package hold

import (
	"strings"
	"testing"
)

// listManifest is what "kubectl get -o yaml" and charts write.
const listManifest = `apiVersion: v1
kind: List
items:
# a Service
- apiVersion: v1
  kind: Service
  metadata: {name: web}   # stays
- apiVersion: apps/v1
  kind: Deployment
  metadata:
    name: web
  spec:
    x-unknown: [a,  b]
    template:
      metadata:
        labels: {app: web}
      spec:
        containers:
          - {name: main-app, image: "app:1"} # the application
# the next one
- apiVersion: apps/v1
  kind: StatefulSet
  metadata: {name: db}
  spec:
    template:
      spec:
        containers: [{name: main-app, image: "app:1"}]
`

// Workloads that are items of a list are held in their places, in YAML and in JSON.
func TestTheWorkloadsOfAListAreHeld(t *testing.T) {
	for _, text := range []string{listManifest, `{"apiVersion": "v1", "kind": "List", "items": [{"kind": "Service", "apiVersion": "v1", "metadata": {"name": "web"}},
		{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": {"spec": {"containers": [{"name": "main-app"}]}}}},
		{"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": {"template": {"spec": {"containers": [{"name": "main-app"}]}}}}]}`} {
		all, err := Manifest(text, manifestOptions)
		if err != nil {
			t.Fatal(err)
		}
		if len(all) != 1 || !all[0].Held || all[0].Name != "the list's Deployment/web, StatefulSet/db" || len(all[0].Workloads()) != 2 {
			t.Fatalf("%+v", all)
		}
		if items := all[0].Object["items"].([]any); len(items) != 3 {
			t.Errorf("the list has %d items", len(items))
		}
		// What is held already stays.
		again, err := Manifest(all[0].Text, manifestOptions)
		if err != nil || again[0].Held || again[0].Text != all[0].Text {
			t.Errorf("%v: %s", err, again[0].Text)
		}
		if text != listManifest {
			continue
		}
		for _, line := range []string{"# a Service\n", "metadata: {name: web}   # stays\n", "x-unknown: [a,  b]\n", "# the application\n", "# the next one\n- apiVersion: apps/v1\n  kind: StatefulSet\n"} {
			if !strings.Contains(all[0].Text, line) {
				t.Errorf("%q is not in\n%s", line, all[0].Text)
			}
		}
	}
}
