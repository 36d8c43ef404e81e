package kube

import (
	"cmp"
	"context"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/envoydbg/envoydbg/kube/hold"
)

// listPage is how many pods are asked for at a time.
const listPage = 500

// Listed is a container with an Envoy, of a pod in whatever state.
type Listed struct {
	Namespace, Pod, Container string
	// Target is what a user would name: the workload, or the pod where it has none or
	// is held.
	Target string
	// State is StateRunning, StateHeld, or what the kubelet says.
	State string
	// Record says who holds the pod; nil when envoydbg does not.
	Record *hold.Record
}

// StateRunning is that of a container that was started with its pod and runs.
const StateRunning = "running"

// Sidecars lists the containers with an Envoy: in all namespaces if everywhere is true and
// the user may list pods there, and else in the cluster's. The namespace is the only one
// that was looked at, "" for all.
func (c *Cluster) Sidecars(ctx context.Context, everywhere bool) (all []Listed, namespace string, err error) {
	namespace = c.namespace
	if everywhere {
		namespace = meta.NamespaceAll
	}
	all, err = c.sidecarsIn(ctx, namespace)
	if everywhere && apierrors.IsForbidden(err) {
		namespace = c.namespace
		all, err = c.sidecarsIn(ctx, namespace)
	}
	slices.SortFunc(all, func(a, b Listed) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Target, b.Target), cmp.Compare(a.Pod, b.Pod))
	})
	return all, namespace, err
}

func (c *Cluster) sidecarsIn(ctx context.Context, namespace string) (all []Listed, err error) {
	options := meta.ListOptions{Limit: listPage}
	for {
		list, err := c.client.CoreV1().Pods(namespace).List(ctx, options)
		if err != nil {
			return nil, err
		}
		for i := range list.Items {
			if l, ok := listed(&list.Items[i]); ok {
				all = append(all, l)
			}
		}
		if options.Continue = list.Continue; options.Continue == "" {
			return all, nil
		}
	}
}

// listed is the container with Envoy of a pod that has one and is not at its end.
func listed(pod *core.Pod) (Listed, bool) {
	if pod.DeletionTimestamp != nil || pod.Status.Phase == core.PodSucceeded || pod.Status.Phase == core.PodFailed {
		return Listed{}, false
	}
	l := Listed{Namespace: pod.Namespace, Pod: pod.Name, Container: containerName(pod, DefaultContainer), Target: owner(pod)}
	c, _ := hold.Container(&pod.Spec, l.Container)
	if c == nil {
		return Listed{}, false
	}
	l.State, _ = startState(pod)
	if r, err := hold.Read(pod); err == nil && r != nil {
		l.Record, l.Target = r, "pod/"+pod.Name
	}
	for _, st := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		switch {
		case st.Name != l.Container:
		case st.State.Running == nil:
			l.State = stateText(st.State)
		case l.Record != nil || !hold.StartsEnvoy(c):
			l.State = StateHeld
		default:
			l.State = StateRunning
		}
	}
	return l, true
}

// owner is the workload of a pod as kubectl names it, or else the pod.
func owner(pod *core.Pod) string {
	o := meta.GetControllerOf(pod)
	if o == nil {
		return "pod/" + pod.Name
	}
	// A Deployment's pods are of a ReplicaSet that is named after it and their hash.
	if hash := pod.Labels["pod-template-hash"]; o.Kind == "ReplicaSet" && hash != "" {
		if name, ok := strings.CutSuffix(o.Name, "-"+hash); ok {
			return "deployment/" + name
		}
	}
	kind := strings.ToLower(o.Kind)
	if _, resource := workload(kind); resource == "" {
		return "pod/" + pod.Name
	}
	return kind + "/" + o.Name
}
