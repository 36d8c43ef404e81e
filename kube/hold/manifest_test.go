package hold

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	apps "k8s.io/api/apps/v1"
	"sigs.k8s.io/yaml"

	"github.com/envoydbg/envoydbg/test/support/checkout"
)

var manifestOptions = WorkloadOptions{Who: "ann@laptop", Container: "istio-proxy", Now: now}

// plainManifest has what a person writes: comments, odd spacing, quotes, fields that nobody
// knows, and a document that is no workload.
const plainManifest = `# The server.
apiVersion: v1
kind: Service   # stays
metadata: {name: "fortio-server"}
--- # next
apiVersion: apps/v1
kind: StatefulSet
metadata:
    name: fortio-server # the name
    x-unknown:   [a,  b]

    # of the specification
spec:
    selector: {matchLabels: {app: fortio-server}}
    template:
        metadata:
            labels: {app: fortio-server} # in one line
            annotations:
                # why it is there
                example.com/note: |
                    # not a comment

                    text
        spec:
            containers:
            -   name: main-app
                # the image
                image: 'app:1'
                livenessProbe:
                    httpGet: {path: /, port: 8080}
                # after the probe
                args: [ "serve", ':8080' ]

# at the end
`

func TestAManifestStaysAsItIsWrittenWhereNothingChanges(t *testing.T) {
	all, err := Manifest(plainManifest, manifestOptions)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 || all[0].Held || !all[1].Held || all[1].Name != "StatefulSet/fortio-server" {
		t.Fatalf("%+v", all)
	}
	if _, rest, _ := strings.Cut(plainManifest, "--- "); all[0].Text+"--- "+rest != plainManifest {
		t.Errorf("changed: %q", all[0].Text)
	}
	held := all[1].Text
	// Every line of the original but those that say something else is there, in order.
	rest := held
	for line := range strings.Lines(plainManifest[strings.Index(plainManifest, "---"):]) {
		if strings.Contains(line, "httpGet") || strings.Contains(line, "livenessProbe") || strings.Contains(line, "labels: {app") {
			continue
		}
		_, after, found := strings.Cut(rest, line)
		if !found {
			t.Fatalf("%q is not in its place in\n%s", line, held)
		}
		rest = after
	}
	var s apps.StatefulSet
	if err := yaml.Unmarshal([]byte(held), &s); err != nil {
		t.Fatal(err)
	}
	if s.Spec.Template.Spec.Containers[0].LivenessProbe != nil {
		t.Error("its probe comes through the sidecar")
	}
	if !strings.Contains(s.Spec.Template.Annotations[overrides], Wait) || s.Labels[Label] != KindWorkload || s.Spec.Template.Labels["app"] != "fortio-server" ||
		s.Spec.Template.Annotations["example.com/note"] != "# not a comment\n\ntext\n" {
		t.Errorf("%+v\n%s", s, held)
	}
	// What was made can be undone, and is not held again.
	if _, err := Undo(&s); err != nil {
		t.Error(err)
	}
	again, err := Manifest(held, manifestOptions)
	if err != nil || again[0].Held || again[0].Text != held {
		t.Errorf("%+v, %v", again, err)
	}
}

// What istioctl has injected is changed in its container.
func TestAnInjectedManifestIsHeldInItsContainer(t *testing.T) {
	const injected = `apiVersion: apps/v1
kind: Deployment
metadata:
  annotations:
  name: web
spec:
  template:
    spec:
      containers:
      - readinessProbe: {httpGet: {path: /healthz/ready, port: 15021}}
        args:
        - proxy
        - sidecar
        image: istio/proxyv2:1
        name: istio-proxy
      - {name: main-app, image: "app:1"}
`
	for name, written := range map[string]string{"lines end in one byte": injected, "in two": strings.ReplaceAll(injected, "\n", "\r\n")} {
		t.Run(name, func(t *testing.T) {
			all, err := Manifest(written, manifestOptions)
			if err != nil {
				t.Fatal(err)
			}
			var d apps.Deployment
			if err := yaml.Unmarshal([]byte(all[0].Text), &d); err != nil {
				t.Fatal(err)
			}
			c := d.Spec.Template.Spec.Containers
			if len(c) != 2 || c[0].Command[0] != Wait || c[0].Args[0] != "wait" || c[0].ReadinessProbe != nil || c[0].Image != "istio/proxyv2:1" || c[1].Image != "app:1" {
				t.Errorf("%+v\n%s", c, all[0].Text)
			}
			if n := strings.Count(all[0].Text, "\n"); strings.Contains(written, "\r") && strings.Count(all[0].Text, "\r\n") != n {
				t.Error("its lines end in different ways")
			}
			r, err := Read(&d)
			if err != nil || r == nil || strings.Join(r.Command, " ") != "proxy sidecar" {
				t.Errorf("%+v, %v", r, err)
			}
		})
	}
}

