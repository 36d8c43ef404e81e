package kube

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttest "k8s.io/client-go/testing"

	"github.com/envoydbg/envoydbg/kube/hold"
)

// starts is a pod whose sidecar starts Envoy.
func starts(p *core.Pod) { p.Spec.Containers[1].Args = []string{"proxy", "sidecar"} }

// madeAt was made so many seconds after the others.
func madeAt(seconds int) func(*core.Pod) {
	return func(p *core.Pod) {
		p.UID, p.CreationTimestamp = "", meta.NewTime(time.Unix(int64(seconds), 0))
	}
}

// becoming is a fake API server in which pods that are made get a status.
func becoming(status func(*core.Pod), objects ...runtime.Object) (*Cluster, *fake.Clientset) {
	client := fake.NewClientset(objects...)
	client.PrependReactor("create", "pods", func(a clienttest.Action) (bool, runtime.Object, error) {
		p := a.(clienttest.CreateAction).GetObject().(*core.Pod)
		p.UID = "new"
		status(p)
		return false, nil, nil
	})
	return &Cluster{client: client, namespace: "demo"}, client
}

var (
	quiet       = HoldOptions{Who: "ann@laptop", For: time.Hour, Notes: func([]hold.Note) {}, Progress: func(string, ...any) {}}
	sidecarRuns = func(p *core.Pod) {
		p.Status.ContainerStatuses = []core.ContainerStatus{{Name: "istio-proxy", State: core.ContainerState{Running: &core.ContainerStateRunning{}}}}
	}
)

func TestACopyIsMadeOfTheNewestPodWhateverItsState(t *testing.T) {
	c, client := becoming(sidecarRuns, pod("old", "web", starts, madeAt(1)), pod("new", "web", starts, waiting, madeAt(2)))
	s, err := c.Source(t.Context(), "app=web", "")
	if err != nil || s.Pod.Name != "new" || !s.Live || !s.StartsEnvoy() || !strings.Contains(s.String(), "new / istio-proxy (classic sidecar), waiting: ImagePullBackOff") {
		t.Fatalf("%v, %v", s, err)
	}
	parked, held, err := c.Copy(t.Context(), s, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if parked.StartsEnvoy() || parked.Held.Who != "ann@laptop" || strings.Join(parked.Command, " ") != "pilot-agent proxy sidecar" || held.State != "held" {
		t.Errorf("%+v, %+v", parked, held)
	}
	all, narrow, unseen, err := c.Held(t.Context())
	if err != nil || len(all) != 1 || all[0].String() != "pod/"+parked.Pod || len(narrow)+len(unseen) > 0 {
		t.Errorf("%v, %v, %v, %v", all, narrow, unseen, err)
	}
	if err := c.Release(t.Context(), all[0], quiet.Progress); err != nil {
		t.Error(err)
	}
	if pods, err := client.CoreV1().Pods("demo").List(t.Context(), meta.ListOptions{}); err != nil || len(pods.Items) != 2 {
		t.Errorf("left: %v, %v", pods.Items, err)
	}
}

// What keeps a copy from starting is told, and the copy removed.
func TestACopyThatDoesNotStartIsRemoved(t *testing.T) {
	waits := func(reason string) core.ContainerState {
		return core.ContainerState{Waiting: &core.ContainerStateWaiting{Reason: reason, Message: "it is so"}}
	}
	for name, x := range map[string]struct {
		status func(*core.Pod)
		says   string
	}{
		"no image": {func(p *core.Pod) {
			p.Status.ContainerStatuses = []core.ContainerStatus{{Name: "istio-proxy", State: waits("ErrImagePull")}}
		}, "container istio-proxy: waiting: ErrImagePull"},
		"the application has none": {func(p *core.Pod) {
			p.Status.ContainerStatuses = []core.ContainerStatus{{Name: "main-app", State: waits("ErrImagePull")}}
		}, "container main-app"},
		"evicted": {func(p *core.Pod) { p.Status.Phase, p.Status.Reason = core.PodFailed, "Evicted" }, "Evicted"},
	} {
		t.Run(name, func(t *testing.T) {
			c, client := becoming(x.status, pod("a", "web", starts))
			s, err := c.Source(t.Context(), "a", "")
			if err != nil {
				t.Fatal(err)
			}
			var broken *NotRunningError
			if _, _, err := c.Copy(t.Context(), s, quiet); !errors.As(err, &broken) || !strings.Contains(broken.State, x.says) {
				t.Errorf("%v", err)
			}
			if pods, err := client.CoreV1().Pods("demo").List(t.Context(), meta.ListOptions{}); err != nil || len(pods.Items) != 1 {
				t.Errorf("left: %v, %v", pods.Items, err)
			}
		})
	}
	// An end meanwhile removes it, too.
	ctx, cancel := context.WithCancel(t.Context())
	c, client := becoming(func(p *core.Pod) {
		p.Status.Conditions = []core.PodCondition{{Type: core.PodScheduled, Status: core.ConditionFalse, Reason: "Unschedulable", Message: "0/1 nodes"}}
	}, pod("a", "web", starts))
	s, err := c.Source(ctx, "a", "")
	if err != nil {
		t.Fatal(err)
	}
	o := quiet
	o.Progress = func(format string, args ...any) {
		if strings.Contains(format, "%s: %s") {
			cancel()
		}
	}
	if _, _, err := c.Copy(ctx, s, o); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if pods, err := client.CoreV1().Pods("demo").List(t.Context(), meta.ListOptions{}); err != nil || len(pods.Items) != 1 {
		t.Errorf("left: %v, %v", pods.Items, err)
	}
}

// A quota or a policy is told from a missing permission.
func TestRefusalsAreToldFromMissingPermissions(t *testing.T) {
	pods := core.Resource("pods")
	for _, x := range []struct {
		err     error
		refused bool
	}{
		{apierrors.NewForbidden(pods, "a", errors.New("exceeded quota: full")), true},
		{apierrors.NewInternalError(errors.New("failed calling webhook")), true},
		{errors.New(`pods is forbidden: User "jane" cannot create resource`), false},
		{apierrors.NewForbidden(pods, "", errors.New(`User "jane" cannot create resource "pods"`)), false},
		{apierrors.NewNotFound(pods, "a"), false},
	} {
		var r *RefusedError
		if got := errors.As(refused(x.err), &r); got != x.refused {
			t.Errorf("%v: %v", x.err, got)
		}
	}
}

func TestWhatIsReleasedWithoutItsName(t *testing.T) {
	of := func(name, who, target string) *Held {
		return &Held{Kind: "pod", Name: name, Record: &hold.Record{Who: who, Target: target}}
	}
	mine, others := of("a", "ann@laptop", "sts/fortio"), of("b", "bob@laptop", "statefulset/fortio")
	broken := &Held{Kind: "pod", Name: "c", Broken: errors.New("it cannot be read")}
	for target, want := range map[string]string{"statefulsets/fortio": "a", "pod/b": "b", "b": "b", "c": "c", "web": ""} {
		var got []string
		var found []*Held
		for _, h := range []*Held{mine, others, broken} {
			if h.is(target) {
				found = append(found, h)
			}
		}
		for _, h := range Mine(found, "ann@laptop", target) {
			got = append(got, h.Name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q", target, got)
		}
	}
}
