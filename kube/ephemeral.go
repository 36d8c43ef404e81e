package kube

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// ephemeralTime bounds the start of an ephemeral container, the pull of its image
// included.
const ephemeralTime = 3 * time.Minute

// pollTime is between two looks at the pod. Waiting for events would need one more
// permission.
const pollTime = 250 * time.Millisecond

// Beside runs a command in a new ephemeral container, which ends with it; none can be
// removed from a pod. It has the user and the rights of this container, so that the pod's
// namespace admits it as it did this one, its volumes on disk and its processes. A
// container that does not start is a *NotRunningError.
func (s *Sidecar) Beside(ctx context.Context, image string, command []string) (*Sidecar, error) {
	pod, err := s.get(ctx)
	if err != nil {
		return nil, err
	}
	own := containerOf(pod, s.Container)
	if own == nil {
		return nil, &NoContainerError{Pod: s.Pod, Container: s.Container}
	}
	beside := *s
	beside.Container, beside.Image, beside.Command, beside.Native = "envoydbg-"+strings.ToLower(rand.Text()[:6]), image, command, false
	patch, err := json.Marshal(map[string]any{"spec": map[string]any{"ephemeralContainers": []core.EphemeralContainer{{
		EphemeralContainerCommon: core.EphemeralContainerCommon{Name: beside.Container, Image: image, Command: command,
			ImagePullPolicy: core.PullIfNotPresent, SecurityContext: security(pod, own), VolumeMounts: shared(pod, own)},
		TargetContainerName: s.Container}}}})
	if err != nil {
		return nil, err
	}
	pods := s.cluster.client.CoreV1().Pods(s.Namespace)
	if _, err := pods.Patch(ctx, s.Pod, types.StrategicMergePatchType, patch, meta.PatchOptions{}, "ephemeralcontainers"); err != nil {
		return nil, err
	}
	return &beside, s.started(ctx, beside.Container)
}

// started waits until an ephemeral container of the pod runs. What keeps it from that is
// an error at once, even where the kubelet would try again.
func (s *Sidecar) started(ctx context.Context, name string) error {
	last := "the kubelet has not started it"
	late := time.After(ephemeralTime)
	for {
		pod, err := s.get(ctx)
		if err != nil && ctx.Err() == nil {
			return err
		}
		if err == nil {
			for _, st := range pod.Status.EphemeralContainerStatuses {
				switch w := st.State.Waiting; {
				case st.Name != name:
					continue
				case st.State.Running != nil:
					return nil
				case st.State.Terminated != nil: // at once
				case w == nil || slices.Contains([]string{"", "ContainerCreating", "PodInitializing"}, w.Reason):
					last = stateText(st.State)
					continue
				}
				return &NotRunningError{s.Pod, name, stateText(st.State)}
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-late:
			return &NotRunningError{s.Pod, name, fmt.Sprintf("not within %v; %s", ephemeralTime, last)}
		case <-time.After(pollTime):
		}
	}
}

// get returns the pod, unless another one has its name now.
func (s *Sidecar) get(ctx context.Context) (*core.Pod, error) {
	pod, err := s.cluster.client.CoreV1().Pods(s.Namespace).Get(ctx, s.Pod, meta.GetOptions{})
	if err == nil && pod.UID != s.UID {
		return nil, apierrors.NewNotFound(core.Resource("pods"), s.Pod)
	}
	return pod, err
}

func containerOf(pod *core.Pod, name string) *core.Container {
	for _, c := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
		if c.Name == name {
			return &c
		}
	}
	return nil
}

// security is a container's security context. Where the image says who the user is, as
// which the other image need not agree, it is the one that the kubelet tells.
func security(pod *core.Pod, c *core.Container) *core.SecurityContext {
	out := &core.SecurityContext{}
	if c.SecurityContext != nil {
		out = c.SecurityContext.DeepCopy()
	}
	inPod := pod.Spec.SecurityContext
	if out.RunAsUser != nil || inPod != nil && inPod.RunAsUser != nil {
		return out
	}
	for _, st := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if st.Name == c.Name && st.User != nil && st.User.Linux != nil {
			out.RunAsUser, out.RunAsGroup = &st.User.Linux.UID, &st.User.Linux.GID
		}
	}
	return out
}

// shared are the mounts of a container's volumes that belong to the pod and are on disk.
func shared(pod *core.Pod, c *core.Container) (mounts []core.VolumeMount) {
	for _, m := range c.VolumeMounts {
		for _, v := range pod.Spec.Volumes {
			if v.Name == m.Name && v.EmptyDir != nil && v.EmptyDir.Medium == core.StorageMediumDefault && !m.ReadOnly && m.SubPath == "" && m.SubPathExpr == "" {
				mounts = append(mounts, m)
			}
		}
	}
	return mounts
}