// What makes pods in another way, and a pod itself, are held at their own places.
func TestJobsAndPodsAreHeldInTheirManifests(t *testing.T) {
	const spec = "containers:\n%[1]s- {name: main-app, image: \"app:1\"} # the app\n"
	for kind, x := range map[string]struct{ lead, path string }{
		"Job":     {"spec:\n  template:\n    metadata: {labels: {app: x}}\n    spec:\n      ", "spec.template"},
		"CronJob": {"spec:\n  schedule: \"* * * * *\"\n  jobTemplate:\n    spec:\n      template:\n        spec:\n          ", "spec.jobTemplate.spec.template"},
		"Pod":     {"spec:\n  ", ""},
	} {
		t.Run(kind, func(t *testing.T) {
			indent := strings.Repeat(" ", len(x.lead)-1-strings.LastIndexByte(x.lead, '\n'))
			all, err := Manifest("kind: "+kind+"\nmetadata:\n  name: x # the name\n"+x.lead+fmt.Sprintf(spec, indent), manifestOptions)
			if err != nil || !all[0].Held {
				t.Fatalf("%v %+v", err, all)
			}
			if Changeable(kind) || !strings.Contains(all[0].Text, "# the app") || !strings.Contains(all[0].Text, "# the name") {
				t.Errorf("%s", all[0].Text)
			}
			in := tree(all[0].Object)
			path := []string{}
			if x.path != "" {
				path = strings.Split(x.path, ".")
			}
			at := func(names ...string) any { v, _ := in.get(append(slices.Clone(path), names...)); return v }
			if waits, _ := at("metadata", "annotations", overrides).(string); !strings.Contains(waits, Wait) || at("metadata", "labels", Label) != KindWorkload {
				t.Errorf("its pods do not wait:\n%s", all[0].Text)
			}
			if own, _ := in.get([]string{"metadata", "labels", Label}); own != KindWorkload {
				t.Errorf("it is not marked itself:\n%s", all[0].Text)
			}
			if again, err := Manifest(all[0].Text, manifestOptions); err != nil || again[0].Held {
				t.Errorf("held once more: %v", err)
			}
		})
	}
}

func TestJSONIsHeld(t *testing.T) {
	all, err := Manifest(`{"kind": "DaemonSet", "apiVersion": "apps/v1", "metadata": {"name": "x"}, "spec": {"template": {"spec": {"containers": []}}}}`, manifestOptions)
	if err != nil || !all[0].Held || !strings.HasPrefix(all[0].Text, "{\n") {
		t.Errorf("%+v, %v", all, err)
	}
}

// What cannot be understood is an error that says where, and nothing is made of it.
func TestAManifestThatCannotBeChangedInPlace(t *testing.T) {
	for text, want := range map[string]string{
		"a: [":              "line 1",
		"a: 1\n---\nb: {\n": "line 2",
		"kind: StatefulSet\nmetadata: {name: x}\nspec: {template: {spec: {containers: 5}}}\n":                                                       "template",
		"kind: StatefulSet\nmetadata: &m\n  name: x\nspec:\n  template:\n    metadata: *m\n    spec: {containers: []}\n":                            "in place",
		"kind: StatefulSet\nmetadata: {name: x, annotations: {}}\nspec:\n  template: &t\n    spec: {containers: []}\n    metadata: {}\nother: *t\n": "in place",
	} {
		if all, err := Manifest(text, manifestOptions); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q, of\n%s\nis %+v", err, want, text, all)
		}
	}
}

// The manifests of this project: all that is in them stays.
func TestTheDemosManifest(t *testing.T) {
	b, err := os.ReadFile(checkout.Path(t, "test/cluster/manifests/demo.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	all, err := Manifest(string(b), manifestOptions)
	if err != nil {
		t.Fatal(err)
	}
	n, whole := 0, ""
	for _, d := range all {
		whole += d.Text
		if d.Held {
			n++
		}
	}
	if n != 2 || !strings.Contains(whole, "# fortio-server's is a native sidecar") {
		t.Errorf("%d held:\n%s", n, whole)
	}
}
