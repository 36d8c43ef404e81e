package kube

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	auth "k8s.io/api/authorization/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	testkit "k8s.io/client-go/testing"
)

func TestPermissionsAreThoseThatTheTargetNeeds(t *testing.T) {
	for target, want := range map[string]string{
		"x":             "get pods, get pods/exec, create pods/exec",
		"pod/x":         "get pods, get pods/exec, create pods/exec",
		"app=x":         "get pods, get pods/exec, create pods/exec, list pods",
		"sts/x":         "get pods, get pods/exec, create pods/exec, list pods, get statefulsets.apps",
		"deployments/x": "get pods, get pods/exec, create pods/exec, list pods, get deployments.apps",
		"job.batch/x":   "get pods, get pods/exec, create pods/exec, list pods, get jobs.batch",
	} {
		var got []string
		for _, p := range Permissions(target) {
			got = append(got, p.String())
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s: %s, want %s", target, strings.Join(got, ", "), want)
		}
	}
}

// A permission that is denied fails; one that cannot be asked for does not.
func TestPermissionsAreAskedFor(t *testing.T) {
	client := fake.NewClientset()
	client.PrependReactor("create", "selfsubjectaccessreviews", func(a testkit.Action) (bool, runtime.Object, error) {
		review := a.(testkit.CreateAction).GetObject().(*auth.SelfSubjectAccessReview)
		r := review.Spec.ResourceAttributes
		if r.Namespace != "demo" {
			t.Errorf("asked for the namespace %q", r.Namespace)
		}
		switch {
		case r.Verb == "list":
			return true, nil, errors.New("no reviews here")
		case r.Subresource == "exec":
			review.Status.Reason = "RBAC says so"
		default:
			review.Status.Allowed = true
		}
		return true, review, nil
	})
	c := &Cluster{client: client, namespace: "demo"}
	var got []string
	for _, f := range c.May(context.Background(), Permissions("app=x")) {
		got = append(got, fmt.Sprintf("%s: %s", f.Check, f.State))
		if f.State == Failed && (!strings.Contains(f.What, "RBAC says so") || !strings.Contains(f.Fix, "--resource=pods/exec")) {
			t.Errorf("%+v", f)
		}
	}
	if want := "may get pods: ok, may get pods/exec: failed, may create pods/exec: failed, may list pods: unknown"; strings.Join(got, ", ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, ", "), want)
	}
}

func TestWhatWouldRestartTheContainerIsTold(t *testing.T) {
	deadline := int64(60)
	c := cluster(pod("a", "a"), pod("b", "b", func(p *core.Pod) {
		p.Spec.ActiveDeadlineSeconds = &deadline
		p.Spec.Containers[1].LivenessProbe = &core.Probe{FailureThreshold: 3, PeriodSeconds: 10, InitialDelaySeconds: 5}
		p.Spec.Containers[1].Lifecycle = &core.Lifecycle{PostStart: &core.LifecycleHandler{}}
	}))
	for name, want := range map[string]string{"a": "probes ok", "b": "livenessProbe warning, postStart warning, deadline warning"} {
		s, err := c.Find(context.Background(), name, "")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range s.Lifecycle(context.Background()) {
			got = append(got, f.Check+" "+string(f.State))
			if f.Check == "livenessProbe" && !strings.Contains(f.What, "35 s") {
				t.Errorf("%+v", f)
			}
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s: %v, want %s", name, got, want)
		}
	}
}

func TestTheContainerTellsAboutItself(t *testing.T) {
	parked := []string{"Uid: 1337\t1337\t1337\t1337", "CapEff: 0000000000000000", "NoNewPrivs: 1", "Seccomp: 2", "machine x86_64",
		"process 1 pilot-agent", "process 30 sh", "writable ext2/ext3 /var/lib/istio/data", "writable tmpfs /etc/istio/proxy"}
	for _, x := range []struct {
		lines []string
		want  string
	}{
		{parked, "node ok, tracing ok, Envoy ok, folder ok"},
		{append([]string{"yama 2"}, parked...), "node ok, tracing failed, Envoy ok, folder ok"},
		{append([]string{"yama 1"}, parked...), "node ok, tracing ok, Envoy ok, folder ok"},
		{append([]string{"yama 2"}, append(parked, "CapEff: 0000000000080000")...), "node ok, tracing ok, Envoy ok, folder ok"},
		{append(parked, "process 25 envoy"), "node ok, tracing ok, Envoy failed, folder ok"},
		{parked[:7], "node ok, tracing ok, Envoy ok, folder failed"},
		{[]string{"", "nonsense", "process", "writable", "process x"}, "node ok, tracing ok, Envoy ok, folder failed"},
	} {
		var got []string
		for _, f := range findings(x.lines) {
			got = append(got, f.Check+" "+string(f.State))
		}
		if strings.Join(got, ", ") != x.want {
			t.Errorf("%q: %v, want %s", x.lines, got, x.want)
		}
	}
}
