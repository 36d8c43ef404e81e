package hold

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var asked = WorkloadOptions{Who: "ann@laptop", Target: "statefulset/fortio-server", Container: "istio-proxy", Now: now, Command: proxy}

// set is a StatefulSet whose pods are injected by the webhook.
func set(change ...func(*apps.StatefulSet)) *apps.StatefulSet {
	s := &apps.StatefulSet{
		ObjectMeta: meta.ObjectMeta{Name: "fortio-server", Namespace: "demo"},
		Spec: apps.StatefulSetSpec{Template: core.PodTemplateSpec{
			ObjectMeta: meta.ObjectMeta{Labels: map[string]string{"app": "fortio-server"}},
			Spec: core.PodSpec{Containers: []core.Container{{Name: "main-app",
				LivenessProbe: &core.Probe{ProbeHandler: core.ProbeHandler{HTTPGet: &core.HTTPGetAction{Path: "/"}}},
				StartupProbe:  &core.Probe{ProbeHandler: core.ProbeHandler{Exec: &core.ExecAction{}}}}}}}},
	}
	for _, c := range change {
		c(s)
	}
	return s
}

// injected has the sidecar in its template already.
func injected(s *apps.StatefulSet) {
	pod := live()
	s.Spec.Template.Spec.Containers = append(s.Spec.Template.Spec.Containers, pod.Spec.Containers[1])
}

// held is a StatefulSet after Workload.
func held(t *testing.T, s *apps.StatefulSet) *apps.StatefulSet {
	t.Helper()
	operations, err := Workload(s, &s.Spec.Template, asked)
	if err != nil {
		t.Fatal(err)
	}
	return applied(t, s, operations)
}

