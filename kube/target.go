package kube

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/envoydbg/envoydbg/kube/hold"
)

// DefaultContainer is the name that Istio gives the sidecar.
const DefaultContainer = "istio-proxy"

// Sidecar is the container of a running pod in which Envoy is, or will be.
type Sidecar struct {
	cluster *Cluster
	pod     *core.Pod // as it was found

	Namespace, Pod, Container string
	// UID is that of the pod: a pod of the same name that comes later is another.
	UID  types.UID
	Node string
	// Native says that the container is an init container that keeps running.
	Native bool
	Image  string
	// Shared are the folders of its own volumes on disk, which another container of the
	// pod can have, too.
	Shared []string
	// Command is what the pod's specification runs in the container, Arguments
	// included; empty for what the image says. Where the container is held, it is what
	// would be run if it were not.
	Command []string
	// Held says who holds the pod; nil when envoydbg does not.
	Held *hold.Record
}

// ErrNotFound: there is no such pod or workload.
var ErrNotFound = errors.New("not found")

// AmbiguousError: more than one pod fits.
type AmbiguousError struct {
	Target string
	// Pods are their names, as targets.
	Pods []string
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("%s has %d pods: %s", e.Target, len(e.Pods), strings.Join(e.Pods, ", "))
}

// NoContainerError: the pod has no container of that name.
type NoContainerError struct {
	Pod, Container string
	// Containers are the names of those it has, init containers included.
	Containers []string
}

func (e *NoContainerError) Error() string {
	return fmt.Sprintf("pod/%s has no container %s; it has %s", e.Pod, e.Container, strings.Join(e.Containers, ", "))
}

// NotRunningError: the container does not run.
type NotRunningError struct {
	Pod, Container string
	// State is what the kubelet says of it, such as "waiting: ImagePullBackOff".
	State string
}

func (e *NotRunningError) Error() string {
	return fmt.Sprintf("container %s of pod/%s does not run: %s", e.Container, e.Pod, e.State)
}

// UnknownKindError: the target names a kind that has no pods.
type UnknownKindError struct{ Kind string }

func (e *UnknownKindError) Error() string { return fmt.Sprintf("%q is no kind that has pods", e.Kind) }

// Find finds a sidecar by what kubectl calls a resource: NAME or pod/NAME, the name of
// a workload such as statefulset/NAME, or a label selector such as app=fortio. An empty
// container is Istio's. The errors are those of this package, or the API server's.
func (c *Cluster) Find(ctx context.Context, target, container string) (*Sidecar, error) {
	pods, err := c.pods(ctx, target)
	if err != nil {
		return nil, err
	}
	pods = slices.DeleteFunc(pods, func(p core.Pod) bool {
		return len(pods) > 1 && (p.DeletionTimestamp != nil || p.Status.Phase == core.PodSucceeded || p.Status.Phase == core.PodFailed)
	})
	switch {
	case len(pods) == 0:
		return nil, fmt.Errorf("%s: %w", target, ErrNotFound)
	case len(pods) > 1:
		e := &AmbiguousError{Target: target}
		for _, p := range pods {
			e.Pods = append(e.Pods, "pod/"+p.Name)
		}
		slices.Sort(e.Pods)
		return nil, e
	}
	if container == "" {
		container = DefaultContainer
	}
	c.explain(ctx, &pods[0], container)
	return c.sidecar(&pods[0], container)
}

// IsResource says whether a word names a pod or a workload by its kind and name.
func IsResource(word string) bool {
	kind, name, ok := strings.Cut(word, "/")
	_, resource := workload(kind)
	return ok && name != "" && !strings.Contains(name, "/") && (resource != "" || isPod(kind))
}

func isPod(kind string) bool {
	return slices.Contains([]string{"pod", "pods", "po"}, strings.ToLower(kind))
}

// pods are the pods that a target stands for.
func (c *Cluster) pods(ctx context.Context, target string) ([]core.Pod, error) {
	kind, name, hasKind := strings.Cut(target, "/")
	switch {
	case !hasKind && strings.ContainsAny(target, "=,! "):
		return c.selected(ctx, target)
	case !hasKind:
		kind, name = "pod", target
	}
	if isPod(kind) {
		pod, err := c.client.CoreV1().Pods(c.namespace).Get(ctx, name, meta.GetOptions{})
		if err != nil {
			return nil, err
		}
		return []core.Pod{*pod}, nil
	}
	w, err := c.workload(ctx, kind, name)
	if err != nil {
		return nil, err
	}
	s, err := meta.LabelSelectorAsSelector(w.selector)
	if err != nil {
		return nil, err
	}
	return c.selected(ctx, s.String())
}

// selected are the pods with certain labels.
func (c *Cluster) selected(ctx context.Context, selector string) ([]core.Pod, error) {
	if _, err := labels.Parse(selector); err != nil {
		return nil, err
	}
	list, err := c.client.CoreV1().Pods(c.namespace).List(ctx, meta.ListOptions{LabelSelector: selector})
	if err != nil {
		return nil, err
	}
	return list.Items, nil
}

// sidecar finds a container in a pod, and that it runs.
func (c *Cluster) sidecar(pod *core.Pod, name string) (*Sidecar, error) {
	name = containerName(pod, name)
	s := &Sidecar{cluster: c, pod: pod, Namespace: pod.Namespace, Pod: pod.Name, Container: name, UID: pod.UID, Node: pod.Spec.NodeName}
	var names []string
	found := false
	take := func(list []core.Container, native bool) {
		for _, container := range list {
			names = append(names, container.Name)
			if container.Name == name {
				found, s.Native, s.Command = true, native, slices.Concat(container.Command, container.Args)
				s.Image = container.Image
				for _, m := range shared(pod, &container) {
					s.Shared = append(s.Shared, m.MountPath)
				}
			}
		}
	}
	take(pod.Spec.InitContainers, true)
	take(pod.Spec.Containers, false)
	if !found {
		return nil, &NoContainerError{pod.Name, name, names}
	}
	if r, err := hold.Read(pod); err == nil && r != nil && r.Container == name {
		s.Held, s.Command = r, r.Command
	}
	for _, st := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if st.Name == name {
			if st.State.Running != nil {
				return s, nil
			}
			return nil, &NotRunningError{pod.Name, name, stateText(st.State)}
		}
	}
	return nil, &NotRunningError{pod.Name, name, "the pod is " + strings.ToLower(string(pod.Status.Phase))}
}

// containerName is name, or where that is the default and the pod has no such container,
// the one that starts Envoy in it.
func containerName(pod *core.Pod, name string) string {
	if c, _ := hold.Container(&pod.Spec, name); c != nil || name != DefaultContainer {
		return name
	}
	if other := hold.EnvoyContainer(pod); other != "" {
		return other
	}
	return name
}

func stateText(s core.ContainerState) string {
	switch {
	case s.Waiting != nil:
		return strings.TrimSpace("waiting: " + s.Waiting.Reason + " " + s.Waiting.Message)
	case s.Terminated != nil:
		return fmt.Sprintf("it ended with exit code %d %s", s.Terminated.ExitCode, s.Terminated.Reason)
	}
	return "not started"
}

// String is the sidecar as kubectl would name it.
func (s *Sidecar) String() string {
	return fmt.Sprintf("pod/%s container %s (namespace %s)", s.Pod, s.Container, s.Namespace)
}

// StartsEnvoy says whether the container starts Envoy by itself.
func (s *Sidecar) StartsEnvoy() bool {
	c, _ := hold.Container(&s.pod.Spec, s.Container)
	return hold.StartsEnvoy(c)
}
