package kube

import (
	"context"
	"errors"
	"slices"
	"testing"

	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
)

// pod is a running pod with the containers main-app and istio-proxy.
func pod(name, app string, change ...func(*core.Pod)) *core.Pod {
	running := core.ContainerState{Running: &core.ContainerStateRunning{}}
	p := &core.Pod{
		ObjectMeta: meta.ObjectMeta{Name: name, Namespace: "demo", UID: "uid-" + "1", Labels: map[string]string{"app": app}},
		Spec: core.PodSpec{NodeName: "node-1", Containers: []core.Container{{Name: "main-app"},
			{Name: "istio-proxy", Command: []string{"pilot-agent"}, Args: []string{"wait"}}}},
		Status: core.PodStatus{Phase: core.PodRunning, ContainerStatuses: []core.ContainerStatus{
			{Name: "main-app", State: running}, {Name: "istio-proxy", State: running}}},
	}
	for _, c := range change {
		c(p)
	}
	return p
}

// native makes istio-proxy an init container that keeps running.
func native(p *core.Pod) {
	p.Spec.InitContainers = []core.Container{{Name: "istio-init"}, p.Spec.Containers[1]}
	p.Spec.Containers = p.Spec.Containers[:1]
	p.Status.InitContainerStatuses = p.Status.ContainerStatuses[1:]
	p.Status.ContainerStatuses = p.Status.ContainerStatuses[:1]
}

func ended(p *core.Pod) { p.Status.Phase = core.PodSucceeded }

func waiting(p *core.Pod) {
	p.Status.ContainerStatuses[1].State = core.ContainerState{Waiting: &core.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: "no such image"}}
}

func selector(app string) *meta.LabelSelector {
	return &meta.LabelSelector{MatchLabels: map[string]string{"app": app}}
}

// cluster is a fake API server with these objects.
func cluster(objects ...runtime.Object) *Cluster {
	return &Cluster{client: fake.NewClientset(objects...), namespace: "demo"}
}

func named(name string) meta.ObjectMeta { return meta.ObjectMeta{Name: name, Namespace: "demo"} }

func TestATargetIsWhatKubectlTakes(t *testing.T) {
	c := cluster(pod("fortio-server-0", "fortio"), pod("web-abc", "web", native), pod("old-1", "job", ended), pod("old-2", "job"),
		&apps.StatefulSet{ObjectMeta: named("fortio-server"), Spec: apps.StatefulSetSpec{Selector: selector("fortio")}},
		&apps.Deployment{ObjectMeta: named("web"), Spec: apps.DeploymentSpec{Selector: selector("web")}},
		&apps.ReplicaSet{ObjectMeta: named("web-1"), Spec: apps.ReplicaSetSpec{Selector: selector("web")}},
		&apps.DaemonSet{ObjectMeta: named("each"), Spec: apps.DaemonSetSpec{Selector: selector("web")}},
		&batch.Job{ObjectMeta: named("once"), Spec: batch.JobSpec{Selector: selector("job")}})
	for target, want := range map[string]string{
		"fortio-server-0":                 "fortio-server-0",
		"pod/fortio-server-0":             "fortio-server-0",
		"po/fortio-server-0":              "fortio-server-0",
		"statefulset/fortio-server":       "fortio-server-0",
		"sts/fortio-server":               "fortio-server-0",
		"statefulsets.apps/fortio-server": "fortio-server-0",
		"deployment/web":                  "web-abc",
		"Deployment/web":                  "web-abc",
		"rs/web-1":                        "web-abc",
		"ds/each":                         "web-abc",
		"job/once":                        "old-2", // the one that runs
		"app=fortio":                      "fortio-server-0",
		"app in (fortio, nothing)":        "fortio-server-0",
		"app=fortio,!canary":              "fortio-server-0",
	} {
		s, err := c.Find(context.Background(), target, "")
		if err != nil || s.Pod != want || s.Container != "istio-proxy" || s.Node != "node-1" || !slices.Equal(s.Command, []string{"pilot-agent", "wait"}) {
			t.Errorf("%s: %+v, %v", target, s, err)
		} else if s.Native != (want == "web-abc") {
			t.Errorf("%s: native %v", target, s.Native)
		}
	}
}

func TestWhatIsNoTarget(t *testing.T) {
	c := cluster(pod("a", "two"), pod("b", "two"), pod("c", "one", waiting), pod("gone", "gone", ended))
	find := func(target, container string) error {
		_, err := c.Find(context.Background(), target, container)
		if err == nil {
			t.Errorf("%s %s was found", target, container)
		}
		return err
	}
	if e := new(AmbiguousError); !errors.As(find("app=two", ""), &e) || !slices.Equal(e.Pods, []string{"pod/a", "pod/b"}) {
		t.Errorf("two pods: %v", e)
	}
	if err := find("app=nothing", ""); !errors.Is(err, ErrNotFound) {
		t.Errorf("no pod: %v", err)
	}
	if err := find("pod/nothing", ""); !apierrors.IsNotFound(err) {
		t.Errorf("no such pod: %v", err)
	}
	if e := new(UnknownKindError); !errors.As(find("service/fortio", ""), &e) || e.Kind != "service" {
		t.Errorf("a service: %v", e)
	}
	if e := new(NoContainerError); !errors.As(find("a", "envoy"), &e) || !slices.Equal(e.Containers, []string{"main-app", "istio-proxy"}) {
		t.Errorf("no such container: %v", e)
	}
	if e := new(NotRunningError); !errors.As(find("c", ""), &e) || e.State != "waiting: ImagePullBackOff no such image" {
		t.Errorf("a waiting container: %v", e)
	}
}

func TestFlagsAreThoseOfKubectl(t *testing.T) {
	f := NewFlags()
	if err := f.Parse([]string{"--as=jane", "--namespace", "demo", "--server=https://127.0.0.1:1", "--insecure-skip-tls-verify"}); err != nil {
		t.Fatal(err)
	}
	c, err := Connect(f)
	if err != nil || c.Namespace() != "demo" || c.Server() != "https://127.0.0.1:1" || c.config.Impersonate.UserName != "jane" || !c.config.Insecure {
		t.Errorf("%+v, %v", c, err)
	}
	for _, bad := range [][]string{{"--nothing"}, {"pod"}} {
		if err := NewFlags().Parse(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