// applied applies operations as an API server does, strictly.
func applied(t *testing.T, s *apps.StatefulSet, operations []Operation) *apps.StatefulSet {
	t.Helper()
	object, err := treeOf(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range operations {
		path := strings.Split(o.Path, "/")[1:]
		for i, name := range path {
			path[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
		}
		_, there := object.get(path)
		parent, ok := object.get(path[:len(path)-1])
		if there == (o.Op == "add") || !ok {
			t.Fatalf("%s %s: there is %v, its parent %v", o.Op, o.Path, there, parent)
		}
		var value any
		if o.Op != "remove" {
			if err := json.Unmarshal(o.Value, &value); err != nil {
				t.Fatal(err)
			}
		}
		object.put(path, value, o.Op != "remove")
	}
	var out apps.StatefulSet
	if err := json.Unmarshal(text(object), &out); err != nil {
		t.Fatal(err)
	}
	return &out
}

func TestAnInjectedWorkloadIsHeldByAnnotations(t *testing.T) {
	h := held(t, set(func(s *apps.StatefulSet) {
		s.Spec.Template.Annotations = map[string]string{
			overrides: `{"containers": [{"name": "istio-proxy", "env": [{"name": "A"}]}, {"name": "other"}]}`,
			config:    "concurrency: 4\nholdApplicationUntilProxyStarts: true\n"}
	}))
	a := h.Spec.Template.Annotations
	var got map[string][]core.Container
	if err := json.Unmarshal([]byte(a[overrides]), &got); err != nil {
		t.Fatal(err)
	}
	for _, list := range []string{"containers", "initContainers"} {
		c := got[list][0]
		if c.Name != "istio-proxy" || c.Command[0] != Wait || !slices.Equal(c.Args, WaitArgs) {
			t.Errorf("%s: %+v", list, c)
		}
	}
	if len(got["containers"]) != 2 || len(got["containers"][0].Env) != 1 {
		t.Errorf("what was there is lost: %+v", got["containers"])
	}
	if a[statusPort] != "0" || a[rewrite] != "false" || a[config] != `{"concurrency":4,"holdApplicationUntilProxyStarts":false}` {
		t.Errorf("%v", a)
	}
	if main := h.Spec.Template.Spec.Containers[0]; main.LivenessProbe != nil || main.StartupProbe == nil {
		t.Errorf("%+v", main)
	}
	// Its pods say for whom they wait, and what they would run.
	for _, o := range []meta.Object{h, &h.Spec.Template} {
		if r, err := Read(o); err != nil || r == nil || r.Who != "ann@laptop" || !slices.Equal(r.Command, proxy) {
			t.Errorf("%+v, %v", r, err)
		}
	}
	if r, _ := Read(&h.Spec.Template); len(r.Edits) > 0 {
		t.Error("its pods have the edits")
	}
	for name, value := range map[string]string{overrides: "[", config: "{"} {
		s := set(func(s *apps.StatefulSet) { s.Spec.Template.Annotations = map[string]string{name: value} })
		if _, err := Workload(s, &s.Spec.Template, asked); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("of a broken annotation: %v", err)
		}
	}
}

func TestAWorkloadThatWasInjectedBeforeIsHeldInItsContainer(t *testing.T) {
	h := held(t, set(injected))
	if c, _ := Container(&h.Spec.Template.Spec, "istio-proxy"); c.Command[0] != Wait || !slices.Equal(c.Args, WaitArgs) || c.StartupProbe != nil || c.ReadinessProbe != nil || c.Lifecycle != nil {
		t.Errorf("%+v", c)
	}
	if h.Spec.Template.Labels[inject] != "false" || h.Spec.Template.Annotations[overrides] != "" {
		t.Errorf("%+v", h.Spec.Template.ObjectMeta)
	}
}

func TestAHeldWorkloadIsMadeWhatItWas(t *testing.T) {
	for name, s := range map[string]*apps.StatefulSet{
		"by the webhook": set(), "before": set(injected),
		"with annotations": set(func(s *apps.StatefulSet) {
			s.Annotations, s.Labels = map[string]string{"a": "b"}, map[string]string{"c": "d"}
			s.Spec.Template.Annotations = map[string]string{config: "concurrency: 4\n", rewrite: "true"}
		}),
	} {
		t.Run(name, func(t *testing.T) {
			h := held(t, s)
			if equal(t, h, s) {
				t.Fatal("nothing was changed")
			}
			operations, err := Undo(h)
			if err != nil {
				t.Fatal(err)
			}
			if got := applied(t, h, operations); !equal(t, got, s) {
				t.Errorf("it is  %s\nand was %s", text(got), text(s))
			}
		})
	}
}

// What others have changed elsewhere stays; of what was held nothing is undone then.
func TestWhatOthersChangeIsNotUndone(t *testing.T) {
	s := set(injected)
	h := held(t, s)
	h.Spec.Template.Annotations["restarted"] = "now"
	h.Spec.Template.Spec.Containers[0].Image = "app:2"
	operations, err := Undo(h)
	if err != nil {
		t.Fatal(err)
	}
	got := applied(t, h, operations)
	if got.Spec.Template.Annotations["restarted"] != "now" || len(got.Spec.Template.Annotations) != 1 || got.Spec.Template.Spec.Containers[0].Image != "app:2" {
		t.Errorf("%s", text(got))
	}
	var changed *ChangedError
	h = held(t, s)
	h.Spec.Template.Spec.Containers[1].Args = []string{"wait"}
	if _, err := Undo(h); !errors.As(err, &changed) || !slices.Equal(changed.Paths, []string{"spec.template.spec.containers.1.args"}) {
		t.Errorf("%v", err)
	}
	// Another container has taken its place.
	h = held(t, s)
	slices.Reverse(h.Spec.Template.Spec.Containers)
	if _, err := Undo(h); !errors.As(err, &changed) {
		t.Errorf("%v", err)
	}
	h = held(t, s)
	delete(h.Annotations, Annotation)
	if _, err := Undo(h); err == nil {
		t.Error("without a record")
	}
}

func TestWhoLooksAfterAWorkloadIsTold(t *testing.T) {
	if notes := Owners(set()); len(notes) > 0 {
		t.Errorf("%+v", notes)
	}
	for _, name := range []string{"argocd.argoproj.io/instance", "kustomize.toolkit.fluxcd.io/name", "helm.toolkit.fluxcd.io/name"} {
		if notes := Owners(set(func(s *apps.StatefulSet) { s.Labels = map[string]string{name: "shop"} })); len(notes) != 1 {
			t.Errorf("%s: %+v", name, notes)
		}
	}
}
